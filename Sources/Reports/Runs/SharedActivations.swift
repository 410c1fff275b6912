import Foundation
import TensorCore

/// Activations of many prompts that several shares have recorded: a run's folder whose rows tell of units, with a file
/// of arrays for each unit in its `ActivationStore`, and the record's index.
public enum SharedActivations {
  /// What the identity of such a run says under `kind`.
  public static let kind = "record"
  /// Where a manifest says what the header of the whole file holds beside the arrays.
  public static let metadataKey = "file_metadata"
  private static let ending = ".shares"
  /// The file of rows, each of which tells of a unit.
  public static let rowsFile = "rows.jsonl"

  /// The shares' folder of a record: `NAME.shares` beside `NAME.safetensors`.
  public static func folder(of out: String) -> String { stem(out) + ending }

  /// The index of the whole record, which every share writes alike.
  public static func indexPath(in folder: String) -> String { folder + "/index.json" }

  public static func key(of unit: Int) -> String { String(format: "unit-%06d", unit) }

  /// Whether the folder holds shares of a record.
  public static func isRecord(_ folder: String) -> Bool {
    (try? SavedManifest(folder: folder))?.identity["kind"] == .string(kind)
  }

  /// What a row of the run tells of a unit.
  public struct Unit: Sendable {
    public let key: String
    let rows: Int
    let digest: String

    /// - Parameter path: the unit's file.
    public init(key: String, rows: Int, path: String) throws {
      (self.key, self.rows) = (key, rows)
      // Where two shares have computed a unit, merging compares what they came to.
      digest = try SHA256.hash(ofFile: path)
    }

    public init(_ reader: JSONReader) throws {
      let fields = try reader.object(required: ["unit", "rows", "sha256"])
      func field(_ name: String) -> JSONReader { fields[name] ?? reader }
      key = try field("unit").string()
      rows = try field("rows").integer(in: 0...1_000_000_000)
      digest = try field("sha256").string()
    }

    public var json: JSONValue {
      ["unit": .string(key), "rows": .integer(rows), "sha256": .string(digest)]
    }
  }

  /// A whole record, as it lies on the disk.
  public struct Record: Sendable {
    public let file: String
    public let index: String
    public let rows: Int
    /// Shapes by hook point.
    public let hooks: JSONValue

    public init(file: String, index: String, rows: Int, hooks: JSONValue) {
      (self.file, self.index, self.rows, self.hooks) = (file, index, rows, hooks)
    }

    /// For scripts.
    public var json: JSONValue {
      [
        "file": .string(file), "index": .string(index), "rows": .integer(rows), "hooks": hooks,
      ]
    }
  }

  /// Puts the shares in a folder together: the file and the index that one process would have written.
  ///
  /// - Throws: `UserError` naming the shares that are missing, or a unit's file that is not what it was.
  public static func merge(_ folder: String) throws -> Record {
    let folder = folder.count > 1 && folder.hasSuffix("/") ? String(folder.dropLast()) : folder
    try RunShards(folder, rowsFile: rowsFile)?.merge(unit: { try Unit($0).key }) { _ in [] }
    let run = try RunReading(folder, rowsFile: rowsFile)
    guard run.isFinished else {
      if case .damaged(let error) = run.condition { throw error }
      throw UserError(
        "the record is not finished", at: folder, remedy: "compute its shares with --shard")
    }
    let index = try JSONValue(contentsOf: indexPath(in: folder))
    let hooks = try JSONReader(index["hooks"], place: "\(indexPath(in: folder)), hooks").entries()
      .map { name, shape in
        (name: name, shape: try shape.list().map { try $0.integer(in: 0...Int.max) })
      }
    let metadata = try JSONReader(
      run.manifest[metadataKey], place: "\(folder)/manifest.json, \(metadataKey)"
    ).entries().map { ($0, try $1.string()) }
    let store = ActivationStore(run: folder)
    func arrays(_ unit: Unit) throws -> SafetensorsFile {
      let shapes = hooks.map { ($0.name, [unit.rows] + $0.shape.dropFirst()) }
      return try store.tensors(for: unit.key, shapes: Dictionary(uniqueKeysWithValues: shapes))
    }
    // Before anything is written: the sizes of the whole are those of files that are there.
    let units = try run.rows.map { try Unit($0) }
    for unit in units { _ = try arrays(unit) }
    let rows = units.reduce(0) { $0 + $1.rows }
    guard hooks.allSatisfy({ $0.shape.first == rows }) else {
      throw UserError(
        "tells of other rows than the \(rows) that are there", at: indexPath(in: folder),
        remedy: "record the shares in another folder with --out")
    }
    let out = folder.hasSuffix(ending) ? String(folder.dropLast(ending.count)) : folder
    let file = try SafetensorsStream(
      hooks, metadata: Dictionary(uniqueKeysWithValues: metadata), to: out + ".safetensors")
    var row = 0
    for unit in units {
      let arrays = try arrays(unit)
      guard try SHA256.hash(ofFile: arrays.path) == unit.digest else {
        throw UserError(
          "is not what was recorded", at: arrays.path,
          remedy:
            "compute it anew with: \(ShellWord.line(["rm", arrays.path])), and run its share again")
      }
      for (name, _) in hooks { try file.write(try arrays.floats(name), of: name, at: row) }
      row += unit.rows
    }
    try file.finish()
    try Files.write(try Files.read(indexPath(in: folder)), to: out + ".json")
    return Record(
      file: out + ".safetensors", index: out + ".json", rows: row, hooks: index["hooks"])
  }

  private static func stem(_ out: String) -> String {
    out.hasSuffix(".safetensors") ? String(out.dropLast(".safetensors".count)) : out
  }
}
