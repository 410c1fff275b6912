import TensorCore

/// A decoder-only transformer: what its file says it is, its weights and its tokenizer.
public struct LanguageModel: Sendable {
  public let architecture: Architecture
  public let tokenizer: any Tokenizer
  /// What the file says about a token before a prompt; `BeginTokenChoice` acts on it.
  public let beginToken: BeginToken
  /// Where the model came from, for messages and manifests.
  public let path: String
  let weights: Weights
  /// Tokens after which a text of the model's own ends, as its files name them; maybe none.
  public internal(set) var endTokens: Set<Int> = []
  /// What was decided where the file leaves a choice or contradicts itself, a sentence each.
  public internal(set) var notes: [String] = []
  /// Tensors of the file that no layer uses, by name.
  public internal(set) var unusedTensors: [String] = []

  /// The file's or folder's own name, without `.gguf`: what tables and headings call the model.
  public var name: String {
    let last = path.split(separator: "/").last.map(String.init) ?? path
    return last.hasSuffix(".gguf") ? String(last.dropLast(5)) : last
  }

  struct Weights: Sendable {
    /// `[vocabulary, width]`.
    var embedding: StoredMatrix
    /// `[contextLength, width]`, where positions are learned.
    var positions: StoredMatrix?
    var blocks: [Block]
    var finalNorm: Norm
    /// `[vocabulary, width]`; the embedding itself where the model ties them.
    var unembedding: PackedLinear
  }

  struct Norm: Sendable {
    /// `[width]`.
    var weight: Tensor
    /// `[width]`, of layer norms.
    var bias: Tensor?
  }

  /// One block's weights; matrices are `[outputs, inputs]`.
  struct Block: Sendable {
    var attentionNorm: Norm
    /// `[heads · headWidth, width]`.
    var query: PackedLinear
    /// `[keyValueHeads · headWidth, width]`.
    var key: PackedLinear
    /// `[keyValueHeads · headWidth, width]`.
    var value: PackedLinear
    /// `[headWidth]`, where heads are normalised.
    var queryNorm: Tensor?
    /// `[headWidth]`, where heads are normalised.
    var keyNorm: Tensor?
    /// `[width, heads · headWidth]`.
    var output: PackedLinear
    /// Of the attention's output, where norms follow branches.
    var attentionPostNorm: Norm?
    var mlpNorm: Norm
    /// `[hiddenWidth, width]`, where the MLP is gated.
    var gate: PackedLinear?
    /// `[hiddenWidth, width]`.
    var up: PackedLinear
    /// `[width, hiddenWidth]`.
    var down: PackedLinear
    /// Of the MLP's output, where norms follow branches.
    var mlpPostNorm: Norm?
  }
}
