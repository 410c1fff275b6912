import RuleVectors
import TensorCore
import Testing

@Suite struct EpisodeTests {
  static let counts = [0, 1, 2, 3, 7, 8, 12, 16]

  @Test(arguments: ["multi-demo-rule", "country-capital", "present-past"])
  func episodesAreReproducibleInAnyOrder(name: String) throws {
    let sampler = EpisodeSampler(task: try Fixtures.task(name))
    func draw(_ i: Int) throws -> Episode {
      try sampler.episode(index: i, split: .heldOut, demonstrations: 8, seed: 5)
    }
    let forward = try (0..<30).map(draw)
    let backward = try (0..<30).reversed().map(draw)
    #expect(forward == backward.reversed())
    #expect(Set(forward.map(\.query)).count > 15)
    let otherSeed = try sampler.episode(index: 0, split: .heldOut, demonstrations: 8, seed: 6)
    #expect(otherSeed.demonstrations != forward[0].demonstrations)
  }

  @Test(arguments: counts, Split.allCases)
  func categorizationKeepsItsPromises(count: Int, split: Split) throws {
    let task = try Fixtures.task("multi-demo-rule")
    guard case .categorization(let classes, let labels) = task.items else { return }
    let members = Dictionary(
      uniqueKeysWithValues: classes.map { ($0.name, Set(split.items(of: $0.words))) })
    let sampler = EpisodeSampler(task: task)
    var rightFirst = 0
    for index in 0..<60 {
      let episode = try sampler.episode(index: index, split: split, demonstrations: count, seed: 1)
      let shown = episode.demonstrations
      guard case .categorization(let rule) = episode.rule else {
        Issue.record("no rule")
        return
      }
      #expect(shown.count == count)
      #expect(rule.count == 2 && Set(rule.values).count == 2)
      #expect(Set(rule.values).isSubset(of: labels))
      #expect(Set(shown.map(\.input) + [episode.query]).count == count + 1)
      for line in shown {
        #expect(rule[line.category ?? ""] == line.answer)
        #expect(members[line.category ?? ""]?.contains(line.input) == true)
      }
      let first = shown.filter { $0.answer == episode.right }.count
      #expect(abs(2 * first - count) == count % 2)
      #expect(rule[episode.queryCategory ?? ""] == episode.right)
      #expect(members[episode.queryCategory ?? ""]?.contains(episode.query) == true)
      #expect(episode.wrong != episode.right && rule.values.contains(episode.wrong))
      let order = episode.candidates.compactMap { labels.firstIndex(of: $0) }
      if order[0] < order[1] { rightFirst += 1 }
    }
    #expect(rightFirst == 30)
  }

  @Test(arguments: ["multi-demo-rule", "present-past"])
  func ruleAndQueryDoNotDependOnTheNumberOfDemonstrations(name: String) throws {
    let sampler = EpisodeSampler(task: try Fixtures.task(name))
    for index in 0..<20 {
      let episodes = try Self.counts.map {
        try sampler.episode(index: index, split: .heldOut, demonstrations: $0, seed: 3)
      }
      #expect(Set(episodes.map(\.query)).count == 1)
      #expect(episodes.allSatisfy { $0.rule == episodes[0].rule })
      #expect(episodes.allSatisfy { $0.candidates == episodes[0].candidates })
    }
  }

  @Test(arguments: ["country-capital", "present-past"], counts)
  func mappingKeepsItsPromises(name: String, count: Int) throws {
    let task = try Fixtures.task(name)
    guard case .mapping(let pairs) = task.items else { return }
    let answers = Dictionary(uniqueKeysWithValues: pairs.map { ($0.input, $0.answer) })
    let sampler = EpisodeSampler(task: task)
    for index in 0..<30 {
      let episode = try sampler.episode(
        index: index, split: .development, demonstrations: count, seed: 2)
      #expect(Set(episode.demonstrations.map(\.input) + [episode.query]).count == count + 1)
      #expect(episode.demonstrations.allSatisfy { answers[$0.input] == $0.answer })
      #expect(answers[episode.query] == episode.right)
      #expect(!(episode.demonstrations.map(\.answer) + [episode.right]).contains(episode.wrong))
      #expect(answers.values.contains(episode.wrong))
    }
  }

  /// Which class is drawn, which label it gets and where demonstrations stand are all random.
  @Test func assignmentAndOrderAreBalanced() throws {
    let sampler = EpisodeSampler(task: try Fixtures.task("multi-demo-rule"))
    var (earlierClassEarlierLabel, rightLast) = (0, 0)
    let n = 2000
    for index in 0..<n {
      let episode = try sampler.episode(index: index, split: .heldOut, demonstrations: 4, seed: 9)
      guard case .categorization(let rule) = episode.rule else { return }
      let labels = rule.sorted { $0.key < $1.key }.map(\.value)
      if labels[0] < labels[1] { earlierClassEarlierLabel += 1 }
      if episode.demonstrations.last?.answer == episode.right { rightLast += 1 }
    }
    // Five standard deviations of a fair coin.
    let bound = 5 * (Double(n) / 4).squareRoot()
    #expect(abs(Double(earlierClassEarlierLabel) - Double(n) / 2) < bound)
    #expect(abs(Double(rightLast) - Double(n) / 2) < bound)
  }

  @Test func tooManyDemonstrationsNameTheFileAndKey() throws {
    let sampler = EpisodeSampler(task: try Fixtures.read(Fixtures.taskText()))
    for count in [8, -1] {
      #expect {
        try sampler.episode(index: 0, split: .heldOut, demonstrations: count, seed: 1)
      } throws: {
        ($0 as? UserError)?.description.hasPrefix("tasks/small.json") == true
      }
    }
  }
}
