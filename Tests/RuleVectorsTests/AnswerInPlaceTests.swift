@testable import RuleVectors
import TensorCore
import Testing
import Transformer

/// What is scored are the tokens that follow the prompt, not those of an answer by itself.
@Suite struct AnswerInPlaceTests {
  /// A task and an episode with the demonstrations dog A, cat B and the query pear.
  private func small(demonstration: String, query: String) throws -> (Template, Episode) {
    let template = try Template(
      demonstration: demonstration, query: query, file: "tasks/small.json")
    var (_, episode) = try PromptTests.small()
    episode.demonstrations = [
      Demonstration(input: "dog", answer: "A"), Demonstration(input: "cat", answer: "B"),
    ]
    (episode.query, episode.right, episode.wrong) = ("pear", "A", "B")
    return (template, episode)
  }

  private func prompt(
    _ demonstration: String, _ query: String, _ tokenizer: any Tokenizer, beginToken: Int? = nil
  ) throws -> Prompt {
    let (template, episode) = try small(demonstration: demonstration, query: query)
    return try Prompt(
      episode, template: template, tokenizer: tokenizer, beginToken: beginToken)
  }

  /// SentencePiece with a space put before texts, single bytes and some longer pieces, the likelier
  /// the later.
  private func sentencePiece(_ longer: String...) throws -> SentencePieceTokenizer {
    let pieces = ["<unk>", "<s>", "▁", ":", "A", "B"] + longer
    let bytes = (UInt8.min...UInt8.max).map { byte in
      "<0x" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true) + ">"
    }
    return try SentencePieceTokenizer(
      TokenizerVocabulary(
        model: "llama", pieces: pieces + bytes,
        scores: pieces.indices.map { Float($0) - 100 } + bytes.map { _ in 0 },
        kinds: [.unknown, .control] + pieces.dropFirst(2).map { _ in .normal }
          + bytes.map { _ in .byte },
        addsSpacePrefix: true), place: "small.gguf")
  }

  private func complaint(_ action: () throws -> Void) -> String {
    do {
      try action()
      return ""
    } catch {
      return "\(error)"
    }
  }

  @Test func whatMergesWithTheSeparatorIsRefused() throws {
    // Alone the answers are "▁A" and "▁B", in the prompt ":A" and ":B".
    let tokenizer = try sentencePiece("▁A", "▁B", ":A", ":B")
    #expect(try tokenizer.encode("A") == [6] && tokenizer.encode("B") == [7])
    let prompt = try prompt("{input}:{label}\n", "{input}:", tokenizer)
    #expect(prompt.tokens.contains(8) && prompt.tokens.contains(9))
    let line = complaint { _ = try prompt.contrast() }
    #expect(line.contains("tasks/small.json, template: label and separator merge into one token"))
    #expect(line.contains("\":\" and \"A\" give \":A\""), "\(line)")
    #expect(line.contains("write a space or a line break between them"))
    #expect(throws: UserError.self) { try prompt.answerTokens(for: "A") }
  }

  @Test func mergingInADemonstrationAloneIsRefused() throws {
    let tokenizer = try sentencePiece(":A")
    let prompt = try prompt("{input}:{label}\n", "{input}:", tokenizer)
    // The answers asked for stand apart, the first demonstration's does not.
    #expect(try prompt.answerTokens(for: "B") == [5])
    let line = complaint { _ = try prompt.contrast(right: "B", wrong: "C") }
    #expect(line.contains("\":\" and \"A\" give \":A\""), "\(line)")
  }

  @Test func answersAreCutWhereTheyStand() throws {
    // Each with the tokens of "A" and "B" that the prompt's own demonstrations have.
    for begin in [nil, 1] {
      let apart = try sentencePiece("▁A", "▁B")
      let direct = try prompt("{input}:{label}\n", "{input}:", apart, beginToken: begin)
      #expect(try direct.contrast() == Contrast(prefix: [], right: 4, wrong: 5))
      #expect(try direct.answerTokens(for: "B") == [5])
      let merging = try sentencePiece("▁A", "▁B", ":A", ":B")
      let spaced = try prompt("{input}: {label}\n", "{input}:", merging, beginToken: begin)
      #expect(try spaced.contrast() == Contrast(prefix: [], right: 6, wrong: 7))
      let below = try prompt("{input}:\n{label}\n", "{input}:\n", merging, beginToken: begin)
      #expect(try below.contrast() == Contrast(prefix: [], right: 4, wrong: 5))
      for prompt in [direct, spaced, below] {
        let contrast = try prompt.contrast()
        #expect(
          prompt.answerPositions.map { prompt.tokens[$0] } == [contrast.right, contrast.wrong])
      }
    }
  }

  @Test func textAfterTheAnswerCounts() throws {
    // "dog -> A; cat -> B; pear ->": the tokens are " A;" and " B;", there as in the answer.
    let tokenizer = FakeTokenizer.words()
    let prompt = try prompt("{input} -> {label}; ", "{input} ->", tokenizer)
    let contrast = try prompt.contrast()
    #expect(prompt.answerPositions.map { prompt.tokens[$0] } == [contrast.right, contrast.wrong])
    #expect(tokenizer.decode([contrast.right]) == " A;")
    #expect(try prompt.answerTokens(for: "A") == [contrast.right])
    #expect(
      try prompt.answerTokens(for: "Addis Ababa").map { tokenizer.decode([$0]) } == [
        " Addis", " Ababa;",
      ])
  }

  @Test func continuationIsWhatFollowsThePrompt() throws {
    for (_, tokenizer) in PromptTests.tokenizers.prefix(3) {
      let prompt = try prompt("{input} -> {label}\n", "{input} ->", tokenizer)
      let answer = try prompt.answerTokens(for: "Addis Ababa")
      #expect(
        answer.flatMap { tokenizer.bytes(of: $0) }.elementsEqual(" Addis Ababa".utf8))
      #expect(try tokenizer.encode(prompt.text + " Addis Ababa") == prompt.tokens + answer)
    }
    // In steps of four bytes the prompt ends in ">" and goes on with "> Ro": the last token of the prompt takes some of the answer.
    let chunks = try prompt("{input} -> {label}\n", "{input} ->", FakeTokenizer.chunks(4))
    #expect(complaint { _ = try chunks.answerTokens(for: "Rome") }.contains("merge into one token"))
  }

  @Test func aSpaceAtTheEndLeavesTheAnswerAfterIt() throws {
    let tokenizer = FakeTokenizer.words()
    let prompt = try prompt("{input} -> {label}\n", "{input} -> ", tokenizer)
    #expect(tokenizer.decode([prompt.tokens[prompt.lastPosition]]) == " ")
    let contrast = try prompt.contrast()
    #expect(tokenizer.decode([contrast.right]) == "A" && tokenizer.decode([contrast.wrong]) == "B")
    // The same where the vocabulary puts a space before texts.
    let pieces = try sentencePiece("▁A", "▁B")
    let spaced = try self.prompt("{input}: {label}\n", "{input}: ", pieces)
    #expect(spaced.tokens.last == 2)
    #expect(try spaced.contrast() == Contrast(prefix: [], right: 4, wrong: 5))
  }

  @Test func answersThatTokensDoNotGiveBackAreNamed() throws {
    let lossy = FakeTokenizer { bytes in bytes.filter { $0 < 0x80 }.map { [$0] } }
    let prompt = try prompt("{input} -> {label}\n", "{input} ->", lossy)
    let line = complaint { _ = try prompt.contrast(right: "é", wrong: "B") }
    #expect(line.contains("tasks/small.json") && line.contains("é"), "\(line)")
  }

  @Test func likelyMistakesInATemplateAreTold() throws {
    func warnings(_ demonstration: String, _ query: String) throws -> [String] {
      try Template(demonstration: demonstration, query: query, file: "tasks/small.json").warnings
    }
    #expect(try warnings("{input} -> {label}\n", "{input} ->").isEmpty)
    #expect(try warnings("Q: {input}\nA: {label}\n\n", "Q: {input}\nA:").isEmpty)
    #expect(try warnings("{input}\n{label}\n", "{input}\n").isEmpty)
    let space = try warnings("{input} -> {label}\n", "{input} -> ")
    #expect(
      space.count == 1 && space[0].contains("tasks/small.json, template.query: ends in a space"))
    for stray in ["{inptu} {input} -> {label}\n", "{input} }-> {label}\n", "{input} -> {label}{\n"]
    {
      let query = String(
        stray.prefix(upTo: stray.range(of: " {label}")?.lowerBound ?? stray.endIndex))
      let brace = try warnings(stray, query)
      #expect(brace.count == 1 && brace[0].contains("apart from {input} and {label}"))
    }
  }
}

extension Prompt {
  /// The tokens of the answer `candidate` in its place, up to the one that holds its last byte.
  func answerTokens(for candidate: String) throws -> [Int] {
    let answer = template.lead + candidate
    var rest = answer.utf8.count
    return try continuation(answer + template.closing).prefix { token in
      defer { rest -= tokenizer.bytes(of: token).count }
      return rest > 0
    }
  }
}
