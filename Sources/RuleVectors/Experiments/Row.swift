import TensorCore

/// What one line of a run's rows says, in the words of its experiment: flat columns, so that pandas
/// and R read the file as it is.
public protocol ResultRow: Sendable {
  /// - Throws: `UserError` where a column that this version needs is missing or of another kind.
  init(_ columns: Columns) throws
  var columns: [(key: String, value: JSONValue)] { get }
  /// The row's own episode, where its unit holds several.
  var ownEpisode: Int? { get }
}

extension ResultRow {
  public var ownEpisode: Int? { nil }
}

/// A row's columns by name. Columns that nobody asks for are left alone, so that a file with a new
/// column stays readable.
public struct Columns: Sendable {
  let place: String
  private let values: [String: JSONValue]

  init(_ reader: JSONReader) throws {
    place = reader.place
    guard case .object(let pairs) = reader.value else {
      throw UserError("found \(reader.value.kind) where a row belongs", at: reader.place)
    }
    values = Dictionary(pairs.map { ($0.key, $0.value) }, uniquingKeysWith: { first, _ in first })
  }

  /// - Precondition: names differ.
  init(_ pairs: [(key: String, value: JSONValue)], place: String) {
    self.place = place
    values = Dictionary(pairs.map { ($0.key, $0.value) }, uniquingKeysWith: { first, _ in first })
  }

  /// Nil where the column is missing or null.
  private func reader(_ name: String) -> JSONReader? {
    guard let value = values[name], value != .null else { return nil }
    return JSONReader(value, place: "\(place), \(name)")
  }

  private func required(_ name: String) throws -> JSONReader {
    guard let reader = reader(name) else {
      throw UserError(
        "the column \"\(name)\" is missing", at: place,
        remedy: "the row is of another version; run the same command with --again")
    }
    return reader
  }

  public func text(_ name: String) throws -> String { try required(name).string() }
  public func textIfThere(_ name: String) throws -> String? { try reader(name)?.string() }
  public func integer(_ name: String) throws -> Int { try required(name).integer() }
  public func integerIfThere(_ name: String) throws -> Int? { try reader(name)?.integer() }
  public func number(_ name: String) throws -> Double { try required(name).number() }
  public func numberIfThere(_ name: String) throws -> Double? { try reader(name)?.number() }
  public func bool(_ name: String) throws -> Bool { try required(name).bool() }
  public func boolIfThere(_ name: String) throws -> Bool? { try reader(name)?.bool() }

  public func word<Word: RawRepresentable & CaseIterable>(_ name: String) throws -> Word
  where Word.RawValue == String {
    let value = try required(name)
    guard let word = Word(rawValue: try value.choice(of: Word.allCases.map(\.rawValue))) else {
      throw UserError("the value is not known", at: value.place)
    }
    return word
  }

  /// Numbers separated by spaces; empty for an empty text.
  public func integers(_ name: String) throws -> [Int] {
    let value = try required(name)
    return try value.string().split(separator: " ").map { part in
      guard let number = Int(part) else {
        throw UserError("found \"\(part)\" where a whole number belongs", at: value.place)
      }
      return number
    }
  }
}

extension JSONValue {
  /// Numbers as one flat value: `"0 3 7"`.
  static func flat(_ numbers: [Int]) -> JSONValue {
    .string(numbers.map(String.init).joined(separator: " "))
  }
}

/// A row as it lies in the file: the envelope that all experiments share, and its columns.
public struct StoredRow: Sendable {
  /// Version of the envelope.
  static let format = 1

  public let key: UnitKey
  public let experiment: String
  public let version: Int
  /// Name of the model.
  public let model: String
  /// The row's own episode; a unit may hold several.
  public let episode: Int
  /// Rows of the unit: it is whole when as many are there.
  public let unitRows: Int
  public let columns: Columns
  /// The line's value.
  public let json: JSONValue

  init(_ row: any ResultRow, of unit: Unit, model: String, unitRows: Int) {
    key = unit.key
    experiment = unit.experiment
    version = unit.version
    self.model = model
    episode = row.ownEpisode ?? unit.key.episode
    self.unitRows = unitRows
    let own = row.columns
    columns = Columns(own, place: unit.key.description)
    var pairs: [(key: String, value: JSONValue)] = [
      ("format", .integer(Self.format)), ("experiment", .string(unit.experiment)),
      ("version", .integer(unit.version)), ("probe", .string(key.probe)),
      ("task", .string(key.task)), ("model", .string(model)),
      ("split", .string(key.split.rawValue)), ("episode", .integer(episode)),
      ("unit", .string(key.description)), ("unit_episode", .integer(key.episode)),
      ("unit_part", key.part.map(JSONValue.string) ?? .null), ("unit_rows", .integer(unitRows)),
    ]
    pairs += own.filter { $0.key != "episode" }
    json = .object(pairs)
  }

  /// - Throws: `UserError` for a row of another format.
  public init(_ reader: JSONReader) throws {
    json = reader.value
    columns = try Columns(reader)
    let format = try columns.integer("format")
    guard format == Self.format else {
      throw UserError(
        "the row has format \(format), readable is \(Self.format)", at: reader.place,
        remedy: "read the run with the version of icl-probe that wrote it")
    }
    experiment = try columns.text("experiment")
    version = try columns.integer("version")
    model = try columns.text("model")
    episode = try columns.integer("episode")
    unitRows = try columns.integer("unit_rows")
    key = UnitKey(
      probe: try columns.text("probe"), task: try columns.text("task"),
      split: try columns.word("split"), episode: try columns.integer("unit_episode"),
      part: try columns.textIfThere("unit_part"))
  }
}

/// A row with the address of its unit.
public struct Record<Row: ResultRow>: Sendable {
  public let key: UnitKey
  public let episode: Int
  public let row: Row

  init(_ stored: StoredRow) throws {
    key = stored.key
    episode = stored.episode
    row = try Row(stored.columns)
  }
}
