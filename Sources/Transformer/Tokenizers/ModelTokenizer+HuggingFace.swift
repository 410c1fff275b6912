import Foundation
import TensorCore

extension ModelTokenizer {
  /// Of a folder as Hugging Face has it: `tokenizer.json`, or else `tokenizer.model`. Where these do
  /// not make a tokenizer, there is one that says why as soon as text is to be cut: token ids need
  /// none.
  ///
  /// - Parameter count: the number of token ids that the model's embedding has.
  init(folder: String, count: Int) {
    let path = "\(folder)/tokenizer.json"
    let model = "\(folder)/tokenizer.model"
    do {
      if FileManager.default.fileExists(atPath: path) {
        try self.init(json: path)
      } else if FileManager.default.fileExists(atPath: model) {
        try self.init(sentencePiece: model, folder: folder)
      } else {
        throw UserError(
          "the model has neither tokenizer.json nor tokenizer.model and takes token ids only",
          at: folder, remedy: "add the file, or use icl-probe run --tokens")
      }
    } catch {
      self.init(
        tokenizer: NonEncodingTokenizer(count: count, problem: UserError(any: error)),
        begin: .none)
    }
  }

  /// - Parameter path: a `tokenizer.json`.
  init(json path: String) throws { try self.init(HuggingFaceConfig(contentsOf: path)) }

  init(_ file: HuggingFaceConfig) throws {
    let vocabulary = try HuggingFaceVocabulary(file)
    begin = try BeginToken(file) { vocabulary.id(of: $0) }
    var decoder = TokenDecoder(vocabulary.texts)
    do {
      let normaliser = Normalizer(steps: try file.object("normalizer")?.normalizerSteps() ?? [])
      decoder = try file.tokenDecoder(vocabulary.texts(normalisedBy: normaliser))
      tokenizer = try BytePairTokenizer(file, vocabulary, normaliser, decoder: decoder)
    } catch {
      tokenizer = NonEncodingTokenizer(decoder, problem: UserError(any: error))
    }
  }

  private init(sentencePiece path: String, folder: String) throws {
    let file = try SentencePieceModelFile(path)
    let added = try Self.addedTokens(folder: folder, pieces: file.pieces)
    do {
      tokenizer = try SentencePieceTokenizer(file, addedTokens: added, place: path)
    } catch {
      let texts = file.vocabulary.sentencePieceTexts(adding: added)
      tokenizer = NonEncodingTokenizer(file.decoder(texts), problem: UserError(any: error))
    }
    let isControl =
      file.kinds.indices.contains(file.beginID) && file.kinds[file.beginID] == .control
    begin = try BeginToken(folder: folder, usual: isControl ? file.beginID : nil) { text in
      added.first { $0.text.elementsEqual(text.utf8) }?.id
        ?? file.pieces.firstIndex { $0.utf8.elementsEqual(text.utf8) }
    }
  }

  /// Tokens that the files beside a `tokenizer.model` add, or say more about:
  /// `added_tokens_decoder` of `tokenizer_config.json`, then `added_tokens.json`, whose tokens are
  /// special where `special_tokens_map.json` has them.
  private static func addedTokens(folder: String, pieces: [String]) throws -> [AddedToken] {
    var tokens: [AddedToken] = []
    let config = try config("tokenizer_config.json", in: folder)
    for (key, reader) in try config?.entries["added_tokens_decoder"]?.entries() ?? [] {
      guard let id = Int(key) else {
        throw UserError("\"\(key)\" is no token id", at: reader.place, remedy: "mend the key")
      }
      tokens.append(try HuggingFaceVocabulary.added(HuggingFaceConfig(reader), id: id))
    }
    let known = Set(tokens.map(\.id))
    let special = try specialTexts(try self.config("special_tokens_map.json", in: folder))
    let path = "\(folder)/added_tokens.json"
    guard FileManager.default.fileExists(atPath: path) else { return tokens }
    for (text, reader) in try JSONReader(contentsOf: path).entries() {
      let bytes = Array(text.utf8)
      let token = AddedToken(
        id: try reader.integer(in: 0...HuggingFaceVocabulary.mostTokens - 1), text: bytes,
        isSpecial: special.contains(bytes))
      if !known.contains(token.id) { tokens.append(token) }
    }
    return tokens
  }

  private static func config(_ name: String, in folder: String) throws -> HuggingFaceConfig? {
    let path = "\(folder)/\(name)"
    return FileManager.default.fileExists(atPath: path)
      ? try HuggingFaceConfig(contentsOf: path) : nil
  }

  /// The texts that a `special_tokens_map.json` has: texts, objects with a text, or lists of these.
  private static func specialTexts(_ map: HuggingFaceConfig?) throws -> Set<[UInt8]> {
    func texts(_ reader: JSONReader) throws -> [[UInt8]] {
      switch reader.value {
      case .array: try reader.list().flatMap(texts)
      case .object: [Array((try HuggingFaceConfig(reader).text("content") ?? "").utf8)]
      default: [Array(try reader.string().utf8)]
      }
    }
    return Set(try map?.entries.values.flatMap(texts) ?? [])
  }
}
