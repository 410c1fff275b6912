import TensorCore

/// Reads the fields of a task file and checks that its words can be told apart.
struct TaskFields {
  private let readers: [String: JSONReader]

  init(_ readers: [String: JSONReader]) { self.readers = readers }

  /// The reader of a key that is known to be there.
  func reader(_ key: String) throws -> JSONReader {
    guard let reader = readers[key] else { throw UserError("the key \"\(key)\" is missing") }
    return reader
  }

  func text(_ key: String) throws -> String { try Self.word(reader(key)) }

  func classes() throws -> [RuleTask.ItemClass] {
    let reader = try reader("classes")
    var owner: [String: String] = [:]
    let classes = try reader.entries().map { name, reader in
      let words = try Self.words(reader, atLeast: 3) { word in
        defer { owner[word] = name }
        return owner[word].map { "is already in \"\($0)\"" }
      }
      return RuleTask.ItemClass(name: name, words: words)
    }
    // Sorted, so that the order of keys in the file, which JSON gives no meaning, changes nothing.
    return try Self.atLeast(2, classes.sorted { $0.name < $1.name }, "classes", at: reader.place)
  }

  func labels() throws -> [String] {
    try Self.words(reader("labels"), atLeast: 2) { _ in nil }
  }

  func pairs() throws -> [RuleTask.Pair] {
    let reader = try reader("pairs")
    var inputs: Set<String> = []
    let pairs = try reader.list().map { reader in
      let parts = try reader.list()
      guard parts.count == 2 else {
        throw UserError(
          "found a list of \(parts.count), allowed is [input, answer]", at: reader.place,
          remedy: "mend the pair")
      }
      let pair = try RuleTask.Pair(input: Self.word(parts[0]), answer: Self.word(parts[1]))
      guard inputs.insert(pair.input).inserted else {
        throw UserError(
          "the input \"\(pair.input)\" appears twice", at: parts[0].place, remedy: "keep one")
      }
      return pair
    }
    return try Self.atLeast(6, pairs, "pairs", at: reader.place)
  }

  func dummies(apartFrom items: RuleTask.Items) throws -> [String] {
    let taken: Set<String> =
      switch items {
      case .categorization(let classes, let labels): Set(classes.flatMap(\.words) + labels)
      case .mapping(let pairs): Set(pairs.flatMap { [$0.input, $0.answer] })
      }
    return try Self.words(reader("dummies"), atLeast: 2) { word in
      taken.contains(word) ? "is also an item, an answer or a label of the task" : nil
    }
  }

  /// A list of different words; `objection` says what else is wrong with one.
  private static func words(
    _ reader: JSONReader, atLeast minimum: Int, objection: (String) -> String?
  ) throws -> [String] {
    var seen: Set<String> = []
    let words = try reader.list().map { reader in
      let word = try word(reader)
      let problem = seen.insert(word).inserted ? objection(word) : "appears twice"
      if let problem {
        throw UserError("\"\(word)\" \(problem)", at: reader.place, remedy: "remove one")
      }
      return word
    }
    return try atLeast(minimum, words, "entries", at: reader.place)
  }

  private static func word(_ reader: JSONReader) throws -> String {
    let text = try reader.string()
    guard let first = text.first, let last = text.last else {
      throw UserError("found an empty text", at: reader.place, remedy: "write a word")
    }
    guard !first.isWhitespace, !last.isWhitespace, !text.contains(where: \.isNewline) else {
      throw UserError(
        "found \"\(text)\" with space around it or a line break in it", at: reader.place,
        remedy: "leave spacing to the template")
    }
    return text
  }

  private static func atLeast<Element>(
    _ minimum: Int, _ list: [Element], _ what: String, at place: String
  ) throws -> [Element] {
    guard list.count >= minimum else {
      throw UserError(
        "found \(list.count) \(what), allowed is \(minimum) or more", at: place, remedy: "add some")
    }
    return list
  }
}
