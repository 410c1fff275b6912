import Foundation
import TensorCore

/// The shares of a run as they lie in its folder.
public struct RunShards {
  private struct Share {
    let shard: Shard
    let manifest: SavedManifest
    let file: RowFile
  }

  /// Why a share cannot be merged.
  enum Gap: Equatable {
    case notBegun, unfinished
    /// It is there, but its rows are not this run's, or not what they were.
    case unusable(String)
  }

  private let path: String
  private let rowsFile: String
  /// Number of shares; where shares of several numbers lie in the folder, of those of which most are
  /// finished.
  public let count: Int
  private let shares: [Share]
  let gaps: [(index: Int, gap: Gap)]
  /// Task number of the first share in the Slurm array.
  private let arrayMinimum: Int

  /// Nil where the folder holds no shares, or the run that they are of is finished.
  ///
  /// - Throws: `UserError` where the run's own manifest cannot be read.
  public init?(_ path: String, rowsFile: String) throws {
    guard SavedManifest.exists(in: path) else { return nil }
    let run = try SavedManifest(folder: path)
    let found = Self.shards(in: path)
    guard !run.isFinished, !found.isEmpty else { return nil }
    self.path = path
    self.rowsFile = rowsFile
    let sets = Dictionary(grouping: found, by: \.count).map { count, shards in
      Self.look(path, rowsFile, shards, count, run.identity)
    }
    guard
      let best = sets.min(by: {
        ($0.gaps.count * $1.count, $0.count) < ($1.gaps.count * $0.count, $1.count)
      })
    else { return nil }
    (count, shares, gaps, arrayMinimum) = best
  }

