import RuleVectors
import TensorCore
import Testing

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

  @Test func flippedMappingMovesEveryAnswer() throws {
    for episode in try Self.episodes("country-capital").1 {
      guard episode.demonstrations.count > 1 else {
        #expect(throws: UserError.self) { try episode.flippedRule() }
        continue
      }
      let flipped = try episode.flippedRule()
      let (new, old) = (flipped.demonstrations, episode.demonstrations)
      #expect(new.map(\.input) == old.map(\.input))
      #expect(zip(new, old).allSatisfy { $0.answer != $1.answer })
      #expect(new.map(\.answer).sorted() == old.map(\.answer).sorted())
      #expect(flipped.candidates == episode.candidates && flipped.query == episode.query)
      #expect(try episode.flippedRule() == flipped)
    }
  }

  @Test func randomLabelsCarryNoRule() throws {
    for episode in try Self.episodes("multi-demo-rule").1 {
      let random = try episode.randomLabels()
      #expect(random.demonstrations.map(\.input) == episode.demonstrations.map(\.input))
      #expect(random.candidates == episode.candidates)
      for category in Set(random.demonstrations.compactMap(\.category)) {
        let lines = random.demonstrations.filter { $0.category == category }
        let right = lines.filter { $0.answer == episode.right }.count
        #expect(abs(2 * right - lines.count) <= 1)
      }
      let right = random.demonstrations.filter { $0.answer == episode.right }.count
      #expect(abs(2 * right - random.demonstrations.count) <= 1)
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

  @Test func otherItemsFromTheOtherSplit() throws {
    let (sampler, episodes) = try Self.episodes("multi-demo-rule", demonstrations: [12])
    for episode in episodes {
      let donor = try sampler.otherItems(than: episode, split: .development)
      #expect(Self.words(donor).isDisjoint(with: Self.words(episode)))
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
      if sampler.task.family == .mapping {
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
    // One class has two held-out words, both in the prompt: one must return.
    let donor = try sampler.otherItems(than: episode)
    #expect(Self.words(donor).count == 3)
  }
}
