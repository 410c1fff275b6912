import Foundation
import TensorCore
import Testing

@testable import RuleVectors

/// One task in several surface forms: the same episodes.
@Suite struct FormatTests {
  static let text = """
    {"$schema": "../task.schema.json", "name": "small", "title": "Small", "description": "d",
     "kind": "categorization", "class_count": 3,
     "templates": [
       {"name": "arrow", "demonstration": "{input} -> {label}\\n", "query": "{input} ->"},
       {"name": "question", "demonstration": "Q: {input}\\nA: {label}\\n\\n", "query": "Q: {input}\\nA:"}],
     "label_sets": [{"name": "letters", "labels": ["A", "B", "C", "D"]},
                    {"name": "digits", "labels": ["7", "2", "9", "4"]}],
     "languages": [
       {"name": "plain", "classes": {"x": \(words("x")), "y": \(words("y")), "z": \(words("z"))}},
       {"name": "primed", "classes": {"z": \(words("Z")), "y": \(words("Y")), "x": \(words("X"))}}],
     "dummies": ["d1", "d2", "d3", "d4", "d5", "d6", "d7", "d8", "d9"]}
    """

  private static func words(_ letter: String) -> String {
    "[" + (1...24).map { "\"\(letter)\($0)\"" }.joined(separator: ", ") + "]"
  }

  @Test func formatsAreAllCombinationsTheFirstOfEachFirst() throws {
    let task = try Fixtures.read(Self.text)
    #expect(task.formats.count == 8)
    #expect(task.format == Format(template: "arrow", labels: "letters", language: "plain"))
    #expect(task.formats.first == task.format && Set(task.formats).count == 8)
    #expect(task.format.name == "arrow/letters/plain")
    #expect(try Fixtures.read(Fixtures.taskText()).format.name == "default")
  }

  @Test func everyFormatDrawsTheSameEpisode() throws {
    let task = try Fixtures.read(Self.text)
    let (letters, digits) = (["A", "B", "C", "D"], ["7", "2", "9", "4"])
    for format in task.formats {
      let other = try task.formatted(as: format)
      #expect(other.format == format && other.digest == task.digest)
      let translate: (String) -> String = { label in
        format.labels == "letters" ? label : digits[letters.firstIndex(of: label) ?? 0]
      }
      for index in 0..<6 {
        func draw(_ task: RuleTask) throws -> Episode {
          try EpisodeSampler(task: task)
            .episode(index: index, split: .heldOut, demonstrations: 7, seed: 3)
        }
        let (first, second) = (try draw(task), try draw(other))
        let inputs = first.demonstrations.map(\.input) + [first.query]
        #expect(
          second.demonstrations.map(\.input) + [second.query]
            == inputs.map { format.language == "plain" ? $0 : $0.uppercased() })
        #expect(
          second.demonstrations.map(\.answer) == first.demonstrations.map { translate($0.answer) })
        #expect(second.candidates == first.candidates.map(translate))
        #expect(other.template.text(of: second).contains("Q:") == (format.template == "question"))
      }
    }
  }

  @Test func namesChooseAFormat() throws {
    let task = try Fixtures.read(Self.text)
    #expect(try task.formatted(by: []).format == task.format)
    #expect(try task.formatted(by: ["digits"]).format.name == "arrow/digits/plain")
    #expect(
      try task.formatted(by: ["primed", "question"]).format.name == "question/letters/primed")
    for (names, part) in [
      (["roman"], "\"roman\"; it has arrow, question, letters, digits, plain, primed"),
      (["arrow", "arrow"], "twice"), (["arrow", "question"], "\"question\""),
    ] {
      #expect { try task.formatted(by: names) } throws: {
        ($0 as? UserError)?.description.contains(part) == true
      }
    }
  }

  @Test func theSchemaDoesNotChangeTheDigest() throws {
    let task = try Fixtures.read(Self.text)
    let without = Self.text.replacingOccurrences(
      of: "\"$schema\": \"../task.schema.json\", ", with: "")
    #expect(without != Self.text)
    #expect(try Fixtures.read(without).digest == task.digest)
  }

  /// What is changed in the file above, and what the error must name.
  static let faults: [(String, String, [String])] = [
    ("\"digits\"", "\"letters\"", ["label_sets[1].name", "\"letters\" is taken"]),
    ("\"primed\"", "\"arrow\"", ["languages[1].name", "\"arrow\" is taken"]),
    ("\"7\", ", "", ["label_sets[1]", "not like the first"]),
    ("\"X1\", ", "", ["languages[1]", "not parallel", "\"plain\""]),
    ("\"class_count\": 3", "\"class_count\": 5", ["class_count", "found 5", "2 to 4"]),
    ("\"class_count\": 3", "\"class_count\": 4", ["found 3 classes", "4 or more"]),
    ("\"label_sets\": [", "\"labels\": [], \"label_sets\": [", ["label_sets", "both"]),
    ("\"question\"", "\"a/b\"", ["templates[1].name", "slash"]),
    ("Q: {input}\\nA:\"", "Q: {input}=\"", ["templates[1].query"]),
  ]

  @Test(arguments: faults)
  func faultsAreNamed(old: String, new: String, parts: [String]) {
    let text = Self.text.replacingOccurrences(of: old, with: new)
    #expect(text != Self.text)
    #expect { try Fixtures.read(text) } throws: { error in
      let line = (error as? UserError)?.description ?? ""
      return parts.allSatisfy { line.contains($0) }
    }
  }

  @Test func languagesOfPairsKeepEqualAnswers() {
    func text(_ second: String) -> String {
      """
      {"name": "small", "title": "t", "description": "d", "kind": "mapping", "dummies": ["x", "y"],
       "template": {"demonstration": "{input} -> {label}\\n", "query": "{input} ->"},
       "languages": [
         {"name": "one", "pairs": [["a","1"],["b","1"],["c","2"],["d","3"],["e","4"],["f","5"]]},
         {"name": "two", "pairs": [["A","I"],["B","\(second)"],["C","II"],["D","III"],["E","IV"],["F","V"]]}]}
      """
    }
    #expect(throws: Never.self) { try Fixtures.read(text("I")) }
    #expect { try Fixtures.read(text("VI")) } throws: {
      ($0 as? UserError)?.description.contains("not parallel") == true
    }
  }
}
