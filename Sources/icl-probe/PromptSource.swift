import Foundation
import RuleVectors
import TensorCore
import Terminal
import Transformer

/// A prompt to record, and what is known of its tokens.
struct PromptSource {
  /// The text, or nil where only tokens were given.
  let text: String?
  let tokens: [Int]
  /// Of a task's prompts, one for each token.
  var roles: [TokenRole]?
  var demonstrations: [Int?]?
  var episode: Episode?

  /// The prompts of a file with one JSON value a line: a text, `{"text": …}` or `{"tokens": […]}`.
  static func read(_ path: String, model: LanguageModel, begin: Int?) throws -> [PromptSource] {
    let lines = try Files.read(path).split(separator: UInt8(ascii: "\n"))
    let prompts = try lines.enumerated().compactMap { number, line -> PromptSource? in
      let place = "\(path), line \(number + 1)"
      guard line.contains(where: { !" \t\r".utf8.contains($0) }) else { return nil }
      let reader = JSONReader(try JSONValue(parsing: Data(line), place: place), place: place)
      if case .string(let text) = reader.value { return try prompt(text, model, begin, place) }
      let fields = try reader.object(required: [], optional: ["text", "tokens"])
      switch (fields["text"], fields["tokens"]) {
      case (let text?, nil): return try prompt(try text.string(), model, begin, text.place)
      case (nil, let tokens?):
        let ids = try tokens.list().map { try $0.integer(in: 0...Int.max) }
        guard !ids.isEmpty else { throw empty(tokens.place) }
        return PromptSource(text: nil, tokens: ids)
      default:
        throw UserError(
          "the prompt has \(fields.isEmpty ? "neither text nor tokens" : "both text and tokens")",
          at: place, remedy: "write a JSON text, {\"text\": …} or {\"tokens\": […]}")
      }
    }
    guard !prompts.isEmpty else {
      throw UserError("holds no prompts", at: path, remedy: "write one JSON text a line")
    }
    return prompts
  }

  private static func prompt(
    _ text: String, _ model: LanguageModel, _ begin: Int?, _ place: String
  ) throws -> PromptSource {
    let tokens = try CommonOptions.tokenizer(of: model)
      .encode(text, parsingSpecialTokens: false, begin: begin)
    guard !tokens.isEmpty else { throw empty(place) }
    return PromptSource(text: text, tokens: tokens)
  }

  private static func empty(_ place: String) -> UserError {
    UserError("the prompt has no tokens", at: place, remedy: "give at least one")
  }

  /// The held-out prompts of a task's first episodes.
  static func episodes(
    _ count: Int, shots: Int, of task: RuleTask, seed: UInt64, model: LanguageModel,
    begin: Int?
  ) throws -> [PromptSource] {
    let tokenizer = try CommonOptions.tokenizer(of: model)
    let sampler = EpisodeSampler(task: task)
    return try (0..<count).map { index in
      let episode = try sampler.episode(
        index: index, split: .heldOut, demonstrations: shots, seed: seed)
      let prompt = try Prompt(
        episode, template: task.template, tokenizer: tokenizer, beginToken: begin)
      return PromptSource(
        text: prompt.text, tokens: prompt.tokens, roles: prompt.roles,
        demonstrations: prompt.demonstrationIndices, episode: episode)
    }
  }

  /// What the index says of the prompt as a whole.
  var json: JSONValue {
    var pairs: [(key: String, value: JSONValue)] = [
      ("text", text.map(JSONValue.string) ?? .null), ("tokens", .integer(tokens.count)),
    ]
    if let episode {
      pairs += [
        ("episode", .integer(episode.index)), ("right", .string(episode.right)),
        ("wrong", .string(episode.wrong)),
      ]
    }
    return .object(pairs)
  }
}
