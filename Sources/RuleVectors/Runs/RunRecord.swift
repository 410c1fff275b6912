import Foundation
import TensorCore

/// A run's folder, read.
public struct RunRecord: Sendable {
  public let path: String
  public let manifest: JSONValue
  /// Name of the task or of the file of pairs.
  public let task: String
  public let model: String
  /// Demonstrations of an episode.
  public let demonstrations: Int
  public let probes: [Probe]
  /// Rows of whole units.
  public let rows: [StoredRow]
  public let examples: [ExamplePrompt]
  /// Whether the task's two answers make a coin toss its chance.
  public var isFinished: Bool { manifest["finished"] != .null }
  /// Why the run must not be trusted, if it must not.
  public var failure: String? {
    if case .string(let text) = manifest["failed"] { text } else { nil }
  }

  public static let rowsFile = "rows.jsonl"

  /// - Throws: `UserError` where the folder is no run, or holds rows that cannot be read.
  public init(_ path: String) throws {
    self.path = path
    let manifestPath = path + "/manifest.json"
    guard FileManager.default.fileExists(atPath: manifestPath) else {
      throw UserError(
        "the folder holds no run: it has no manifest.json", at: path,
        remedy: "name a folder that icl-probe patch or eval wrote")
    }
    manifest = try JSONValue(contentsOf: manifestPath)
    let identity = manifest["identity"]
    func reader(_ key: String, of value: JSONValue, _ place: String) -> JSONReader {
      JSONReader(value[key], place: "\(manifestPath), \(place)\(key)")
    }
    task = try reader("task", of: identity, "identity.").string()
    demonstrations = try reader("shots", of: identity, "identity.").integer(in: 0...1_000_000)
    model = try reader("model_name", of: manifest, "").string()
    probes = try reader("probes", of: manifest, "").list().map {
      try Probe(definition: $0.value, place: $0.place)
    }
    rows = try Self.lines("\(path)/\(Self.rowsFile)").map { try StoredRow($0) }.wholeUnits.rows
    let examples = path + "/examples.json"
    self.examples =
      FileManager.default.fileExists(atPath: examples)
      ? try JSONReader(contentsOf: examples).list().map { try ExamplePrompt($0) } : []
  }

  /// The whole lines of a file of rows.
  private static func lines(_ path: String) throws -> [JSONReader] {
    let data = try Files.read(path)
    let whole = data.lastIndex(of: 0x0A).map { $0 + 1 } ?? 0
    return try data.prefix(whole).split(separator: 0x0A).enumerated().map { index, line in
      let place = "\(path):\(index + 1)"
      return JSONReader(try JSONValue(parsing: Data(line), place: place), place: place)
    }
  }
}
