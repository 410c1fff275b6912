import TensorCore

/// Reads the fields of a task file and checks that its words can be told apart.
struct TaskFields {
  let kind: RuleTask.Kind
  private let readers: [String: JSONReader]
  /// Items of a file of lines.
  private let lines: [JSONReader]?
  private let place: String

  /// What the header of a task of each kind may hold besides its templates.
  private static func keys(_ kind: RuleTask.Kind) -> [String] {
    switch kind {
    case .categorization: ["classes", "labels", "label_sets", "languages", "class_count"]
    case .mapping, .bijection: ["pairs", "languages"]
    case .linear: ["factors", "offsets", "inputs"]
    }
  }

  init(_ lines: TaskLines) throws {
    place = lines.place
    self.lines = lines.items
    let entries = try lines.header.entries()
    // "family" was the key's name before tasks lay in folders by family.
    guard let (key, reader) = entries.first(where: { ["kind", "family"].contains($0.0) }) else {
      throw UserError(
        "the key \"kind\" is missing", at: lines.header.place,
        remedy:
          "add it with one of \(RuleTask.Kind.allCases.map(\.rawValue).joined(separator: ", "))")
    }
    let word = try reader.choice(of: RuleTask.Kind.allCases.map(\.rawValue))
    kind = RuleTask.Kind(rawValue: word) ?? .categorization
    readers = try lines.header.object(
      required: ["name", "title", "description", key, "dummies"],
      optional: ["$schema", "template", "templates"] + Self.keys(kind))
    if kind == .linear, let item = lines.items?.first {
      throw UserError(
        "a linear task has no items on lines", at: item.place,
        remedy: "write its inputs into the header")
    }
  }

  /// The reader of a key that is known to be there.
  private func reader(_ key: String) throws -> JSONReader {
    guard let reader = readers[key] else {
      throw UserError("the key \"\(key)\" is missing", at: place, remedy: "add it")
    }
    return reader
  }

  /// The reader of one of two keys, of which a task has exactly one.
  private func one(of several: String, or single: String) throws -> (
    key: String, reader: JSONReader
  ) {
    switch (readers[several], readers[single]) {
    case (let reader?, nil): return (several, reader)
    case (nil, let reader?): return (single, reader)
    case (nil, nil):
      throw UserError(
        "the key \"\(several)\" is missing", at: place,
        remedy: "add it, or \"\(single)\" where there is only one")
    default:
      throw UserError(
        "\"\(several)\" and \"\(single)\" are both there", at: place, remedy: "keep one of them")
    }
  }

  func text(_ key: String) throws -> String { try Self.word(reader(key)) }

  // MARK: Surface forms

  func templates() throws -> [TaskSurface.Named<Template>] {
    let (key, found) = try one(of: "templates", or: "template")
    guard key == "templates" else {
      let fields = try found.object(required: ["demonstration", "query"])
      return [.init(name: Format.unnamed, value: try Template(fields, file: place, key: key))]
    }
    return try Self.atLeast(1, found.list(), "templates", at: found.place).enumerated().map {
      let fields = try $1.object(required: ["name", "demonstration", "query"])
      return .init(
        name: try Self.name(fields),
        value: try Template(fields, file: place, key: "templates[\($0)]"))
    }
  }

  func classCount() throws -> Int { try readers["class_count"]?.integer(in: 2...4) ?? 2 }

  /// - Parameter classes: sorted names.
  func labelSets(of classes: [String], atLeast count: Int) throws -> (
    sets: [TaskSurface.Named<[String]>], areFixed: Bool
  ) {
    let (key, found) = try one(of: "label_sets", or: "labels")
    func labels(_ reader: JSONReader) throws -> (labels: [String], areFixed: Bool) {
      guard case .object = reader.value else {
        return (try Self.words(reader, atLeast: count) { _ in nil }, false)
      }
      let fields = try reader.object(required: classes)
      let labels = try classes.compactMap { try fields[$0].map(Self.word) }
      guard Set(labels).count == labels.count else {
        throw UserError("two classes have one label", at: reader.place, remedy: "change one")
      }
      return (labels, true)
    }
    guard key == "label_sets" else {
      let own = try labels(found)
      return ([.init(name: Format.unnamed, value: own.labels)], own.areFixed)
    }
    let list = try Self.atLeast(1, found.list(), "label sets", at: found.place)
    let read = try list.map { reader in
      let fields = try reader.object(required: ["name", "labels"])
      let name = try Self.name(fields)
      guard let own = try fields["labels"].map(labels) else {
        throw UserError("the key \"labels\" is missing", at: reader.place)
      }
      return (name: name, own: own, place: reader.place)
    }
    for set in read {
      guard set.own.labels.count == read[0].own.labels.count,
        set.own.areFixed == read[0].own.areFixed
      else {
        throw UserError(
          "the label set is not like the first", at: set.place,
          remedy: "all have equally many labels, all as lists or all by class")
      }
    }
    return (read.map { .init(name: $0.name, value: $0.own.labels) }, read[0].own.areFixed)
  }

