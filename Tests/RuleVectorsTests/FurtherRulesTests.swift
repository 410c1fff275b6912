import Foundation
import TensorCore
import Testing

@testable import RuleVectors

/// Rules of three and four classes, fixed labels, bijections and linear maps.
@Suite struct FurtherRulesTests {
  private static func words(_ letter: String) -> String {
    "[" + (1...30).map { "\"\(letter)\($0)\"" }.joined(separator: ", ") + "]"
  }

  static func task(_ kind: String, _ own: String) throws -> RuleTask {
    try Fixtures.read(
      """
      {"name": "small", "title": "t", "description": "d", "kind": "\(kind)",
       "template": {"demonstration": "{input} -> {label}\\n", "query": "{input} ->"}, \(own),
       "dummies": [\((1...40).map { "\"d\($0)\"" }.joined(separator: ", "))]}
      """)
  }

  static func classes(_ count: Int, labels: String = #"["A", "B", "C", "D", "E"]"#) throws
    -> RuleTask
  {
    try task(
      "categorization",
      """
      "class_count": \(count), "labels": \(labels),
      "classes": {"x": \(words("x")), "y": \(words("y")), "z": \(words("z")), "w": \(words("w"))}
      """)
  }

  @Test(arguments: [3, 4], [0, 1, 5, 8, 12])
  func severalClassesKeepTheirPromises(count: Int, demonstrations: Int) throws {
    let sampler = EpisodeSampler(task: try Self.classes(count))
    var ranks: [Int: Int] = [:]
    for index in 0..<48 {
      let episode = try sampler.episode(
        index: index, split: .heldOut, demonstrations: demonstrations, seed: 2)
      guard case .categorization(let rule) = episode.rule else { return }
      #expect(rule.count == count && Set(rule.values).count == count)
      #expect(Set(episode.candidates) == Set(rule.values) && episode.candidates.count == count)
      #expect(episode.candidates.prefix(2) == [episode.right, episode.wrong])
      #expect(episode.right == rule[episode.queryCategory ?? ""])
      let shown = episode.demonstrations
      #expect(shown.count == demonstrations)
      #expect(shown.allSatisfy { rule[$0.category ?? ""] == $0.answer })
      let counts = rule.keys.map { name in shown.count { $0.category == name } }
      #expect((counts.max() ?? 0) - (counts.min() ?? 0) <= (demonstrations % count == 0 ? 0 : 1))
      ranks[rule.values.sorted().firstIndex(of: episode.right) ?? -1, default: 0] += 1
    }
    // The right label's place among the drawn ones takes turns.
    #expect((0..<count).allSatisfy { ranks[$0] == 48 / count })
  }

  @Test(arguments: [2, 3, 4])
  func flippingTurnsLabelsWithoutAFixedPoint(count: Int) throws {
    let sampler = EpisodeSampler(task: try Self.classes(count))
    for index in 0..<20 {
      let episode = try sampler.episode(
        index: index, split: .heldOut, demonstrations: 8, seed: 5)
      let flipped = try episode.flippedRule()
      guard case .categorization(let old) = episode.rule,
        case .categorization(let new) = flipped.rule
      else { return }
      #expect(Set(old.values) == Set(new.values) && old.keys.allSatisfy { old[$0] != new[$0] })
      #expect(flipped.right == episode.wrong && flipped.right == new[episode.queryCategory ?? ""])
      #expect(flipped.demonstrations.allSatisfy { new[$0.category ?? ""] == $0.answer })
      #expect(flipped.demonstrations.map(\.input) == episode.demonstrations.map(\.input))
      var back = episode
      for _ in 0..<count { back = try back.flippedRule() }
      back.variant = .original
      #expect(back == episode)

      let swapped = try sampler.swappedSlots(of: episode)
      #expect(swapped.rule == episode.rule && swapped.query == episode.query)
      #expect(swapped.demonstrations.map(\.answer) == flipped.demonstrations.map(\.answer))
      #expect(swapped.demonstrations.allSatisfy { old[$0.category ?? ""] == $0.answer })
      let other = try sampler.otherItems(than: episode, queryOfOtherClass: true)
      #expect(other.right == episode.wrong && other.right == old[other.queryCategory ?? ""])
      #expect(other.demonstrations.map(\.answer) == episode.demonstrations.map(\.answer))
      let dummy = try sampler.dummyDemonstrations(of: episode)
      let counts = episode.candidates.map { label in
        dummy.demonstrations.count { $0.answer == label }
      }
      #expect((counts.max() ?? 0) - (counts.min() ?? 0) <= 1)
    }
  }

  @Test func fixedLabelsStayWithTheirClasses() throws {
    let task = try Self.classes(2, labels: #"{"w": "W", "x": "X", "y": "Y", "z": "Z"}"#)
    #expect(task.hasFixedLabels)
    let sampler = EpisodeSampler(task: task)
    for index in 0..<20 {
      let episode = try sampler.episode(index: index, split: .heldOut, demonstrations: 4, seed: 1)
      #expect(episode.right == episode.query.prefix(1).uppercased())
      #expect(episode.demonstrations.allSatisfy { $0.answer == $0.input.prefix(1).uppercased() })
      let flipped = try episode.flippedRule()
      #expect(flipped.right == episode.wrong && flipped.wrong == episode.right)
    }
    #expect { try Self.classes(2, labels: #"{"w": "W", "x": "X", "y": "Y"}"#) } throws: {
      ($0 as? UserError)?.description.contains("\"z\" is missing") == true
    }
  }

  static func bijection() throws -> RuleTask {
    let pairs = (1...30).map { "[\"a\($0)\", \"b\($0)\"]" }.joined(separator: ", ")
    return try task("bijection", "\"pairs\": [\(pairs)]")
  }

  @Test func bijectionsShowBothDirections() throws {
    let sampler = EpisodeSampler(task: try Self.bijection())
    /// The same number on the other side.
    func answer(_ input: String) -> String {
      (input.hasPrefix("a") ? "b" : "a") + input.dropFirst()
    }
    func items(_ episode: Episode) -> [Substring] {
      (episode.demonstrations.map(\.input) + [episode.query]).map { $0.dropFirst() }
    }
    for index in 0..<20 {
      let episode = try sampler.episode(index: index, split: .heldOut, demonstrations: 6, seed: 1)
      let donor = try sampler.otherItems(than: episode)
      for drawn in [episode, donor] {
        let shown = drawn.demonstrations
        #expect(shown.allSatisfy { $0.answer == answer($0.input) })
        #expect(shown.count { $0.category == "forward" } == 3)
        #expect(shown.allSatisfy { ($0.category == "forward") == $0.input.hasPrefix("a") })
        #expect(drawn.right == answer(drawn.query) && Set(items(drawn)).count == 7)
        #expect(drawn.wrong.prefix(1) == drawn.right.prefix(1) && drawn.wrong != drawn.right)
        #expect(!items(drawn).contains(drawn.wrong.dropFirst()))
        #expect(drawn.query.hasPrefix(index.isMultiple(of: 2) ? "a" : "b"))
      }
      #expect(donor.demonstrations.map(\.category) == episode.demonstrations.map(\.category))
      #expect(Set(items(donor)).isDisjoint(with: items(episode)))
      let other = try sampler.otherQuery(than: episode)
      #expect(other.right == answer(other.query) && other.wrong == episode.right)
      #expect(other.query.prefix(1) == episode.query.prefix(1))
      #expect(!items(episode).contains(other.query.dropFirst()))
      #expect(throws: UserError.self) { try episode.flippedRule() }
      #expect(throws: UserError.self) { try sampler.swappedSlots(of: episode) }
      #expect(try sampler.dummyDemonstrations(of: episode).demonstrations.count == 6)
    }
    for (more, part) in [
      ("[\"b1\", \"c\"]", "\"b1\" is an input and an answer"),
      ("[\"c\", \"b1\"]", "\"b1\" appears twice"),
    ] {
      let pairs = (1...6).map { "[\"a\($0)\", \"b\($0)\"]" }.joined(separator: ", ")
      #expect { try Self.task("bijection", "\"pairs\": [\(pairs), \(more)]") } throws: {
        ($0 as? UserError)?.description.contains(part) == true
      }
    }
  }

