import Foundation

/// Where models live, and what of one is there.
public struct ModelStore: Sendable {
  /// What of a model is in the store.
  public enum State: Sendable, Equatable {
    case absent
    /// Some whole parts of a fetch that was stopped.
    case parts(Int)
    case here
    /// A file of this many bytes, which are not the model's.
    case otherSize(Int)
  }

  /// Folder that models live in.
  public let folder: String
  public let environment: [String: String]

  /// - Parameter environment: `ICL_PROBE_MODELS` names the folder; else it is
  ///   `icl-probe/models` in `XDG_CACHE_HOME` or `~/.cache`.
  public init(environment: [String: String] = ProcessInfo.processInfo.environment) {
    self.environment = environment
    if let folder = environment["ICL_PROBE_MODELS"], !folder.isEmpty {
      self.folder = folder
    } else {
      let home = environment["HOME"] ?? NSHomeDirectory()
      let cache = environment["XDG_CACHE_HOME"].flatMap { $0.isEmpty ? nil : $0 }
      self.folder = (cache ?? home + "/.cache") + "/icl-probe/models"
    }
  }

  /// Digests of model files, wherever these lie.
  public var digests: DigestCache { DigestCache(path: folder + "/digests.jsonl") }

  public func path(of entry: CatalogueEntry) -> String { folder + "/" + entry.file }

  public func isFetched(_ entry: CatalogueEntry) -> Bool {
    FileManager.default.fileExists(atPath: path(of: entry))
  }

  public func state(of entry: CatalogueEntry) -> State {
    if let size = Self.size(of: path(of: entry)) {
      return size == entry.bytes ? .here : .otherSize(size)
    }
    let found = Self.size(of: partial(of: entry)) ?? 0
    let parts = entry.wholeParts(of: found).count
    return parts > 0 ? .parts(parts) : .absent
  }

  /// Names of all GGUF files in the folder, sorted.
  public func otherFiles() -> [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [])
      .filter { $0.hasSuffix(".gguf") }.sorted()
  }

  /// Where a fetch keeps what it has.
  func scratch(of entry: CatalogueEntry) -> String { "\(folder)/.fetch-\(entry.name)" }
  func partial(of entry: CatalogueEntry) -> String { scratch(of: entry) + "/model" }

  private static func size(of path: String) -> Int? {
    var information = stat()
    return stat(path, &information) == 0 ? Int(information.st_size) : nil
  }
}

extension CatalogueEntry {
  /// The parts that a file's first `count` bytes hold whole, with the byte that each begins at.
  func wholeParts(of count: Int) -> [(part: Part, start: Int)] {
    var start = 0
    var whole: [(Part, Int)] = []
    for part in parts {
      guard start + part.bytes <= count else { break }
      whole.append((part, start))
      start += part.bytes
    }
    return whole
  }
}