  func languages() throws -> [TaskSurface.Named<TaskSurface.Words>] {
    guard kind != .linear else {
      return [.init(name: Format.unnamed, value: .numbers(try numbers()))]
    }
    let key = kind == .categorization ? "classes" : "pairs"
    if let lines {
      for key in ["languages", key] {
        if let reader = readers[key] {
          throw UserError(
            "the items are on the file's other lines", at: reader.place,
            remedy: "remove \"\(key)\" from the header")
        }
      }
      return [.init(name: Format.unnamed, value: try words(onLines: lines))]
    }
    let (found, reader) = try one(of: "languages", or: key)
    guard found == "languages" else {
      return [.init(name: Format.unnamed, value: try words(reader))]
    }
    let list = try Self.atLeast(1, reader.list(), "languages", at: reader.place)
    let languages = try list.map { reader in
      let fields = try reader.object(required: ["name", key])
      guard let own = fields[key] else {
        throw UserError("the key \"\(key)\" is missing", at: reader.place)
      }
      return (name: try Self.name(fields), words: try words(own), place: reader.place)
    }
    for language in languages where !language.words.isParallel(to: languages[0].words) {
      throw UserError(
        "the words are not parallel to those of \"\(languages[0].name)\"", at: language.place,
        remedy: kind == .categorization
          ? "give the same classes as many words, in the same order"
          : "give as many pairs in the same order, with equal answers where the first has them")
    }
    return languages.map { .init(name: $0.name, value: $0.words) }
  }

  /// - Throws: `UserError` where one name means two things.
  func checkNames(of surface: TaskSurface) throws {
    var seen: Set<String> = [Format.unnamed]
    let lists = [
      ("templates", surface.templates.map(\.name)), ("label_sets", surface.labelSets.map(\.name)),
      ("languages", surface.languages.map(\.name)),
    ]
    for (key, names) in lists where readers[key] != nil {
      for (number, name) in names.enumerated() where !seen.insert(name).inserted {
        throw UserError(
          "the name \"\(name)\" is taken", at: "\(place), \(key)[\(number)].name",
          remedy: "give each template, label set and language a name of its own")
      }
    }
  }

  // MARK: Items

  private func words(_ reader: JSONReader) throws -> TaskSurface.Words {
    kind == .categorization
      ? .classes(
        try classes(reader.entries().map { ($0, $1.place, try $1.list()) }, at: reader.place))
      : .pairs(try pairs(reader.list(), at: reader.place))
  }

  private func words(onLines lines: [JSONReader]) throws -> TaskSurface.Words {
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

  private func numbers() throws -> RuleTask.Numbers {
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

/// Texts and lists of them.
extension TaskFields {
  private static func name(_ fields: [String: JSONReader]) throws -> String {
    guard let reader = fields["name"] else { throw UserError("the key \"name\" is missing") }
    let name = try word(reader)
    guard !name.contains("/") else {
      throw UserError(
        "found \"\(name)\" with a slash in it", at: reader.place,
        remedy: "slashes join the names of a format")
    }
    return name
  }

  /// A list of different words; `objection` says what else is wrong with one.
  private static func words(
    _ reader: JSONReader, atLeast minimum: Int, objection: (String) -> String?
  ) throws -> [String] {
    try words(reader.list(), at: reader.place, atLeast: minimum, objection: objection)
  }

  private static func words(
    _ readers: [JSONReader], at place: String, atLeast minimum: Int,
    objection: (String) -> String?
  ) throws -> [String] {
    var seen: Set<String> = []
    let words = try readers.map { reader in
      let word = try word(reader)
      let problem = seen.insert(word).inserted ? objection(word) : "appears twice"
      if let problem {
        throw UserError("\"\(word)\" \(problem)", at: reader.place, remedy: "remove one")
      }
      return word
    }
    return try atLeast(minimum, words, "entries", at: place)
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
