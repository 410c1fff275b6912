import TensorCore

extension TokenizerVocabulary {
  /// Reads a `tokenizer.json` of the tokenizers library, if it is a byte-level BPE with a
  /// pre-tokenizer that `PreTokenizer` knows.
  ///
  /// Of its post-processor only the begin token is taken: see `BeginToken`.
  ///
  /// - Throws: `UserError` for any other tokenizer.
  init(huggingFace path: String) throws {
    try self.init(HuggingFaceConfig(contentsOf: path))
  }

  init(_ file: HuggingFaceConfig) throws {
    let path = file.place
    guard let model = try file.object("model") else { throw file.missing("model") }
    // Files from before the key have vocabulary and merges only.
    let type = try model.text("type") ?? (model.has("merges") ? "BPE" : "missing")
    guard type == "BPE", try model.bool("byte_fallback") != true else {
      throw Self.unreadable(type == "BPE" ? "a BPE with byte fallback" : type, at: path)
    }
    let rule = try PreTokenizer.name(file)
    guard try model.bool("ignore_merges") ?? false == (rule == "llama-bpe") else {
      throw Self.unreadable("a \(rule) BPE with another rule for whole pieces", at: path)
    }
    let normaliser = try file.object("normalizer")?.text("type")
    guard normaliser == nil || normaliser == "NFC" else {
      throw Self.unreadable("a BPE with the normaliser \(normaliser ?? "")", at: path)
    }
    let (pieces, kinds) = try Self.pieces(file, model)
    self.init(
      model: "gpt2", preTokenizer: rule, pieces: pieces, kinds: kinds,
      merges: try model.list("merges").map { merge in
        if case .array = merge.value {
          return try merge.list().map { try $0.string() }.joined(separator: " ")
        }
        return try merge.string()
      },
      composesText: normaliser == "NFC", begin: try BeginToken(file, pieces: pieces))
  }

  fileprivate static func unreadable(_ kind: String, at path: String) -> UserError {
    UserError(
      "the tokenizer is \(kind), readable is a byte-level BPE", at: path,
      remedy: "use the model's GGUF file, or move this file away and give token ids")
  }

  /// Pieces and their kinds by token id; ids that nothing claims are unused.
  private static func pieces(
    _ file: HuggingFaceConfig, _ model: HuggingFaceConfig
  ) throws -> (pieces: [String], kinds: [Kind]) {
    guard let vocabulary = try model.object("vocab") else { throw model.missing("vocab") }
    let added = try file.has("added_tokens") ? file.list("added_tokens") : []
    var tokens = try vocabulary.entries.map { piece, id in
      (piece: piece, id: try id.integer(in: 0...mostTokens), kind: Kind.normal)
    }
    for reader in added {
      let token = try HuggingFaceConfig(reader)
      guard let text = try token.text("content") else { throw token.missing("content") }
      let isSpecial = try token.bool("special") ?? false
      tokens.append((text, try token.count("id"), isSpecial ? .control : .userDefined))
    }
    let count = (tokens.map(\.id).max() ?? -1) + 1
    guard count <= mostTokens else {
      throw UserError(
        "a token has the id \(count - 1)", at: file.place, remedy: "download the file again")
    }
    var pieces = (0..<count).map { "<\($0)>" }
    var kinds = Array(repeating: Kind.unused, count: count)
    for token in tokens {
      pieces[token.id] = token.piece
      kinds[token.id] = token.kind
    }
    return (pieces, kinds)
  }

  /// Far more than any vocabulary has; a damaged id would cost all memory.
  private static let mostTokens = 1 << 24
}

extension PreTokenizer {
  /// GGUF's name of the rule that a `tokenizer.json` spells out.
  fileprivate static func name(_ file: HuggingFaceConfig) throws -> String {
    guard let rule = try file.object("pre_tokenizer"), let type = try rule.text("type") else {
      throw TokenizerVocabulary.unreadable("without pre-tokenizer", at: file.place)
    }
    let steps =
      try type == "Sequence"
      ? rule.list("pretokenizers").map { try HuggingFaceConfig($0) } : [rule]
    let types = try steps.map { try $0.text("type") ?? "" }
    let addsSpace = try steps.contains { try $0.bool("add_prefix_space") ?? false }
    let matches = try steps.last?.bool("use_regex") ?? true
    switch types {
    case ["ByteLevel"] where matches && !addsSpace: return "gpt-2"
    case ["Digits", "ByteLevel"] where matches && !addsSpace:
      if try steps[0].bool("individual_digits") == true { return "smollm" }
    case ["Split", "ByteLevel"] where !matches && !addsSpace:
      let pattern = try steps[0].object("pattern")?.text("Regex")
      let isPlain = try steps[0].text("behavior") == "Isolated" && steps[0].bool("invert") != true
      if isPlain, pattern == lineAware(digits: #"\p{N}{1,3}"#) { return "llama-bpe" }
      if isPlain, pattern == lineAware(digits: #"\p{N}"#) { return "qwen2" }
    default: break
    }
    throw TokenizerVocabulary.unreadable(
      "a BPE with the pre-tokenizer \(types.joined(separator: ", ")) in settings not known here",
      at: file.place)
  }

  /// The published expression of Llama 3 and Qwen 2, which differ in how they cut numbers.
  private static func lineAware(digits: String) -> String {
    #"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|"# + digits
      + #"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"#
  }
}
