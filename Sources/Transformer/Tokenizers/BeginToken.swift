import TensorCore

/// What a model's file says about the token that stands before a text, which the model has seen at
/// the start of nearly every text of its training.
///
/// - GGUF: `tokenizer.ggml.add_bos_token` and `bos_token_id`. Where the first is silent, llama.cpp's
///   defaults hold: SentencePiece has one, and of the byte-level BPEs those with Llama 3's rule.
/// - Folders: the post-processor of `tokenizer.json` decides, as in transformers 5, which ignores
///   `add_bos_token` beside it. Where the file has no post-processor, `add_bos_token` of
///   `tokenizer_config.json` decides, and where that is silent too, there is none.
public struct BeginToken: Sendable, Equatable {
  /// Whether the file says that a prompt starts with it.
  public var isExpected: Bool
  /// Its id, which may lie outside the vocabulary; nil where the file names none.
  public var id: Int?

  public init(isExpected: Bool, id: Int?) {
    self.isExpected = isExpected
    self.id = id
  }

  /// Of a file that knows no begin token.
  public static let none = BeginToken(isExpected: false, id: nil)
}

/// Whether prompts get the model's begin token.
public enum BeginTokenChoice: String, Sendable, CaseIterable {
  /// As the model's file says.
  case auto
  /// Whatever the file says.
  case yes
  case no

  /// The token to put before a prompt of `model`, or nil for none.
  ///
  /// - Throws: `UserError` if one is wanted, but the file names none, or one that the vocabulary has
  ///   not.
  public func token(for model: LanguageModel) throws -> Int? {
    let begin = model.beginToken
    guard self == .yes || (self == .auto && begin.isExpected) else { return nil }
    let wish = self == .yes ? "a begin token is asked for" : "a prompt starts with a begin token"
    guard let id = begin.id else {
      throw UserError(
        "\(wish), but the model's file names none that its vocabulary has", at: model.path,
        remedy: "use --bos no, or a file with \(Self.keys)")
    }
    let count = model.tokenizer.vocabularySize
    guard (0..<count).contains(id) else {
      throw UserError(
        "\(wish), but it is \(id) and there are \(count) tokens", at: model.path,
        remedy: "use --bos no, or a file with the right \(Self.keys)")
    }
    return id
  }

  private static let keys =
    "tokenizer.ggml.bos_token_id (GGUF) or bos_token (tokenizer_config.json)"
}

extension Tokenizer {
  /// Token ids of `text` behind `begin`, which is there once: a text that already starts with it, as
  /// a control token, gets no second.
  public func encode(_ text: String, parsingSpecialTokens: Bool, begin: Int?) throws -> [Int] {
    let ids = try encode(text, parsingSpecialTokens: parsingSpecialTokens)
    guard let begin, ids.first != begin else { return ids }
    return [begin] + ids
  }
}
