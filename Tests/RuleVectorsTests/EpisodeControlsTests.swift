import TensorCore
import Testing

@testable import RuleVectors

@Suite struct EpisodeControlsTests {
  static func episodes(
    _ name: String, _ split: Split = .heldOut, demonstrations: [Int] = [1, 2, 5, 8, 12]
  ) throws -> (EpisodeSampler, [Episode]) {
    let sampler = EpisodeSampler(task: try Fixtures.task(name), tokenizer: FakeTokenizer.words())
    let episodes = try demonstrations.flatMap { count in
      try (0..<15).map {
        try sampler.episode(index: $0, split: split, demonstrations: count, seed: 4)
      }
    }
    return (sampler, episodes)
  }

  static func words(_ episode: Episode) -> Set<String> {
    Set(episode.demonstrations.map(\.input) + [episode.query])
  }

  @Test func flippedRuleChangesEveryLabelAndNothingElse() throws {
    for episode in try Self.episodes("multi-demo-rule").1 {
      let flipped = try episode.flippedRule()
      #expect(flipped.demonstrations.map(\.input) == episode.demonstrations.map(\.input))
      #expect(
        zip(flipped.demonstrations, episode.demonstrations).allSatisfy { $0.answer != $1.answer })
      #expect(Set(flipped.demonstrations.map(\.answer)).isSubset(of: episode.candidates))
      #expect(flipped.query == episode.query)
      #expect(flipped.candidates == episode.candidates.reversed())
      var back = try flipped.flippedRule()
      back.variant = .original
      #expect(back == episode)
    }
  }

  @Test func aMappingHasNoFlippedRule() throws {
    for episode in try Self.episodes("country-capital", demonstrations: [2, 8]).1 {
      #expect(throws: UserError.self) { try episode.flippedRule() }
    }
  }

  @Test(arguments: Split.allCases)
  func otherItemsKeepRuleAndLabels(split: Split) throws {
    let (sampler, episodes) = try Self.episodes("multi-demo-rule", split)
    for episode in episodes {
      let donor = try sampler.otherItems(than: episode)
      #expect(donor.rule == episode.rule && donor.candidates == episode.candidates)
      #expect(donor.demonstrations.map(\.answer) == episode.demonstrations.map(\.answer))
      #expect(donor.demonstrations.map(\.category) == episode.demonstrations.map(\.category))
      #expect(donor.query != episode.query && donor.queryCategory == episode.queryCategory)
      #expect(Self.words(donor).count == episode.demonstrations.count + 1)
      if split == .heldOut { #expect(Self.words(donor).isDisjoint(with: Self.words(episode))) }
      #expect(try sampler.otherItems(than: episode) == donor)
      #expect(try sampler.otherItems(than: episode, draw: 1) != donor)

      let opposite = try sampler.otherItems(than: episode, queryOfOtherClass: true)
      #expect(opposite.queryCategory != episode.queryCategory && opposite.rule == episode.rule)
      #expect(opposite.candidates == episode.candidates.reversed())
    }
  }

  /// A donor that shows the recipient's query, or its answer, would bring the answer itself.
  @Test(arguments: ["multi-demo-rule", "country-capital", "present-past"])
  func donorsNeverHoldTheQueryOrItsAnswer(name: String) throws {
    let count = name == "multi-demo-rule" ? 8 : 12
    let (sampler, episodes) = try Self.episodes(name, .development, demonstrations: [count])
    for episode in episodes {
      for draw in 0..<8 {
        let donor = try sampler.otherItems(
          than: episode, draw: draw, queryOfOtherClass: draw % 2 == 1)
        #expect(!Self.words(donor).contains(episode.query))
        if sampler.task.kind == .mapping {
          #expect(!(donor.demonstrations.map(\.answer) + [donor.right]).contains(episode.right))
        }
      }
    }
  }

  @Test func otherQueryKeepsTheDemonstrations() throws {
    let (sampler, episodes) = try Self.episodes("country-capital")
    for episode in episodes {
      let other = try sampler.otherQuery(than: episode)
      #expect(other.demonstrations == episode.demonstrations && other.query != episode.query)
      #expect(other.wrong == episode.right && other.right != episode.right)
      #expect(!episode.demonstrations.map(\.input).contains(other.query))
    }
  }

  @Test func otherPairsOfAMapping() throws {
    let (sampler, episodes) = try Self.episodes("present-past")
    for episode in episodes {
      let donor = try sampler.otherItems(than: episode)
      #expect(Self.words(donor).isDisjoint(with: Self.words(episode)))
      #expect(Self.words(donor).count == episode.demonstrations.count + 1)
      #expect(!(donor.demonstrations.map(\.answer) + [donor.right]).contains(donor.wrong))
    }
  }

  /// The label-copy control: labels of the flipped rule, items that make them right by the original.
  @Test func swappedSlotsShowFlippedLabelsUnderTheOriginalRule() throws {
    let (sampler, episodes) = try Self.episodes("multi-demo-rule")
    for episode in episodes {
      let donor = try sampler.swappedSlots(of: episode)
      guard case .categorization(let rule) = donor.rule else { return }
      #expect(donor.rule == episode.rule)
      #expect(
        try donor.demonstrations.map(\.answer) == episode.flippedRule().demonstrations.map(\.answer)
      )
      for (new, old) in zip(donor.demonstrations, episode.demonstrations) {
        #expect(new.category != old.category && rule[new.category ?? ""] == new.answer)
      }
      #expect(donor.query == episode.query && donor.candidates == episode.candidates)
      let inputs = Set(donor.demonstrations.map(\.input))
      #expect(inputs.count == episode.demonstrations.count)
      #expect(inputs.isDisjoint(with: Self.words(episode)))
    }
    let (mappings, pairs) = try Self.episodes("country-capital", demonstrations: [2])
    #expect(throws: UserError.self) { try mappings.swappedSlots(of: pairs[0]) }
  }

  @Test(arguments: ["multi-demo-rule", "country-capital", "present-past"])
  func dummiesCarryNoRule(name: String) throws {
    let (sampler, episodes) = try Self.episodes(name)
    let dummies = Set(sampler.task.dummies)
    for episode in episodes {
      let dummy = try sampler.dummyDemonstrations(of: episode)
      let count = episode.demonstrations.count
      #expect(dummy.demonstrations.count == count)
      #expect(Set(dummy.demonstrations.map(\.input)).count == count)
      #expect(dummy.demonstrations.allSatisfy { dummies.contains($0.input) && $0.category == nil })
      #expect(dummy.query == episode.query && dummy.candidates == episode.candidates)
      if sampler.task.kind == .mapping {
        let words = dummy.demonstrations.flatMap { [$0.input, $0.answer] }
        #expect(Set(words).count == 2 * count && dummies.isSuperset(of: words))
      } else {
        let right = dummy.demonstrations.filter { $0.answer == episode.right }.count
        #expect(abs(2 * right - count) == count % 2)
      }
      #expect(episode.zeroShot.demonstrations.isEmpty && episode.zeroShot.query == episode.query)
    }
    let many = try sampler.episode(index: 0, split: .heldOut, demonstrations: 16, seed: 1)
    #expect(throws: Never.self) { try sampler.dummyDemonstrations(of: many) }
  }

  @Test func smallTasksSayWhatTheyLack() throws {
    let sampler = EpisodeSampler(task: try Fixtures.read(Fixtures.taskText()))
    let episode = try sampler.episode(index: 0, split: .heldOut, demonstrations: 2, seed: 1)
    #expect(throws: Never.self) { try sampler.dummyDemonstrations(of: episode) }
    // One class has two held-out words, both in the prompt: without the query there are too few.
    #expect(throws: UserError.self) { try sampler.otherItems(than: episode) }
  }
}
