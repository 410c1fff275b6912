import TensorCore

/// The keys of a `config.json` or `tokenizer.json`, of which there are always more than concern us;
/// null counts as missing.
struct HuggingFaceConfig {
  /// File and, inside an object, its key.
  let place: String
  /// What is there, by key.
  let entries: [String: JSONReader]
  /// Keys that are there but null.
  private let nulls: Set<String>
  /// Keys that the family has a default for, whether they are there or not.
  private let known: Set<String>

  init(_ reader: JSONReader) throws {
    place = reader.place
    let pairs = try reader.entries()
    known = []
    nulls = Set(pairs.filter { $0.1.value == .null }.map(\.0))
    self.entries = Dictionary(
      pairs.filter { $0.1.value != .null }, uniquingKeysWith: { first, _ in first })
  }

  init(contentsOf path: String) throws { try self.init(JSONReader(contentsOf: path)) }

  private init(
    place: String, entries: [String: JSONReader], nulls: Set<String>, known: Set<String>
  ) {
    self.place = place
    self.entries = entries
    self.nulls = nulls
    self.known = known
  }

  /// With numbers for keys that are missing; one that is there as null stays so.
  func filled(with defaults: [String: Double]) -> HuggingFaceConfig {
    var entries = entries
    for (key, value) in defaults where entries[key] == nil && !nulls.contains(key) {
      let number = Int(exactly: value).map { JSONValue.integer($0) } ?? .number(value)
      entries[key] = JSONReader(number, place: "\(place), \(key)")
    }
    return HuggingFaceConfig(
      place: place, entries: entries, nulls: nulls, known: Set(defaults.keys))
  }

  /// Whether the family has a default for the key.
  func isKnown(_ key: String) -> Bool { known.contains(key) }

  func isNull(_ key: String) -> Bool { nulls.contains(key) }

  func wrongCount(_ key: String, _ count: Int, layers: Int) -> UserError {
    UserError(
      "\(key) has \(count) entries for \(layers) layers", at: place,
      remedy: "get the model's own config.json")
  }

  func has(_ key: String) -> Bool { entries[key] != nil }

  func missing(_ key: String, or other: String? = nil) -> UserError {
    let names = other.map { "\"\(key)\" (or \"\($0)\")" } ?? "\"\(key)\""
    return UserError(
      "the key \(names) is missing", at: place, remedy: "get the model's own config.json")
  }

  /// An error about a setting that the forward pass does not know.
  func unsupported(_ key: String, _ value: String, known: String) -> UserError {
    UserError(
      "\(key) is \(value), which is not supported", at: place,
      remedy: "use a model with one of these: \(known)")
  }

  func bool(_ key: String) throws -> Bool? { try entries[key]?.bool() }
  func text(_ key: String) throws -> String? { try entries[key]?.string() }
  func texts(_ key: String) throws -> [String]? {
    try entries[key]?.list().map { try $0.string() }
  }
  func list(_ key: String) throws -> [JSONReader] {
    guard let reader = entries[key] else { throw missing(key) }
    return try reader.list()
  }
  func object(_ key: String) throws -> HuggingFaceConfig? {
    try entries[key].map { try HuggingFaceConfig($0) }
  }
  func numberIfThere(_ key: String) throws -> Double? { try entries[key]?.number() }

  func number(_ key: String) throws -> Double {
    guard let reader = entries[key] else { throw missing(key) }
    return try reader.number()
  }

  /// A positive whole number.
  func size(_ key: String) throws -> Int { try size(of: [key]) }

  func sizeIfThere(_ key: String) throws -> Int? { has(key) ? try size(key) : nil }

  /// A whole number that may be 0.
  func count(_ key: String) throws -> Int {
    guard let reader = entries[key] else { throw missing(key) }
    return try reader.integer(in: 0...Architecture.largestSize)
  }
}
