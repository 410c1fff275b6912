import Synchronization
import TensorCore

/// The keys of a probe file as an experiment reads them: what is asked for is allowed, and what is
/// there but never asked for is an error.
public final class ProbeKeys: Sendable {
  let place: String
  private let readers: [String: JSONReader]
  private let asked: Mutex<[String]>

  init(_ reader: JSONReader) throws {
    place = reader.place
    readers = Dictionary(try reader.entries(), uniquingKeysWith: { first, _ in first })
    asked = Mutex([])
  }

  /// Nil where the key is missing.
  func reader(_ key: String) -> JSONReader? {
    asked.withLock { if !$0.contains(key) { $0.append(key) } }
    return readers[key]
  }

  func required(_ key: String) throws -> JSONReader {
    guard let reader = reader(key) else {
      throw UserError("the key \"\(key)\" is missing", at: place, remedy: "add it")
    }
    return reader
  }

  func has(_ key: String) -> Bool { reader(key) != nil }

  static func unknownKind(_ kind: String) -> UserError {
    UserError(
      "no experiment is called \"\(kind)\"",
      remedy: "known are: \(ExperimentRegistry.names.joined(separator: ", "))")
  }

  /// - Throws: `UserError` for a key that nobody asked for.
  func refuseUnread() throws {
    let allowed = asked.withLock { $0 }
    for key in readers.keys.sorted() where !allowed.contains(key) {
      throw UserError(
        "unknown key \"\(key)\"; allowed are \(allowed.joined(separator: ", "))", at: place,
        remedy: "remove or rename the key")
    }
  }
}

/// What experiments ask for.
extension ProbeKeys {
  func text(_ key: String) throws -> String { try required(key).string() }

  func integer(_ key: String, _ range: ClosedRange<Int>, or preset: Int) throws -> Int {
    try reader(key)?.integer(in: range) ?? preset
  }

  func number(_ key: String, _ range: ClosedRange<Double>, or preset: Double) throws -> Double {
    guard let reader = reader(key) else { return preset }
    let value = try reader.number()
    guard range.contains(value) else {
      throw UserError(
        "found \(value), allowed is \(range.lowerBound) to \(range.upperBound)", at: reader.place,
        remedy: "mend the value")
    }
    return value
  }

  func texts(_ key: String) throws -> [String] {
    let texts = try reader(key)?.list().map { try $0.string() } ?? []
    var seen: Set<String> = []
    for text in texts where !seen.insert(text).inserted {
      throw UserError(
        "\"\(text)\" is named twice", at: "\(place), \(key)", remedy: "name each once")
    }
    return texts
  }

  func word<Word: RawRepresentable & CaseIterable>(_ key: String) throws -> Word
  where Word.RawValue == String {
    try Self.word(required(key))
  }

  func word<Word: RawRepresentable & CaseIterable>(_ key: String, or preset: Word) throws -> Word
  where Word.RawValue == String {
    try reader(key).map { try Self.word($0) } ?? preset
  }

  /// One or more different words.
  func words<Word: RawRepresentable & CaseIterable & Equatable>(
    _ key: String, or preset: [Word]? = nil
  ) throws -> [Word] where Word.RawValue == String {
    if let preset, !has(key) { return preset }
    let reader = try required(key)
    let words: [Word] = try reader.list().map { try Self.word($0) }
    guard !words.isEmpty else {
      throw UserError("the list is empty", at: reader.place, remedy: "name at least one")
    }
    for (index, word) in words.enumerated() where words[..<index].contains(word) {
      throw UserError(
        "\"\(word.rawValue)\" is named twice", at: reader.place, remedy: "name each once")
    }
    return words
  }

  static func word<Word: RawRepresentable & CaseIterable>(_ reader: JSONReader) throws -> Word
  where Word.RawValue == String {
    let raw = try reader.choice(of: Word.allCases.map(\.rawValue))
    guard let word = Word(rawValue: raw) else {
      throw UserError("\"\(raw)\" is not known", at: reader.place)
    }
    return word
  }

  func layers(_ key: String = "layers") throws -> LayerList {
    try LayerList(reader(key))
  }
}

/// Which layers a sweep visits.
public enum LayerList: Sendable, Equatable {
  case all
  /// Layer 0 and every so many after it.
  case every(Int)
  /// So many from the first to the last, evenly spread; all of a model that has no more.
  case count(Int)
  case some([Int])

  /// `"all"`, a list, `{"every": 3}` or `{"count": 10}`; all where the key is missing.
  init(_ reader: JSONReader?) throws {
    guard let reader else {
      self = .all
      return
    }
    switch reader.value {
    case .string:
      _ = try reader.choice(of: ["all"])
      self = .all
    case .object:
      let keys = try reader.object(required: [], optional: ["every", "count"])
      switch (keys["every"], keys["count"]) {
      case (let step?, nil): self = .every(try step.integer(in: 1...10_000))
      case (nil, let count?): self = .count(try count.integer(in: 2...10_000))
      default:
        throw UserError(
          "found \(reader.value.text), allowed is \"every\" or \"count\"", at: reader.place,
          remedy: "write {\"every\": 3} or {\"count\": 10}")
      }
    default:
      let list = try reader.list().map { try $0.integer(in: 0...10_000) }
      guard !list.isEmpty, Set(list).count == list.count else {
        throw UserError(
          "the list of layers is empty or names one twice", at: reader.place,
          remedy: "name each layer once, or write \"all\"")
      }
      self = .some(list.sorted())
    }
  }

  /// The layers of a model with `count` of them.
  ///
  /// - Throws: `UserError` for a layer that the model does not have.
  func resolved(_ count: Int, probe: String) throws -> [Int] {
    switch self {
    case .all: return Array(0..<count)
    case .every(let step): return Array(stride(from: 0, to: count, by: step))
    case .count(let wanted):
      guard wanted < count else { return Array(0..<count) }
      return (0..<wanted).map { ($0 * (count - 1) * 2 + wanted - 1) / (2 * (wanted - 1)) }
    case .some(let list):
      for layer in list where layer >= count {
        throw UserError(
          "layer \(layer) is out of range", at: "probe \(probe)",
          remedy: "the model has layers 0 to \(count - 1)")
      }
      return list
    }
  }
}