  static let numbers =
    "\"factors\": [1, 2, 3], \"offsets\": [0, 1, 5], \"inputs\": [\((0..<30).map(String.init).joined(separator: ", "))]"

  @Test func linearRulesAreDrawnWithAnother() throws {
    let sampler = EpisodeSampler(task: try Self.task("linear", Self.numbers))
    var drawn: Set<String> = []
    for index in 0..<60 {
      let episode = try sampler.episode(index: index, split: .heldOut, demonstrations: 6, seed: 1)
      guard case .linear(let rule, let other) = episode.rule else { return }
      drawn.insert("\(rule)")
      func check(_ episode: Episode, _ rule: LinearRule, _ other: LinearRule) throws {
        for line in episode.demonstrations {
          let x = try #require(Int(line.input))
          #expect(line.answer == "\(rule.factor * x + rule.offset)")
        }
        let x = try #require(Int(episode.query))
        #expect(episode.right == "\(rule.factor * x + rule.offset)")
        #expect(episode.wrong == "\(other.factor * x + other.offset)")
      }
      try check(episode, rule, other)
      let flipped = try episode.flippedRule()
      try check(flipped, other, rule)
      #expect(
        zip(flipped.demonstrations, episode.demonstrations).allSatisfy { $0.answer != $1.answer })
      let donor = try sampler.otherItems(than: episode)
      try check(donor, rule, other)
      #expect(
        Set(donor.demonstrations.map(\.input) + [donor.query])
          .isDisjoint(with: episode.demonstrations.map(\.input) + [episode.query]))
      #expect(throws: UserError.self) { try sampler.swappedSlots(of: episode) }
    }
    #expect(drawn.count == 9)
    #expect {
      try Self.task(
        "linear", "\"factors\": [1, 2], \"offsets\": [0], \"inputs\": [0, 1, 2, 3, 4, 5]")
    } throws: {
      ($0 as? UserError)?.description.contains("add an offset") == true
    }
  }

  /// With more than two labels the right one must beat all of them.
  @Test func theContrastHoldsEveryLabel() throws {
    let task = try Self.classes(3)
    let episode = try EpisodeSampler(task: task)
      .episode(index: 0, split: .heldOut, demonstrations: 3, seed: 1)
    let tokenizer = FakeTokenizer.words()
    let prompt = try Prompt(episode, template: task.template, tokenizer: tokenizer)
    let contrast = try prompt.contrast()
    let told = [contrast.right, contrast.wrong] + contrast.others
    #expect(contrast.others.count == 1 && Set(told).count == 3)
    #expect(told == (try episode.candidates.map { try tokenizer.encode(" " + $0)[0] }))
  }
}
