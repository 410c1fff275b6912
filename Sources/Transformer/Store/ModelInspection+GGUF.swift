extension ModelInspection {
  /// Takes what a GGUF file's metadata and table of tensors say.
  mutating func read(_ file: GGUFFile) {
    title = (try? file.string("general.name"))
    licence =
      (try? file.string("general.license.name"))
      ?? (try? file.string("general.license"))
    architecture = (try? file.string("general.architecture"))
    for tensor in file.tensors.values {
      add(
        tensorOf: file.type(tensor.name) ?? "unknown", parameters: tensor.rows * tensor.columns,
        bytes: tensor.byteCount)
    }
    readSizes(file)
    readTokenizer(file)
  }

  private mutating func readSizes(_ file: GGUFFile) {
    guard let architecture else { return }
    func size(_ key: String) -> Int? { (try? file.integer("\(architecture).\(key)")) }
    let width = size("embedding_length")
    let heads = size("attention.head_count")
    let sizes: [(String, Int?)] = [
      ("layers", size("block_count")), ("width", width), ("heads", heads),
      ("key-value heads", size("attention.head_count_kv") ?? heads),
      ("head width", size("attention.key_length") ?? Self.headWidth(width, heads)),
      ("MLP width", size("feed_forward_length")), ("experts", size("expert_count")),
      ("vocabulary", file.tensors["token_embd.weight"]?.rows ?? size("vocab_size")),
      ("context", size("context_length")),
    ]
    shapes = sizes.compactMap { name, value in value.map { (name, $0) } }
  }

  private mutating func readTokenizer(_ file: GGUFFile) {
    guard let model = (try? file.string("tokenizer.ggml.model")) else { return }
    let kinds = [
      "gpt2": "byte-level BPE", "llama": "SentencePiece", "bert": "WordPiece",
      "t5": "SentencePiece unigram",
    ]
    tokenizer = kinds[model] ?? model
    // SentencePiece has no pre-tokenizer, whatever a converter wrote there.
    if model != "llama", let rules = (try? file.string("tokenizer.ggml.pre")) {
      tokenizer? += ", pre-tokenizer \(rules)"
    }
    if case .array(let pieces)? = file.metadata["tokenizer.ggml.tokens"] { tokens = pieces.count }
    let id = (try? file.integer("tokenizer.ggml.bos_token_id"))
    guard let isExpected = (try? file.bool("tokenizer.ggml.add_bos_token")) else { return }
    let pieces = try? file.strings("tokenizer.ggml.tokens")
    let text = id.flatMap { id in pieces.flatMap { $0.indices.contains(id) ? $0[id] : nil } }
    begin = Begin(id: id, text: text, isExpected: isExpected)
  }

  static func headWidth(_ width: Int?, _ heads: Int?) -> Int? {
    guard let width, let heads, heads > 0 else { return nil }
    return width / heads
  }
}
