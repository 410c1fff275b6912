import TensorCore

extension BytePairTokenizer {
  /// The encoding that a `tokenizer.json` of the tokenizers library describes. Its post-processor is
  /// `BeginToken`'s.
  ///
  /// - Throws: `UserError` that names the part of the file that is not known here.
  init(
    _ file: HuggingFaceConfig, _ vocabulary: HuggingFaceVocabulary, _ normaliser: Normalizer,
    decoder: TokenDecoder
  ) throws {
    guard let model = try file.object("model") else { throw file.missing("model") }
    // Files from before the key have vocabulary and merges only.
    let type = try model.text("type") ?? (model.has("merges") ? "BPE" : "missing")
    guard type == "BPE" else { throw file.unknown("model", type) }
    for key in ["continuing_subword_prefix", "end_of_word_suffix"] {
      // An empty one changes nothing.
      if let affix = try model.text(key), !affix.isEmpty { throw model.unknown(key, affix) }
    }
    if let dropout = try model.numberIfThere("dropout"), dropout != 0 {
      throw model.unknown("dropout", "\(dropout)")
    }
    let unknown = try model.text("unk_token").map { text in
      guard let id = vocabulary.modelID(of: text) else {
        throw UserError(
          "the unknown token \"\(text)\" is not in the vocabulary", at: model.place,
          remedy: "download the file again")
      }
      return id
    }
    var preTokenizer = PreTokenizer(try file.object("pre_tokenizer")?.preTokenizerSteps() ?? [])
    let table = ByteStringTable(vocabulary.modelTexts)
    // Where the alphabet comes last, the model reads the bytes themselves.
    var unit = BytePairModel.Unit.scalar
    if preTokenizer.steps.firstIndex(where: \.isAlphabet) == preTokenizer.steps.count - 1 {
      preTokenizer.steps.removeLast()
      preTokenizer.joinDigitsWithGPT2()
      unit = .byte
    }
    try self.init(
      addedTokens: vocabulary.addedTokens,
      normaliser: normaliser, preTokenizer: preTokenizer,
      model: BytePairModel(
        unit: unit, table: table,
        merges: MergeRanks(
          try model.merges(), pieces: table, repeats: .last, place: file.place),
        wholePieces: try model.bool("ignore_merges") ?? false ? { _ in true } : nil,
        fallsBackToBytes: try model.bool("byte_fallback") ?? false, unknown: unknown,
        fusesUnknown: try model.bool("fuse_unk") ?? false),
      decoder: decoder)
  }
}

extension HuggingFaceVocabulary {
  /// The id of a piece of the model's own vocabulary.
  fileprivate func modelID(of text: String) -> Int? {
    modelTexts.indices.first { modelTexts[$0].elementsEqual(text.utf8) }
  }
}

extension PreTokenizer.Step {
  fileprivate var isAlphabet: Bool { if case .alphabet = self { true } else { false } }
}

extension PreTokenizer {
  /// Digits one by one and then GPT-2's rule are SmolLM's rule, which is matched by hand.
  fileprivate mutating func joinDigitsWithGPT2() {
    guard steps.count == 2,
      case .split(.numbers, .isolated, inverts: false) = steps[0],
      case .split(.rule(.gpt2), .isolated, inverts: false) = steps[1]
    else { return }
    steps = [.split(.rule(.smollm), .isolated, inverts: false)]
  }
}

extension HuggingFaceConfig {
  fileprivate func merges() throws -> PieceMerges {
    let list = try list("merges")
    guard case .array? = list.first?.value else {
      return .lines(try list.map { try $0.string() })
    }
    return .pairs(
      try list.map { reader in
        let pair = try reader.list()
        guard pair.count == 2 else {
          throw UserError(
            "a merge has \(pair.count) pieces", at: reader.place, remedy: "download the file again")
        }
        return (try pair[0].string(), try pair[1].string())
      })
  }

  /// An error about a part of a tokenizer that is not known here.
  func unknown(_ part: String, _ value: String) -> UserError {
    UserError(
      "the tokenizer's \(part) is \(value), which is not known here", at: place,
      remedy: "use the model's GGUF file, or token ids")
  }
}
