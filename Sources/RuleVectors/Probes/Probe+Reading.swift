import TensorCore

extension Probe {
  private static let common = ["name", "title", "question", "experiment"]

  /// - Throws: `UserError` with the key, what was found and what is allowed.
  init(_ reader: JSONReader, digest: String) throws {
    let kinds = ["layer-sweep", "global-vector", "aggregation"]
    guard let kindReader = try reader.entries().first(where: { $0.0 == "experiment" })?.1 else {
      throw UserError(
        "the key \"experiment\" is missing", at: reader.place,
        remedy: "add it with one of \(kinds.joined(separator: ", "))")
    }
    let kind = try kindReader.choice(of: kinds)
    let keys: [String: JSONReader]
    switch kind {
    case "layer-sweep":
      keys = try reader.object(
        required: Self.common + ["donor", "positions"], optional: ["layers"])
      experiment = .layerSweep(
        donor: try Self.word(keys, "donor"), positions: try Self.words(keys, "positions"),
        layers: try Self.layers(keys["layers"]))
    case "global-vector":
      keys = try reader.object(
        required: Self.common + ["donors", "recipients"],
        optional: ["layers", "controls", "development"])
      experiment = .globalVector(
        donors: try Self.count(keys, "donors", 1...1000) ?? 8,
        recipients: try Self.words(keys, "recipients"), layers: try Self.layers(keys["layers"]),
        controls: try keys["controls"]?.list().map { try $0.string() } ?? [],
        development: try Self.count(keys, "development", 1...1000) ?? 8)
    default:
      keys = try reader.object(
        required: Self.common + ["donor", "layer", "subsets"], optional: ["directions"])
      experiment = .aggregation(
        donor: try Self.word(keys, "donor"), layer: try Self.layerChoice(keys),
        subsets: try Self.count(keys, "subsets", 1...1000) ?? 1,
        directions: keys["directions"] == nil
          ? Direction.allCases : try Self.words(keys, "directions"))
    }
    name = try keys["name"]?.string() ?? ""
    title = try keys["title"]?.string() ?? ""
    question = try keys["question"]?.string() ?? ""
    place = reader.place
    self.digest = digest
  }

  private static func word<Word: RawRepresentable & CaseIterable>(
    _ reader: JSONReader
  ) throws -> Word where Word.RawValue == String {
    let allowed = Word.allCases.map(\.rawValue)
    let raw = try reader.choice(of: allowed)
    guard let word = Word(rawValue: raw) else {
      throw UserError("\"\(raw)\" is not known", at: reader.place)
    }
    return word
  }

  private static func word<Word: RawRepresentable & CaseIterable>(
    _ keys: [String: JSONReader], _ key: String
  ) throws -> Word where Word.RawValue == String {
    guard let reader = keys[key] else { throw UserError("the key \"\(key)\" is missing") }
    return try word(reader)
  }

  private static func words<Word: RawRepresentable & CaseIterable & Equatable>(
    _ keys: [String: JSONReader], _ key: String
  ) throws -> [Word] where Word.RawValue == String {
    guard let reader = keys[key] else { throw UserError("the key \"\(key)\" is missing") }
    let words: [Word] = try reader.list().map { try word($0) }
    guard !words.isEmpty else {
      throw UserError("the list is empty", at: reader.place, remedy: "name at least one")
    }
    for (index, word) in words.enumerated() where words[..<index].contains(word) {
      throw UserError(
        "\"\(word.rawValue)\" is named twice", at: reader.place, remedy: "name each once")
    }
    return words
  }

  private static func count(
    _ keys: [String: JSONReader], _ key: String, _ range: ClosedRange<Int>
  ) throws -> Int? {
    try keys[key]?.integer(in: range)
  }

  private static func layers(_ reader: JSONReader?) throws -> Layers {
    guard let reader else { return .all }
    if case .string = reader.value {
      _ = try reader.choice(of: ["all"])
      return .all
    }
    let list = try reader.list().map { try $0.integer(in: 0...10_000) }
    guard !list.isEmpty, Set(list).count == list.count else {
      throw UserError(
        "the list of layers is empty or names one twice", at: reader.place,
        remedy: "name each layer once, or write \"all\"")
    }
    return .some(list.sorted())
  }

  private static func layerChoice(_ keys: [String: JSONReader]) throws -> LayerChoice {
    guard let reader = keys["layer"] else { throw UserError("the key \"layer\" is missing") }
    if case .integer = reader.value { return .fixed(try reader.integer(in: 0...10_000)) }
    let choice = try reader.object(required: ["donor", "positions", "episodes"])
    return .development(
      donor: try word(choice, "donor"), positions: try word(choice, "positions"),
      episodes: try count(choice, "episodes", 1...1000) ?? 8)
  }
}
