import TensorCore

/// A decoder-only transformer: what its file says it is, its weights and its tokenizer.
public struct LanguageModel: Sendable {
  public let architecture: Architecture
  public let tokenizer: any Tokenizer
  /// Where the model came from, for messages and manifests.
  public let path: String
  let weights: Weights

  struct Weights: Sendable {
    /// `[vocabulary, width]`.
    var embedding: StoredMatrix
    var blocks: [Block]
    /// `[width]`.
    var finalNorm: Tensor
    /// `[vocabulary, width]`; the embedding itself where the model ties them.
    var unembedding: PackedLinear
  }

  /// One block's weights; matrices are `[outputs, inputs]`.
  struct Block: Sendable {
    /// `[width]`.
    var attentionNorm: Tensor
    /// `[heads · headWidth, width]`.
    var query: PackedLinear
    /// `[keyValueHeads · headWidth, width]`.
    var key: PackedLinear
    /// `[keyValueHeads · headWidth, width]`.
    var value: PackedLinear
    /// `[width, heads · headWidth]`.
    var output: PackedLinear
    /// `[width]`.
    var mlpNorm: Tensor
    /// `[hiddenWidth, width]`.
    var gate: PackedLinear
    /// `[hiddenWidth, width]`.
    var up: PackedLinear
    /// `[width, hiddenWidth]`.
    var down: PackedLinear
  }
}
