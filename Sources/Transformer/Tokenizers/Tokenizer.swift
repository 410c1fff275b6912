/// Text to token ids and back.
///
/// Both directions work on UTF-8 bytes: Swift's `String ==` is canonical equivalence and `Character`
/// a grapheme cluster, neither of which a tokenizer may use. No begin or end token is added: see
/// `BeginToken`.
public protocol Tokenizer: Sendable {
  /// Number of token ids.
  var vocabularySize: Int { get }

  /// Token ids of `text`.
  ///
  /// - Parameter parsingSpecialTokens: whether the text of a control token (`<|im_start|>`) becomes
  ///   that token; otherwise it is text like any other.
  /// - Throws: `UserError` where the model's files do not say how text is cut, or not in a way that
  ///   is known here; or for a text that the vocabulary cannot express.
  func encode(_ text: String, parsingSpecialTokens: Bool) throws -> [Int]

  /// The bytes that token `id` stands for; empty for an id outside the vocabulary.
  func bytes(of id: Int) -> [UInt8]

  /// The bytes that the sequence stands for.
  func bytes(of ids: [Int]) -> [UInt8]
}

extension Tokenizer {
  public func encode(_ text: String) throws -> [Int] {
    try encode(text, parsingSpecialTokens: false)
  }

  public func bytes(of ids: [Int]) -> [UInt8] { ids.flatMap { bytes(of: $0) } }

  /// The text of a sequence, with U+FFFD for each maximal ill-formed part.
  public func decode(_ ids: [Int]) -> String { String(decoding: bytes(of: ids), as: UTF8.self) }
}

/// What a model file says about its tokenizer (GGUF's `tokenizer.ggml.*`).
public struct TokenizerVocabulary: Sendable {
  /// GGUF's token types.
  public enum Kind: Int, Sendable {
    case normal = 1
    case unknown, control, userDefined, unused, byte
  }

  /// `tokenizer.ggml.model`: `gpt2` is byte-level BPE, `llama` is SentencePiece.
  public var model: String
  /// `tokenizer.ggml.pre`: how a byte-level BPE cuts text into pieces.
  public var preTokenizer: String?
  /// Piece texts as the file has them, by token id.
  public var pieces: [String]
  /// Piece scores by token id (SentencePiece), or empty.
  public var scores: [Float]
  /// Token kinds by token id, or empty where all are normal.
  public var kinds: [Kind]
  /// Merges in order of rank, each `left right` (byte-level BPE), or empty.
  public var merges: [String]
  /// `tokenizer.ggml.add_space_prefix`.
  public var addsSpacePrefix: Bool
  public var unknownID: Int?
  /// The begin token and whether texts start with it.
  public var begin: BeginToken

  public init(
    model: String, preTokenizer: String? = nil, pieces: [String], scores: [Float] = [],
    kinds: [Kind] = [], merges: [String] = [], addsSpacePrefix: Bool = false,
    unknownID: Int? = nil, begin: BeginToken = .none
  ) {
    self.model = model
    self.preTokenizer = preTokenizer
    self.pieces = pieces
    self.scores = scores
    self.kinds = kinds
    self.merges = merges
    self.addsSpacePrefix = addsSpacePrefix
    self.unknownID = unknownID
    self.begin = begin
  }
}
