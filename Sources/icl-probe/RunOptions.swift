import TensorCore
import Terminal
import Transformer

/// What `icl-probe run` was asked for, checked as far as that needs no model.
struct RunOptions {
  /// The model as the user calls it.
  let model: String
  let input: PromptInput
  let top: Int
  /// Tokens whose logits are wanted, each once.
  let logits: [Int]
  /// Hook points to record, each once.
  let hooks: [HookPoint]
  /// Positions to record at, those below 0 counted from the end; nil for all.
  let positions: [Int]?
  /// Whether the likeliest next tokens are listed: always but where text is generated.
  let showsTop: Bool
  let showsTokens: Bool

  init(_ parsed: ParsedCommand) throws {
    model = parsed.string("model") ?? CommonOptions.defaultModel
    top = try parsed.integer("top", in: 1...Int.max) ?? 10
    logits = Self.unique(try parsed.integers("logits", in: 0...Int.max) ?? [])
    hooks = Self.unique(
      try parsed.strings("hook").map { try HookPoint(parsing: $0, place: "option '--hook'") })
    positions = parsed.string("positions") == "all" ? nil : try parsed.integers("positions")
    showsTop = parsed.flag("top") || !parsed.flag("generate")
    showsTokens = parsed.flag("show-tokens")

    input = try PromptInput(parsed)
    try parsed.refuse("positions", unless: "hook")
    try parsed.refuse("temperature", "every-token", "ignore-end", unless: "generate")
    try parsed.refuse("seed", unless: "temperature")
  }

  private static func unique<Value: Hashable>(_ values: [Value]) -> [Value] {
    var seen: Set<Value> = []
    return values.filter { seen.insert($0).inserted }
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
