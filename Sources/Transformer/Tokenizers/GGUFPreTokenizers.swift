import TensorCore

/// What a name of `tokenizer.ggml.pre` stands for: how text is cut into pieces, and whether a piece
/// of text that is a piece of the vocabulary is that token, merges or not.
///
/// Names and rules are those of llama.cpp's `llama-vocab.cpp`. Where it rewrites an expression for
/// want of a class or a flag, the expression of the model's own `tokenizer.json` stands here.
struct GGUFPreTokenizer {
  let preTokenizer: PreTokenizer
  let takesWholePieces: Bool

  /// - Parameter name: nil or empty stands for `default`, as in llama.cpp.
  /// - Throws: `UserError` at `place` for a name that is not known.
  init(named name: String?, place: String) throws {
    let name = name.flatMap { $0.isEmpty ? nil : $0 } ?? "default"
    guard let entry = Self.entries.first(where: { $0.names.contains(name) }) else {
      throw UserError(
        "unknown pre-tokenizer \"\(name)\" (tokenizer.ggml.pre)", at: place,
        remedy: "use a model file with another, or token ids")
    }
    takesWholePieces = entry.takesWholePieces
    preTokenizer = PreTokenizer(
      try entry.rules.map { rule in
        let pattern: SplitPattern =
          switch rule {
          case .rule(let rule): .rule(rule)
          case .expression(let text): .expression(try RegularExpression(text, place: place))
          }
        return .split(pattern, .isolated, inverts: false)
      })
  }

  private enum Rule {
    case rule(PieceRule)
    case expression(String)
  }

  private struct Entry {
    let names: Set<String>
    let rules: [Rule]
    var takesWholePieces = false
  }

  private static let entries: [Entry] = [
    Entry(
      names: ["default"],
      rules: [
        .expression(#"[\p{P}\$\+<=>\^~\|]+"#), .rule(.gpt2), .expression(#"\p{N}+"#),
        .expression("[0-9][0-9][0-9]"),
      ]),
    Entry(
      names: [
        "gpt-2", "gpt2", "phi-2", "mpt", "olmo", "jais", "trillion", "granite-docling", "exaone4",
        "jina-es", "jina-de", "jina-v2-es", "jina-v2-de", "jina-v1-en", "jina-v2-code",
        "roberta-bpe", "gigachat", "a.x-4.0", "mellum", "modern-bert",
      ], rules: [.rule(.gpt2)]),
    Entry(
      names: [
        "smollm", "starcoder", "refact", "command-r", "codeshell", "exaone", "minerva-7b",
        "mellum2",
      ], rules: [.rule(.smollm)]),
    Entry(
      names: [
        "llama3", "llama-v3", "llama-bpe", "falcon3", "falcon-h1", "pixtral", "midm-2.0", "lfm2",
        "jina-v5-nano", "glm4", "glm5",
      ], rules: [.rule(.lineAware(maximumDigits: 3))], takesWholePieces: true),
    Entry(
      names: ["dbrx", "smaug-bpe", "chatglm-bpe"], rules: [.rule(.lineAware(maximumDigits: 3))]),
    Entry(
      names: [
        "qwen2", "deepseek-r1-qwen", "kormo", "f2llmv2", "stablelm2", "megrez", "hunyuan",
        "solar-open", "grok-2",
      ], rules: [.rule(.lineAware(maximumDigits: 1))]),
    Entry(
      names: ["falcon"],
      rules: [
        .expression(#"[\p{P}\$\+<=>\^~\|`]+"#), .rule(.gpt2), .expression("[0-9][0-9][0-9]"),
      ]),
    Entry(
      names: ["tekken"], rules: [.expression(cased(suffix: "", digits: #"\p{N}"#))],
      takesWholePieces: true),
    Entry(
      names: ["gpt-4o", "llama4", "kanana2", "talkie", "minimax-m2"],
      rules: [
        .expression(cased(suffix: #"(?i:'s|'t|'re|'ve|'m|'ll|'d)?"#, digits: #"\p{N}{1,3}"#))
      ]),
    Entry(
      names: ["superbpe"],
      rules: [.expression(#"\p{N}+"#), .expression(#"(?=(\d{3})+(?!\d))"#)]),
    Entry(
      names: ["poro-chat", "bloom", "gpt3-finnish"],
      rules: [.expression(#" ?[^(\s|.,!?…。，、।۔،)]+"#)]),
    Entry(
      names: ["viking"],
      rules: [.expression(#" ?[^(\s|.,!?…。，、।۔،)]+"#), .expression(#"\p{N}"#)]),
    Entry(
      names: ["deepseek-coder"],
      rules: [
        .expression(#"[\r\n]"#), .expression(#"\s?\p{L}+"#), .expression(#"\s?\p{P}+"#),
        .expression(#"[一-龥ࠀ-一가-퟿]+"#), .expression(#"\p{N}"#),
      ]),
    Entry(
      names: ["deepseek-v3", "hunyuan-dense", "joyai-llm", "hy_v4"],
      rules: [
        .expression(#"\p{N}{1,3}"#), .expression("[一-龥぀-ゟ゠-ヿ]+"),
        .expression(
          ##"[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+"##
            + #"| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"#),
      ]),
    Entry(
      names: ["qwen35"],
      rules: [
        .expression(
          #"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}"#
            + #"| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"#)
      ]),
    Entry(
      names: ["bailingmoe", "bailingmoe2", "llada-moe"],
      rules: [
        .expression(
          #"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]++[\r\n]*"#
            + #"|\s*[\r\n]|\s+(?!\S)|\s+"#)
      ]),
    Entry(
      names: ["seed-coder"],
      rules: [
        .expression(
          #"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1}"#
            + #"| ?[^\s\p{L}\p{N}\r\n]+|\s*[\r\n]+|\s+(?!\S)|\s+"#)
      ]),
  ]

  /// The expression of tekken and GPT-4o, which heed case.
  private static func cased(suffix: String, digits: String) -> String {
    let prefix = #"[^\r\n\p{L}\p{N}]?"#
    let upper = #"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]"#
    let lower = #"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"#
    return "\(prefix)\(upper)*\(lower)+\(suffix)|\(prefix)\(upper)+\(lower)*\(suffix)|\(digits)"
      + #"| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"#
  }
}
