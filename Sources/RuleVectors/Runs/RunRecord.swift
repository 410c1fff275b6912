import Foundation
import Reports
import TensorCore

/// A run's folder, read.
public struct RunRecord: Sendable {
  public let path: String
  public let manifest: JSONValue
  /// Name of the task or of the file of pairs.
  public let task: String
  public let model: String
  /// Names of the task's template, label set and language; nil for runs that do not say it.
  public let format: String?
  /// Demonstrations of an episode.
  public let demonstrations: Int
  public let probes: [Probe]
  /// Rows of whole units.
  public let rows: [StoredRow]
  public let examples: [ExamplePrompt]
  /// Whether all rows are there, as they were written.
  public let isFinished: Bool
  /// Whether the episodes are of development items.
  public var isPilot: Bool { manifest["identity"]["split"] == .string(Split.pilot.rawValue) }
  /// Why the run must not be trusted, if it must not.
  public var failure: String? {
    if case .string(let text) = manifest["failed"] { text } else { nil }
  }

  public static let rowsFile = "rows.jsonl"

  /// - Throws: `UserError` where the folder is no run, or holds rows that cannot be read.
  public init(_ path: String) throws {
    self.path = path
    let reading = try RunDirectory.read(path: path, rowsFile: Self.rowsFile)
    if case .damaged(let error) = reading.condition { throw error }
    let manifestPath = path + "/manifest.json"
    manifest = reading.manifest
    isFinished = reading.isFinished
    let identity = manifest["identity"]
    func reader(_ key: String, of value: JSONValue, _ place: String) -> JSONReader {
      JSONReader(value[key], place: "\(manifestPath), \(place)\(key)")
    }
    task = try reader("task", of: identity, "identity.").string()
    demonstrations = try reader("shots", of: identity, "identity.").integer(in: 0...1_000_000)
    format =
      identity["format"] == .null ? nil : try reader("format", of: identity, "identity.").string()
    model = try reader("model_name", of: manifest, "").string()
    probes = try reader("probes", of: manifest, "").list().map {
      try Probe(definition: $0.value, place: $0.place)
    }
    var rows: [StoredRow] = []
    try reading.forEachRow { rows.append(try StoredRow($0)) }
    self.rows = rows.wholeUnits.rows
    let examples = path + "/examples.json"
    self.examples =
      FileManager.default.fileExists(atPath: examples)
      ? try JSONReader(contentsOf: examples).list().map { try ExamplePrompt($0) } : []
  }
}
