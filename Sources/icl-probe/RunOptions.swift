import TensorCore
import Terminal
import Transformer

/// What `icl-probe run` was asked for, checked as far as that needs no model.
struct RunOptions {
  enum Input {
    case text(String, parsesSpecialTokens: Bool)
    case ids([Int])
  }

  /// The model as the user calls it.
  let model: String
  let input: Input
  let top: Int
  /// Tokens whose logits are wanted, each once.
  let logits: [Int]
  /// Hook points to record, each once.
  let hooks: [HookPoint]
  /// Positions to record at, those below 0 counted from the end; nil for all.
  let positions: [Int]?
  /// File of interventions.
  let interventions: String?
  let showsTokens: Bool

  init(_ parsed: ParsedCommand) throws {
    model = parsed.string("model") ?? CommonOptions.defaultModel
    top = try parsed.integer("top", in: 1...Int.max) ?? 10
    logits = Self.unique(try parsed.integers("logits", in: 0...Int.max) ?? [])
    hooks = Self.unique(
      try parsed.strings("hook").map { try HookPoint(parsing: $0, place: "option '--hook'") })
    positions = parsed.string("positions") == "all" ? nil : try parsed.integers("positions")
    interventions = parsed.string("interventions")
    showsTokens = parsed.flag("show-tokens")

    switch (parsed.string("prompt"), try parsed.integers("tokens", in: 0...Int.max)) {
    case (let text?, nil):
      input = .text(
        parsed.flag("escapes") ? try EscapedText.unescaped(text, option: "prompt") : text,
        parsesSpecialTokens: parsed.flag("special"))
    case (nil, let ids?): input = .ids(ids)
    case (nil, nil):
      throw UserError(
        "there is nothing to run", remedy: "give --prompt TEXT or --tokens IDS", status: .usage)
    case (_?, _?):
      throw UserError(
        "--prompt and --tokens are both given", remedy: "leave out one of them", status: .usage)
    }
    try Self.require("prompt", for: ["escapes", "special"], parsed)
    try Self.require("hook", for: ["positions"], parsed)
  }

  /// An option that would change nothing is a mistake, not a wish.
  private static func require(
    _ needed: String, for options: [String], _ parsed: ParsedCommand
  ) throws {
    for option in options where parsed.flag(option) && !parsed.flag(needed) {
      throw UserError(
        "--\(option) does nothing without --\(needed)",
        remedy: "add --\(needed) or leave out --\(option)", status: .usage)
    }
  }

  private static func unique<Value: Hashable>(_ values: [Value]) -> [Value] {
    var seen: Set<Value> = []
    return values.filter { seen.insert($0).inserted }
  }

  func tokens(for model: LanguageModel) throws -> [Int] {
    switch input {
    case .ids(let ids): ids
    case .text(let text, _): try tokens(of: text, for: model)
    }
  }

  /// The tokens of a text, as the prompt's own text becomes tokens.
  func tokens(of text: String, for model: LanguageModel) throws -> [Int] {
    var special = false
    if case .text(_, let parsesSpecialTokens) = input { special = parsesSpecialTokens }
    return try CommonOptions.tokenizer(of: model).encode(text, parsingSpecialTokens: special)
  }

  /// The positions to record at in a sequence of `length` tokens, ascending, each once.
  func recordedPositions(length: Int) throws -> [Int] {
    // Without tokens the engine has something to say first.
    guard let positions, length > 0 else { return Array(0..<length) }
    let counted = try positions.map { position in
      guard -length..<length ~= position else {
        throw UserError(
          "position \(position) is out of range", at: "option '--positions'",
          remedy: "use 0 to \(length - 1), or -1 to \(-length) from the end", status: .usage)
      }
      return position < 0 ? position + length : position
    }
    return Set(counted).sorted()
  }
}
