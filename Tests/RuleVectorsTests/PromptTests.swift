@testable import RuleVectors
import TensorCore
import Testing
import Transformer

@Suite struct PromptTests {
  static let tokenizers: [(String, FakeTokenizer)] = [
    ("words", .words()), ("short words", .words(longest: 4)), ("spaced", .spacePrefixed),
    ("1 byte", .chunks(1)), ("2 bytes", .chunks(2)), ("3 bytes", .chunks(3)),
    ("5 bytes", .chunks(5)),
  ]

  static func small(_ text: String = Fixtures.taskText()) throws -> (RuleTask, Episode) {
    let task = try Fixtures.read(text)
    let sampler = EpisodeSampler(task: task)
    return (task, try sampler.episode(index: 0, split: .heldOut, demonstrations: 2, seed: 1))
  }

  @Test func wordsAndRolesOfASmallPrompt() throws {
    var (task, episode) = try Self.small()
    episode.demonstrations = [
      Demonstration(input: "cat", answer: "A"), Demonstration(input: "hot dog", answer: "B"),
    ]
    episode.query = "pear"
    let tokenizer = FakeTokenizer.words()
    let prompt = try Prompt(episode, template: task.template, tokenizer: tokenizer)
    #expect(prompt.text == "cat -> A\nhot dog -> B\npear ->")
    #expect(
      prompt.tokens.map { String(decoding: tokenizer.bytes(of: $0), as: UTF8.self) } == [
        "cat", " ->", " A", "\n", "hot", " dog", " ->", " B", "\n", "pear", " ->",
      ])
    #expect(
      prompt.roles == [
        .demonstrationInput, .separator, .answer, .delimiter, .demonstrationInput,
        .demonstrationInput, .separator, .answer, .delimiter, .queryInput, .lastSeparator,
      ])
    #expect(prompt.demonstrationIndices == [0, 0, 0, 0, 1, 1, 1, 1, 1, nil, nil])
    #expect(prompt.answerPositions == [2, 7] && prompt.inputPositions == [0, 5])
    #expect(prompt.queryPosition == 9 && prompt.lastPosition == 10)

    let begun = try Prompt(
      episode, template: task.template, tokenizer: tokenizer, beginToken: 77)
    #expect(begun.tokens == [77] + prompt.tokens && begun.roles[0] == .begin)
    #expect(begun.roles.dropFirst().elementsEqual(prompt.roles))
    #expect(begun.demonstrationIndices == [nil] + prompt.demonstrationIndices)
    #expect(begun.answerPositions == [3, 8] && begun.inputPositions == [1, 6])
    #expect(begun.queryPosition == 10 && begun.lastPosition == 11)
    #expect(begun.text == prompt.text)
    #expect(try begun.answerTokens(for: "A") == prompt.answerTokens(for: "A"))
    #expect(try begun.contrast() == prompt.contrast())
  }

  @Test func aTokenThatEndsAnAnswerIsTheAnswer() throws {
    var (task, episode) = try Self.small()
    episode.demonstrations = [
      Demonstration(input: "dog", answer: "A"), Demonstration(input: "cat", answer: "B"),
    ]
    episode.query = "pear"
    // "dog" " ->" " A\n" "cat" " ->" " B\n" "pea" "r -" ">"
    let prompt = try Prompt(episode, template: task.template, tokenizer: FakeTokenizer.chunks(3))
    #expect(
      prompt.roles == [
        .demonstrationInput, .separator, .answer, .demonstrationInput, .separator, .answer,
        .queryInput, .lastSeparator, .lastSeparator,
      ])
    #expect(prompt.answerPositions == [2, 5] && prompt.queryPosition == 7)
  }

  @Test(arguments: tokenizers, ["multi-demo-rule", "country-capital", "present-past"])
  func everyTokenHasARole(named: (String, FakeTokenizer), name: String) throws {
    let task = try Fixtures.task(name)
    let sampler = EpisodeSampler(task: task)
    for index in 0..<40 {
      let episode = try sampler.episode(
        index: index, split: .heldOut, demonstrations: index % 9, seed: 8)
      let prompt = try Prompt(episode, template: task.template, tokenizer: named.1)
      let n = episode.demonstrations.count
      #expect(prompt.roles.count == prompt.tokens.count)
      #expect(prompt.demonstrationIndices.count == prompt.tokens.count)
      #expect(prompt.answerPositions.count == n && prompt.inputPositions.count == n)
      #expect(prompt.roles.last == .lastSeparator)
      // Demonstrations come in order and the query after them.
      let owners = prompt.demonstrationIndices.map { $0 ?? n }
      #expect(owners == owners.sorted())
      var start = 0
      let bytes = Array(prompt.text.utf8)
      let added = named.1.bytes(of: prompt.tokens).count - bytes.count
      for (i, token) in prompt.tokens.enumerated() {
        let end = start + named.1.bytes(of: token).count
        defer { start = end }
        // The text up to the end of an answer's last token ends in that answer, perhaps with more.
        guard let slot = prompt.answerPositions.firstIndex(of: i) else { continue }
        let shown = episode.demonstrations[...slot].map { "\($0.input) -> \($0.answer)\n" }.joined()
        let answerEnd = shown.utf8.count - 1 + added
        #expect(start < answerEnd && answerEnd <= end)
        #expect(prompt.roles[i] == .answer && prompt.demonstrationIndices[i] == slot)
      }
    }
  }

  @Test func contrastSkipsWhatAnswersShare() throws {
    let (task, episode) = try Self.small()
    let tokenizer = FakeTokenizer.words(longest: 3)
    let prompt = try Prompt(episode, template: task.template, tokenizer: tokenizer)
    func text(_ id: Int) -> String { String(decoding: tokenizer.bytes(of: id), as: UTF8.self) }
    let apart = try prompt.contrast(right: "A", wrong: "B")
    #expect(apart.prefix.isEmpty && text(apart.right) == " A" && text(apart.wrong) == " B")
    let shared = try prompt.contrast(right: "walked", wrong: "walks")
    #expect(shared.prefix.map(text) == [" wa"])
    #expect(text(shared.right) == "lke" && text(shared.wrong) == "lks")
    // One answer starts the other: the line break that ends the shorter one decides.
    let nested = try prompt.contrast(right: "wa", wrong: "walk")
    #expect(nested.prefix.map(text) == [" wa"])
    #expect(text(nested.right) == "\n" && text(nested.wrong) == "lk")
  }

  @Test func answersThatCannotBeToldApartAreNamed() throws {
    let (task, episode) = try Self.small()
    let words = FakeTokenizer.words()
    let prompt = try Prompt(episode, template: task.template, tokenizer: words)
    #expect { try prompt.contrast(right: "A", wrong: "A") } throws: {
      let line = ($0 as? UserError)?.description ?? ""
      return line.contains("tasks/small.json") && line.contains("\"A\"")
    }
    // A tokenizer that drops letters outside ASCII cannot stand for the text.
    let lossy = FakeTokenizer { bytes in bytes.filter { $0 < 0x80 }.map { [$0] } }
    let plain = try Prompt(episode, template: task.template, tokenizer: lossy)
    #expect(throws: Never.self) { try plain.contrast(right: "A", wrong: "B") }
    var foreign = episode
    foreign.query = "né"
    #expect { try Prompt(foreign, template: task.template, tokenizer: lossy) } throws: {
      ($0 as? UserError)?.description.contains("tasks/small.json") == true
    }
  }

  @Test func answersWithinOneTokenAreRefused() throws {
    let (task, episode) = try Self.small()
    #expect(throws: UserError.self) {
      try Prompt(episode, template: task.template, tokenizer: FakeTokenizer.chunks(200))
    }
  }

  @Test func textAroundTheInputIsADelimiter() throws {
    let text = Fixtures.taskText(
      changing: "{input} -> {label}\\n", to: "Q: {input}\\nA: {label}\\n\\n"
    )
    .replacingOccurrences(of: "{input} ->", with: "Q: {input}\\nA:")
    let (task, episode) = try Self.small(text)
    let prompt = try Prompt(episode, template: task.template, tokenizer: FakeTokenizer.words())
    #expect(prompt.text.hasPrefix("Q: ") && prompt.text.hasSuffix("\nA:"))
    #expect(prompt.roles[0] == .delimiter && prompt.demonstrationIndices[0] == 0)
    #expect(prompt.positions(of: .answer).count == 2)
    #expect(prompt.roles[prompt.queryPosition] == .queryInput)
  }

  /// With a tokenizer, the sampler finds donors whose prompts match token by token.
  @Test(arguments: [FakeTokenizer.words(), .words(longest: 4), .chunks(1)])
  func donorsAreLengthMatchedWherePossible(tokenizer: FakeTokenizer) throws {
    let task = try Fixtures.task("multi-demo-rule")
    let plain = EpisodeSampler(task: task)
    let matching = EpisodeSampler(task: task, tokenizer: tokenizer)
    var (matched, without) = (0, 0)
    for index in 0..<40 {
      let episode = try matching.episode(index: index, split: .heldOut, demonstrations: 4, seed: 1)
      let original = try Prompt(episode, template: task.template, tokenizer: tokenizer)
      func isMatched(_ donor: Episode) throws -> Bool {
        let prompt = try Prompt(donor, template: task.template, tokenizer: tokenizer)
        return prompt.roles == original.roles
          && prompt.demonstrationIndices == original.demonstrationIndices
      }
      #expect(try isMatched(episode.flippedRule()))
      for sampler in [plain, matching] {
        let count = try [
          sampler.swappedSlots(of: episode), sampler.otherItems(than: episode),
          sampler.dummyDemonstrations(of: episode),
        ].filter(isMatched).count
        if sampler.tokenizer == nil { without += count } else { matched += count }
      }
    }
    #expect(matched >= without && matched > 60, "\(matched) with, \(without) without")
  }
}