  /// Shares that have a manifest, in their order.
  static func shards(in path: String) -> [Shard] {
    ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? [])
      .compactMap { Shard(file: $0, of: SavedManifest.name) }
      .sorted { ($0.count, $0.index) < ($1.count, $1.index) }
      .map { shard in
        guard let saved = try? JSONValue(contentsOf: SavedManifest.path(in: path, of: shard)),
          case .integer(let minimum) = saved["shard"]["array_minimum"]
        else { return shard }
        return Shard(shard.index, of: shard.count, arrayMinimum: minimum)
      }
  }

  private static func look(
    _ path: String, _ rowsFile: String, _ shards: [Shard], _ count: Int, _ identity: JSONValue
  ) -> (count: Int, shares: [Share], gaps: [(index: Int, gap: Gap)], arrayMinimum: Int) {
    var shares: [Share] = []
    var gaps: [(index: Int, gap: Gap)] = []
    for index in 1...count {
      guard let shard = shards.first(where: { $0.index == index }) else {
        gaps.append((index, .notBegun))
        continue
      }
      let file = RowFile(folder: path, name: shard.file(rowsFile))
      do {
        let saved = try SavedManifest(folder: path, of: shard)
        if let other = RunIdentity.differences(ours: identity, theirs: saved.identity).first {
          gaps.append((index, .unusable("it is of another run: \(other.text)")))
        } else if !saved.isFinished {
          gaps.append((index, .unfinished))
        } else {
          switch try saved.check(file, length: file.length().whole, folder: path) {
          case .intact: shares.append(Share(shard: shard, manifest: saved, file: file))
          case .shortened(let problem): gaps.append((index, .unusable(problem)))
          case .changed(let error): gaps.append((index, .unusable(error.problem)))
          }
        }
      } catch {
        gaps.append((index, .unusable(UserError(any: error).problem)))
      }
    }
    return (count, shares, gaps, shards.lazy.compactMap(\.arrayMinimum).first ?? 1)
  }

  /// What is missing and how to get it; nil where all is there.
  public var problem: UserError? {
    guard !gaps.isEmpty else { return nil }
    func words(_ gap: Gap, _ text: String) -> [String] {
      let indices = gaps.filter { $0.gap == gap }.map(\.index)
      return indices.isEmpty ? [] : ["\(arrayList(indices)) \(text)"]
    }
    var unusable: [(index: Int, problem: String)] = []
    for (index, gap) in gaps {
      if case .unusable(let problem) = gap { unusable.append((index, problem)) }
    }
    let parts =
      words(.notBegun, "not begun") + words(.unfinished, "not finished")
      + unusable.map { "\($0.index) cannot be used (\($0.problem))" }
    let moved = unusable.map { Shard($0.index, of: count) }
      .flatMap { [$0.file(SavedManifest.name), $0.file(rowsFile)] }.map { "\(path)/\($0)" }
    let offset = 1 - arrayMinimum
    let task =
      offset == 0
      ? "$SLURM_ARRAY_TASK_ID" : "$((SLURM_ARRAY_TASK_ID\(offset < 0 ? "-" : "+")\(abs(offset))))"
    return UserError(
      "\(gaps.count) of \(count) shares are missing: \(parts.joined(separator: ", "))", at: path,
      remedy: (moved.isEmpty ? "" : "remove with: \(ShellWord.line(["rm", "-f"] + moved)), then ")
        + "finish with: sbatch --array=\(arrayList(gaps.map { $0.index - offset })), and "
        + "--shard \"\(task)/\(count)\"")
  }

  /// Writes the rows of all shares in canonical order as those of a run that was not shared, and a
  /// manifest that says that it is finished.
  ///
  /// - Parameters:
  ///   - unit: name of a row's unit, as the shares' manifests list them.
  ///   - fields: what the manifest says of all shares together, from their manifests.
  /// - Throws: `problem`, and `UserError` where shares came to different rows of one unit.
  public func merge(
    unit: (JSONReader) throws -> String,
    fields: ([JSONValue]) throws -> [(key: String, value: JSONValue)]
  ) throws {
    if let problem { throw problem }
    let merged = RowFile(folder: path, name: rowsFile)
    // Held until the rows are there: somebody may be finishing the run without shares.
    let lock = try FileDescriptor(appendingTo: merged.path)
    _ = try RunLock.acquire(lock.number, path: path)
    var lines: [String: (share: Int, lines: [Data])] = [:]
    for share in shares {
      var own: [String: [Data]] = [:]
      try share.file.forEachLine { line, number in
        guard !line.isEmpty else { return }
        let row = try RowFile.row(line, place: "\(share.file.path):\(number)")
        own[try unit(row), default: []].append(line)
      }
      for (name, found) in own {
        if let other = lines[name] {
          guard other.lines == found else {
            throw UserError(
              "shares \(other.share) and \(share.shard.index) of \(count) came to different rows of \(name)",
              at: path, remedy: "one of their machines computes wrongly; compare their rows")
          }
        } else {
          lines[name] = (share.shard.index, found)
        }
      }
    }
    var data = Data()
    for name in try order() {
      for line in lines[name]?.lines ?? [] { data += line + [0x0A] }
    }
    try Files.write(data, to: merged.path)
    try writeManifest(merged, fields(shares.map(\.manifest.value)))
    withExtendedLifetime(lock) {}
  }

  /// All units: the shares' own ones in turn.
  private func order() throws -> [String] {
    let units = try shares.map { share in
      try JSONReader(
        share.manifest.value["units"],
        place: "\(SavedManifest.path(in: path, of: share.shard)), units"
      ).list().map { try $0.string() }
    }
    return (0..<(units.map(\.count).max() ?? 0)).flatMap { round in
      units.compactMap { round < $0.count ? $0[round] : nil }
    }
  }

  private func writeManifest(
    _ merged: RowFile, _ fields: [(key: String, value: JSONValue)]
  ) throws {
    let values = shares.map(\.manifest.value)
    var manifest = values[0].pairs.filter {
      !["shard", "units", "rows", "finished"].contains($0.key)
    }
    for (key, value) in fields {
      manifest.removeAll { $0.key == key }
      manifest.append((key, value))
    }
    func time(_ key: String, _ choose: ([String]) -> String?) -> JSONValue {
      choose(values.compactMap { if case .string(let text) = $0[key] { text } else { nil } })
        .map(JSONValue.string) ?? .null
    }
    if let place = manifest.firstIndex(where: { $0.key == "started" }) {
      manifest[place].value = time("started") { $0.min() }
    }
    manifest += [
      (
        "shares",
        .array(
          values.map { value in
            .object(
              ["shard", "rows", "machine", "started", "finished"].map { ($0, value[$0]) })
          })
      ),
      ("rows", try merged.content().json(of: merged)),
      ("finished", time("finished") { $0.max() }),
    ]
    try Files.write(
      Data(JSONValue.object(manifest).prettyText.utf8), to: SavedManifest.path(in: path))
  }
}
