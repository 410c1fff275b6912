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
  /// What was decided where the files leave room or contradict each other, for people to read.
  public internal(set) var notes: [String] = []
  /// Tensors of the files that the model is made of, sorted.
  var usedTensors: [String] = []
  /// Tensors of the files that no part of the model takes, sorted.
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
    let kind: Architecture.Norm.Kind
    let epsilon: Float
    /// `[width]`; ones where the norm has none.
    let weight: Tensor
    /// `[width]`, or none.
    let bias: Tensor?

    init(_ norm: Architecture.Norm, weight: Tensor, bias: Tensor?) {
      kind = norm.kind
      epsilon = norm.epsilon
      self.weight = weight
      self.bias = bias
    }

    /// The same division, without weight and bias.
    var plain: Norm {
      Norm(
        Architecture.Norm(kind, epsilon: epsilon),
        weight: Tensor(repeating: 1, shape: weight.shape), bias: nil)
    }
  }

  /// The norm of a position's queries or keys.
  struct HeadNorm: Sendable {
    /// Weights of all heads, `[heads · headWidth]`.
    let norm: Norm
    /// Values that are normalised together.
    let span: Int
  }

  /// One block's weights; matrices are `[outputs, inputs]`. A norm that the architecture lacks is nil.
  struct Block: Sendable {
    var attentionNorm: Norm?
    /// `[heads · headWidth, width]`.
    var query: PackedLinear
    /// `[keyValueHeads · headWidth, width]`.
    var key: PackedLinear
    /// `[keyValueHeads · headWidth, width]`.
    var value: PackedLinear
    var queryNorm: HeadNorm?
    var keyNorm: HeadNorm?
    /// `[width, heads · headWidth]`.
    var output: PackedLinear
    /// Of the attention's output.
    var attentionPostNorm: Norm?
    var mlpNorm: Norm?
    /// `[hiddenWidth, width]`, where the MLP is gated.
    var gate: PackedLinear?
    /// `[hiddenWidth, width]`.
    var up: PackedLinear
    /// `[width, hiddenWidth]`.
    var down: PackedLinear
    /// Of the MLP's output.
    var mlpPostNorm: Norm?
  }
}
