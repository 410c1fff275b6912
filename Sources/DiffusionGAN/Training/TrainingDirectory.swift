import Foundation
import Reports
import TensorCore

/// A training run on disk, as in the EDM code: `options.json`, `stats.jsonl`, `fakes-<kimg>.png`,
/// `snapshot-<kimg>.safetensors` and `state.safetensors`, from which the run continues.
///
/// The state is replaced whole at every tick, after its row of statistics was written; rows beyond the
/// state are dropped. A run killed at any moment continues from its last tick; one that was asked to stop continues where
/// it is, with what it has of its tick in `tick.json`.
public final class TrainingDirectory {
  public let path: String
  /// Whether the run had begun before.
  public let isResumed: Bool

  public var statePath: String { path + "/state.safetensors" }
  private var statsPath: String { path + "/stats.jsonl" }
  /// Of `options.json`; holds the lock. -1 where another process writes the run.
  private let descriptor: Int32

  /// Opens the run with these options: the one at `path`, or the newest one below `root`, or a new one.
  ///
  /// - Parameters:
  ///   - name: data, network and method; a number goes before it.
  ///   - options: everything that decides the run's numbers.
  public init(
    root: String, name: String, options: JSONValue, path chosen: String? = nil,
    whileBusy: (() throws -> Void)? = nil
  ) throws {
    let wanted = try JSONValue(parsing: Data(options.text.utf8), place: "options")
    func holds(_ folder: String) -> Bool {
      (try? JSONValue(contentsOf: folder + "/options.json")) == wanted
    }
    if let chosen {
      path = chosen
      let file = chosen + "/options.json"
      isResumed = FileManager.default.fileExists(atPath: file)
      if !isResumed { try Self.requireEmpty(chosen) }
      if isResumed,
        let difference = RunIdentity.difference(
          ours: wanted, theirs: try JSONValue(contentsOf: file))
      {
        throw UserError(
          "the folder holds another run: \(difference)", at: chosen,
          remedy: difference.hasPrefix("total ")
            ? "its learning rate is planned for that length: for another begin anew with another --out"
            : "choose another folder with --out, or the same options and data")
      }
    } else {
      try Files.makeFolder(root)
      let entries = ((try? FileManager.default.contentsOfDirectory(atPath: root)) ?? []).sorted()
      if let found = entries.last(where: { $0.hasSuffix("-\(name)") && holds("\(root)/\($0)") }) {
        path = "\(root)/\(found)"
        isResumed = true
      } else if whileBusy != nil {
        // Not by a number, so that processes which begin at once choose the same folder.
        path = "\(root)/by-options-\(SHA256.hash(of: Data(options.text.utf8)).prefix(12))-\(name)"
        isResumed = false
      } else {
        let next = (entries.compactMap { Int($0.prefix { $0 != "-" }) }.max() ?? -1) + 1
        path = try Self.newFolder(root, name, number: next)
        isResumed = false
      }
    }
    let optionsPath = path + "/options.json"
    if !isResumed {
      try Files.makeFolder(path)
      _ = try Files.create(Data(options.prettyText.utf8), at: optionsPath)
    }
    descriptor = Glibc.open(optionsPath, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw Files.systemError("cannot be read", at: optionsPath) }
    while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
      do {
        guard errno == EWOULDBLOCK, let whileBusy else {
          throw UserError(
            "another process is training this run", at: path, remedy: "wait for it or stop it")
        }
        try whileBusy()
      } catch {
        close(descriptor)
        throw error
      }
    }
    Files.removeAbandoned(in: path)
  }

  /// A run that another process has opened and writes.
  public init(reading path: String) {
    self.path = path
    isResumed = FileManager.default.fileExists(atPath: path + "/state.safetensors")
    descriptor = -1
  }

  deinit { if descriptor >= 0 { close(descriptor) } }

  /// A folder for a new run holds nothing, or what a run killed before its options left behind.
  private static func requireEmpty(_ path: String) throws {
    let entries = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
    guard let other = entries.sorted().first(where: { !$0.hasPrefix("options.json.") }) else {
      return
    }
    throw UserError(
      "the folder holds other files (\(other)) and no options.json", at: path,
      remedy: "choose an empty folder with --out")
  }

  /// Makes the folder `root/NUMBER-name` with the first number from `first` that is free; two runs that
  /// begin at once get one each.
  private static func newFolder(_ root: String, _ name: String, number first: Int) throws -> String
  {
    for number in first... {
      let path = "\(root)/" + String(format: "%05d", number) + "-\(name)"
      if mkdir(path, 0o777) == 0 {
        try Files.syncFolder(root)
        return path
      }
      guard errno == EEXIST else { throw Files.systemError("cannot be made", at: path) }
    }
    return root
  }

  /// Whether a state is there to continue from.
  public var hasState: Bool { FileManager.default.fileExists(atPath: statePath) }

  /// Path of a file made after `seen` samples, such as `fakes-000012.png`: by thousands, of which each has one file.
  public func file(_ kind: String, seen: Int, _ suffix: String) -> String {
    "\(path)/\(kind)-" + String(format: "%06d", seen / 1000) + ".\(suffix)"
  }

  /// The snapshot of the most samples.
  public var newestSnapshot: String { snapshots.last ?? path }

  /// The first snapshot of `seen` samples or more, which a batch may have led beyond.
  public func snapshot(of seen: Int) -> String {
    let least = file("snapshot", seen: seen, "safetensors")
    return snapshots.first { $0 >= least } ?? least
  }

  private var snapshots: [String] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
    return names.filter { $0.hasPrefix("snapshot-") }.sorted().map { "\(path)/\($0)" }
  }

  /// Drops rows of statistics that lie after `seen` samples: the state that they tell of was never
  /// written.
  public func truncateStatistics(after seen: Int) throws {
    guard FileManager.default.fileExists(atPath: statsPath) else { return }
    let kept = try Files.read(statsPath).split(separator: 0x0A).filter { line in
      guard let row = try? JSONValue(parsing: Data(line), place: statsPath),
        case .integer(let images) = row["images"]
      else { return false }
      return images <= seen
    }
    var data = Data()
    for line in kept { data.append(contentsOf: line + [0x0A]) }
    try Files.write(data, to: statsPath)
  }

  private var tickPath: String { path + "/tick.json" }

  /// Keeps the part of a tick that goes with the state at `seen` samples. It is written before that state.
  public func keep(_ tick: UnfinishedTick, at seen: Int) throws {
    let text: JSONValue = [
      "images": .integer(seen), "start": .integer(tick.start), "means": tick.means.json,
    ]
    try Files.write(Data((text.text + "\n").utf8), to: tickPath)
  }

  /// The part of a tick that the state at `seen` samples has behind it; nil where that is the end of one.
  public func unfinishedTick(at seen: Int) throws -> UnfinishedTick? {
    guard FileManager.default.fileExists(atPath: tickPath) else { return nil }
    let keys = try JSONReader(contentsOf: tickPath).object(required: ["images", "start", "means"])
    guard let images = keys["images"], let start = keys["start"], let means = keys["means"],
      try images.integer() == seen
    else { return nil }
    return UnfinishedTick(start: try start.integer(in: 0...seen), means: try TickMeans(means))
  }

  public func forgetTick() { try? FileManager.default.removeItem(atPath: tickPath) }

  public func append(_ row: JSONValue) throws {
    let descriptor = Glibc.open(statsPath, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw Files.systemError("cannot be written", at: statsPath) }
    defer { close(descriptor) }
    try Files.append(Data((row.text + "\n").utf8), to: descriptor, path: statsPath)
    try Files.sync(descriptor, path: statsPath)
  }
}
