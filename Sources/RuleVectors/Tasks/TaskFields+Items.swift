import TensorCore

/// Items: words by class, pairs, numbers.
extension TaskFields {
  func words(_ reader: JSONReader) throws -> TaskSurface.Words {
    kind == .categorization
      ? .classes(
        try classes(reader.entries().map { ($0, $1.place, try $1.list()) }, at: reader.place))
      : .pairs(try pairs(reader.list(), at: reader.place))
  }

  func words(onLines lines: [JSONReader]) throws -> TaskSurface.Words {
    guard kind == .categorization else { return .pairs(try pairs(lines, at: place)) }
    var words: [String: [JSONReader]] = [:]
    for line in lines {
      let fields = try line.object(required: ["class", "word"])
      guard let name = try fields["class"].map(Self.word), let word = fields["word"] else {
        continue
      }
      words[name, default: []].append(word)
    }
    return .classes(try classes(words.map { ($0.key, place, $0.value) }, at: place))
  }

  private func classes(
    _ found: [(name: String, place: String, words: [JSONReader])], at place: String
  )
    throws -> [RuleTask.ItemClass]
  {
    var owner: [String: String] = [:]
    // Sorted, so that the order of keys in the file, which JSON gives no meaning, changes nothing.
    let classes = try found.sorted { $0.name < $1.name }.map { name, place, readers in
      let words = try Self.words(readers, at: place, atLeast: 3) { word in
        defer { owner[word] = name }
        return owner[word].map { "is already in \"\($0)\"" }
      }
      return RuleTask.ItemClass(name: name, words: words)
    }
    return try Self.atLeast(classCount(), classes, "classes", at: place)
  }

  private func pairs(_ readers: [JSONReader], at place: String) throws -> [RuleTask.Pair] {
    var sides: (inputs: Set<String>, answers: Set<String>) = ([], [])
    let pairs = try readers.map { reader in
      let parts = try reader.list()
      guard parts.count == 2 else {
        throw UserError(
          "found a list of \(parts.count), allowed is [input, answer]", at: reader.place,
          remedy: "mend the pair")
      }
      let pair = try RuleTask.Pair(input: Self.word(parts[0]), answer: Self.word(parts[1]))
      guard sides.inputs.insert(pair.input).inserted else {
        throw UserError(
          "the input \"\(pair.input)\" appears twice", at: parts[0].place, remedy: "keep one")
      }
      if !sides.answers.insert(pair.answer).inserted, kind == .bijection {
        throw UserError(
          "the answer \"\(pair.answer)\" appears twice", at: parts[1].place,
          remedy: "keep one: the inverse needs different answers")
      }
      return pair
    }
    if kind == .bijection, let both = sides.inputs.intersection(sides.answers).min() {
      throw UserError(
        "\"\(both)\" is an input and an answer", at: place,
        remedy: "leave it out: nothing tells the direction that it is asked in")
    }
    return try Self.atLeast(6, pairs, "pairs", at: place)
  }

  func numbers() throws -> RuleTask.Numbers {
    func list(_ key: String, atLeast minimum: Int) throws -> [Int] {
      let reader = try reader(key)
      let list = try reader.list().map { try $0.integer(in: -1_000_000...1_000_000) }
      guard Set(list).count == list.count else {
        throw UserError("a number appears twice", at: reader.place, remedy: "keep one")
      }
      return try Self.atLeast(minimum, list, "numbers", at: reader.place)
    }
    let numbers = RuleTask.Numbers(
      factors: try list("factors", atLeast: 1), offsets: try list("offsets", atLeast: 1),
      inputs: try list("inputs", atLeast: 6))
    guard numbers.rules.allSatisfy({ !numbers.rules(apartFrom: $0).isEmpty }) else {
      throw UserError(
        "a rule has no other that answers every input otherwise", at: "\(place), offsets",
        remedy: "add an offset")
    }
    return numbers
  }

  func dummies(apartFrom taken: Set<String>) throws -> [String] {
    try Self.words(reader("dummies"), atLeast: 2) { word in
      taken.contains(word) ? "is also an item, an answer or a label of the task" : nil
    }
  }
}
