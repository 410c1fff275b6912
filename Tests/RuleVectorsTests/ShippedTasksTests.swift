import Foundation
import TensorCore
import Testing

@testable import RuleVectors

/// The files of `tasks/`: what each of them promises, and the schema that editors check them by.
@Suite struct ShippedTasksTests {
  static let library = Result { try TaskLibrary(folder: Fixtures.tasksFolder) }

  static func tasks(_ family: String? = nil) throws -> [RuleTask] {
    try library.get().entries.filter { family == nil || $0.family == family }.map { try $0.load() }
  }

  static func pairs(_ name: String) throws -> [RuleTask.Pair] {
    switch try Fixtures.task(name).items {
    case .mapping(let pairs), .bijection(let pairs): pairs
    default: []
    }
  }

  @Test func thereAreAtLeastFortyInFamilies() throws {
    let library = try Self.library.get()
    #expect(library.entries.count >= 40)
    #expect(
      library.families == [
        "bijection", "categorization", "extractive", "grammar", "knowledge", "letters",
        "linguistic", "numeric", "text",
      ])
    #expect(Set(library.families).isDisjoint(with: library.entries.map(\.name)))
    #expect(library.entries.allSatisfy { $0.family != nil })
  }

  @Test func schemaAndReaderAcceptEveryFile() throws {
    let schema = try JSONSchema(contentsOf: "\(Fixtures.tasksFolder)/task.schema.json")
    for entry in try Self.library.get().entries {
      let value = try JSONValue(contentsOf: entry.path)
      #expect(value["$schema"] == "../task.schema.json", "\(entry.name)")
      #expect(try schema.faults(value) == [], "\(entry.name)")
      #expect(throws: Never.self) { try entry.load() }
    }
  }

  /// What the reader refuses, the schema refuses as well, as far as a schema can say it.
  @Test(arguments: [
    ("\"kind\": \"categorization\"", "\"kind\": \"sorting\""), ("\"title\": \"Small\",", ""),
    ("\"title\"", "\"titel\""), ("[\"A\", \"B\", \"C\", \"D\"]", "[\"A\"]"),
    ("[\"A\", \"B\", \"C\", \"D\"]", "[\"A\", \"A\"]"), ("\"A\", \"B\"", "\"A\", 2"),
    ("\"x1\"", "\" x1\""), ("\"name\": \"question\"", "\"name\": \"a/b\""),
    ("\"class_count\": 3", "\"class_count\": 5"), ("{label}\\n\"", "\\n\""),
    ("\"templates\"", "\"template\""),
  ])
  func schemaRefusesWhatTheReaderRefuses(old: String, new: String) throws {
    let schema = try JSONSchema(contentsOf: "\(Fixtures.tasksFolder)/task.schema.json")
    func value(_ text: String) throws -> JSONValue {
      try JSONValue(parsing: Data(text.utf8), place: "small.json")
    }
    #expect(try schema.faults(value(FormatTests.text)) == [])
    let changed = FormatTests.text.replacingOccurrences(of: old, with: new)
    #expect(changed != FormatTests.text)
    #expect(try !schema.faults(value(changed)).isEmpty)
    #expect(throws: UserError.self) { try Fixtures.read(changed) }
  }

  /// The page about tasks lists each in its family's table.
  @Test func thePageListsEveryTask() throws {
    let page = try String(
      contentsOf: URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("../../docs/tasks.md"), encoding: .utf8)
    let library = try Self.library.get()
    for family in library.families {
      let table = page.components(separatedBy: "\n### \(family)\n").dropFirst().first?
        .components(separatedBy: "\n### ").first
      let listed = table?.split(separator: "\n").filter { $0.hasPrefix("| `") }
        .compactMap { $0.split(separator: "`").dropFirst().first.map(String.init) }
      #expect(
        listed?.sorted() == library.entries.filter { $0.family == family }.map(\.name).sorted())
    }
  }

  /// Two templates, and enough items for 16 demonstrations of classes and 8 of pairs with donors.
  @Test func everyTaskCanBeRun() throws {
    for task in try Self.tasks() {
      #expect(Set(task.formats.map(\.template)).count >= 2, "\(task.name)")
      let demonstrations = task.kind == .categorization ? 16 : 8
      for format in task.formats {
        let own = try task.formatted(as: format)
        let sampler = EpisodeSampler(task: own)
        for split in [Split.heldOut, .development] {
          let count = split == .heldOut ? demonstrations : 8
          let episode = try sampler.episode(
            index: 1, split: split, demonstrations: count, seed: 1)
          #expect(throws: Never.self, "\(task.name)") {
            _ = try sampler.otherItems(than: episode)
            _ = try sampler.dummyDemonstrations(of: episode)
            if own.hasOtherRules { _ = try episode.flippedRule() }
          }
        }
      }
    }
  }

  /// Answers by what the rule says, not by what the file says.
  static let rules: [(String, @Sendable (String) -> String)] = [
    ("to-upper", { $0.uppercased() }), ("to-lower", { $0.lowercased() }),
    ("case-bijection", { $0.uppercased() }),
    ("capitalize", { $0.prefix(1).uppercased() + $0.dropFirst() }),
    ("first-letter", { String($0.prefix(1)) }), ("last-letter", { String($0.suffix(1)) }),
    ("word-length", { "\($0.count)" }), ("list-first", { words($0).first ?? "" }),
    ("list-last", { words($0).last ?? "" }), ("choose-first-of-5", { words($0).first ?? "" }),
    ("choose-last-of-5", { words($0)[4] }), ("choose-middle-of-5", { words($0)[2] }),
    ("alphabetically-first-of-3", { words($0).min() ?? "" }),
    ("alphabetically-last-of-3", { words($0).max() ?? "" }),
    ("next-letter", { shifted($0, by: 1) }), ("previous-letter", { shifted($0, by: -1) }),
    (
      "number-word",
      { text in
        let formatter = NumberFormatter()
        formatter.numberStyle = .spellOut
        formatter.locale = Locale(identifier: "en")
        return formatter.string(from: NSNumber(value: Int(text) ?? -1)) ?? ""
      }
    ),
  ]

  private static func words(_ list: String) -> [String] { list.components(separatedBy: ", ") }

  private static func shifted(_ letter: String, by step: Int) -> String {
    letter.unicodeScalars.map { scalar in
      String(UnicodeScalar(UInt8(Int(scalar.value) + step)))
    }.joined()
  }

  @Test(arguments: rules.map(\.0)) func answersFollowTheRule(name: String) throws {
    let rule = try #require(Self.rules.first { $0.0 == name }?.1)
    let pairs = try Self.pairs(name)
    #expect(pairs.count >= 45)
    for pair in pairs { #expect(pair.answer == rule(pair.input), "\(name)") }
  }

  /// Where one of a list's words is picked by what it means, it is the only one of its group.
  @Test(arguments: [
    "animal-v-object", "object-v-animal", "color-v-animal", "adjective-v-verb", "verb-v-adjective",
    "object-v-concept",
  ])
  func oddWordsAreAlone(name: String) throws {
    let pairs = try Self.pairs(name)
    let picked = Set(pairs.map(\.answer))
    for pair in pairs {
      #expect(Self.words(pair.input).filter(picked.contains) == [pair.answer])
    }
    // No place of the list tells the answer.
    let places = pairs.compactMap { Self.words($0.input).firstIndex(of: $0.answer) }
    #expect((0..<3).allSatisfy { place in (10...40).contains(places.count { $0 == place }) })
  }

  @Test func inversesAreInverse() throws {
    for language in ["french", "spanish"] {
      let forward = try Self.pairs("english-\(language)").map { [$0.input, $0.answer] }
      let back = try Self.pairs("\(language)-english").map { [$0.answer, $0.input] }
      #expect(Set(forward) == Set(back))
      #expect(forward.allSatisfy { $0[0] != $0[1] })
      let both = try Self.pairs("\(language)-bijection").map { [$0.input, $0.answer] }
      #expect(Set(both).isSubset(of: forward) && both.count >= 60)
    }
  }

  private static func classes(_ name: String, _ language: String? = nil) throws
    -> [String: [String]]
  {
    var task = try Fixtures.task(name)
    if let language { task = try task.formatted(by: [language]) }
    guard case .categorization(let classes, _) = task.items else { return [:] }
    return Dictionary(uniqueKeysWithValues: classes.map { ($0.name, $0.words) })
  }

  @Test func classesAreWhatTheirNamesSay() throws {
    let parity = try Self.classes("parity")
    #expect(parity["even"]?.allSatisfy { Int($0)?.isMultiple(of: 2) == true } == true)
    #expect(parity["odd"]?.allSatisfy { Int($0)?.isMultiple(of: 2) == false } == true)
    let lengths = try Self.classes("word-length-classes")
    #expect(lengths["short"]?.allSatisfy { $0.count == 3 } == true)
    #expect(lengths["long"]?.allSatisfy { $0.count >= 9 } == true)
    for (name, words) in try Self.classes("syllable-patterns") {
      for text in words {
        let parts = text.components(separatedBy: " ")
        let pattern = parts.map { $0 == parts[0] ? "a" : "b" }.joined()
        #expect(parts.count == 3 && pattern == (name == "abb" ? "abb" : name), "\(text)")
        #expect(Set(parts).count == 2)
      }
    }
    for (name, count) in [("sentiment", 60), ("topic", 60)] {
      let drawn = try Self.classes(name)
      #expect(drawn.values.allSatisfy { $0.count >= count })
      #expect(try Self.classes("\(name)-named") == drawn)
      #expect(try Fixtures.task("\(name)-named").hasFixedLabels)
    }
  }

  /// Strings of the two grammars, by their transitions; 6 is the end. Neither their first nor their last letter tells
  /// them apart.
  @Test func stringsAreOfTheirGrammars() throws {
    let grammars: [String: [[Character: Int]]] = [
      "first-grammar": [
        ["M": 1, "V": 2], ["X": 1, "T": 3], ["R": 2, "X": 4], ["R": 1, "V": 5, "T": 6],
        ["T": 2, "M": 5, "X": 6], ["T": 6, "X": 6, "R": 3], [:],
      ],
      "second-grammar": [
        ["M": 1, "V": 2], ["R": 1, "X": 3], ["T": 2, "M": 4], ["V": 2, "T": 6, "X": 5],
        ["X": 1, "R": 5, "T": 6], ["V": 3, "X": 6, "T": 6], [:],
      ],
    ]
    func accepts(_ text: String, _ grammar: [[Character: Int]]) -> Bool {
      var state = 0
      for letter in text where letter != " " {
        guard let next = grammar[state][letter] else { return false }
        state = next
      }
      return state == 6
    }
    for (name, strings) in try Self.classes("artificial-grammar") {
      for text in strings {
        for (other, grammar) in grammars { #expect(accepts(text, grammar) == (other == name)) }
      }
      for letter in ["M", "V"] { #expect(strings.count { $0.hasPrefix(letter) } >= 20) }
      #expect(strings.allSatisfy { $0.hasPrefix("M") || $0.hasPrefix("V") })
      for letter in ["T", "X"] { #expect(strings.count { $0.hasSuffix(letter) } >= 15) }
      #expect(strings.allSatisfy { $0.hasSuffix("T") || $0.hasSuffix("X") })
    }
  }

  @Test func languagesSayOtherWords() throws {
    let english = try Self.classes("two-languages", "english")
    let french = try Self.classes("two-languages", "french")
    #expect(english.count >= 6 && english["animals"]?.first == "dog")
    #expect(french["animals"]?.first == "chien")
    for (name, words) in english {
      #expect(words.count >= 24)
      #expect(zip(words, french[name] ?? []).allSatisfy { $0 != $1 })
    }
  }

  @Test func labelsAreNoItems() throws {
    for task in try Self.tasks() where task.kind == .categorization {
      for format in task.formats {
        guard case .categorization(let classes, let labels) = try task.formatted(as: format).items
        else { continue }
        #expect(Set(classes.flatMap(\.words)).isDisjoint(with: labels), "\(task.name)")
      }
    }
  }
}
