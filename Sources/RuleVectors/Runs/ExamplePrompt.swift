import Reports
import TensorCore

/// A prompt of a run, kept for the report.
public struct ExamplePrompt: Sendable {
  public struct Token: Sendable {
    public let text: String
    public let role: String
    public let demonstration: Int?
  }

  /// What the prompt is in the experiment: `clean`, `flipped-rule`, …
  public let name: String
  public let right: String
  public let wrong: String
  public let tokens: [Token]
}

extension ExamplePrompt {
  public var json: JSONValue {
    [
      "name": .string(name), "right": .string(right), "wrong": .string(wrong),
      "tokens": .array(
        tokens.map { token in
          [
            "text": .string(token.text), "role": .string(token.role),
            "demonstration": token.demonstration.map(JSONValue.integer) ?? .null,
          ]
        }),
    ]
  }

  init(_ reader: JSONReader) throws {
    let keys = try reader.object(required: ["name", "right", "wrong", "tokens"])
    name = try keys["name"]?.string() ?? ""
    right = try keys["right"]?.string() ?? ""
    wrong = try keys["wrong"]?.string() ?? ""
    tokens = try (keys["tokens"]?.list() ?? []).map { token in
      let keys = try token.object(required: ["text", "role", "demonstration"])
      let number = keys["demonstration"]
      return Token(
        text: try keys["text"]?.string() ?? "", role: try keys["role"]?.string() ?? "",
        demonstration: number?.value == .null ? nil : try number?.integer())
    }
  }
}

extension ExamplePrompt {
  /// The prompt for a page.
  ///
  /// - Parameter value: what an experiment measured at each token, with its position; nil for nothing.
  func spans(
    caption: String, valueNote: String? = nil, value: (Int, Token) -> Double? = { _, _ in nil }
  ) -> TokenSpans {
    TokenSpans(
      tokens: tokens.enumerated().map { index, token in
        TokenSpans.Token(
          text: token.text, role: token.role, demonstration: token.demonstration,
          value: value(index, token))
      }, caption: caption, valueNote: valueNote)
  }
}

extension Laboratory {
  /// The prompts of the first held-out episode in the roles that experiments give them.
  public func examplePrompts(_ subject: Subject) throws -> [ExamplePrompt] {
    let task: RuleTask
    switch subject {
    case .pairs(let pairs):
      return try pairs.pairs.prefix(1).flatMap { pair in
        try [("clean", pair.clean), ("corrupted", pair.corrupted)].map { name, text in
          let tokens = try (beginToken.map { [$0] } ?? []) + engine.model.tokenizer.encode(text)
          return ExamplePrompt(
            name: name, right: pair.right, wrong: pair.wrong,
            tokens: engine.model.tokenizer.texts(of: tokens).map {
              ExamplePrompt.Token(text: $0, role: "prompt", demonstration: nil)
            })
        }
      }
    case .task(let found): task = found
    }
    let episode = try episode(task, 0, .heldOut)
    let sampler = sampler(task)
    var variants: [(String, Episode)] = [("clean", episode)]
    if task.hasOtherRules {
      variants.append(("flipped-rule", try episode.flippedRule()))
      // A task may have too few items or dummies for a variant; that is an error only for a probe that
      // needs it.
      if let swapped = try? sampler.swappedSlots(of: episode) {
        variants.append(("swapped-slots", swapped))
      }
    }
    variants.append(("zero-shot", episode.zeroShot))
    if let dummies = try? sampler.dummyDemonstrations(of: episode) {
      variants.append(("dummy-demonstrations", dummies))
    }
    return try variants.map { name, variant in
      let prompt = try prompt(variant, task)
      let texts = engine.model.tokenizer.texts(of: prompt.tokens)
      return ExamplePrompt(
        name: name, right: variant.right, wrong: variant.wrong,
        tokens: prompt.tokens.indices.map { index in
          ExamplePrompt.Token(
            text: texts[index],
            role: prompt.roles[index].rawValue,
            demonstration: prompt.demonstrationIndices[index])
        })
    }
  }
}
