/// What distinguishes one decoder-only transformer from another, as data: the one forward pass of this
/// module reads it and nothing else.
public struct Architecture: Codable, Sendable, Hashable {
  /// The family's name, as GGUF has it where it has one: `llama`.
  public var family: String
  /// Values of the residual stream (d_model).
  public var width: Int
  public var heads: Int
  /// Heads of keys and values; divides `heads`.
  public var keyValueHeads: Int
  /// Values of a head (d_head).
  public var headWidth: Int
  /// Values between the MLP's matrices (d_mlp).
  public var hiddenWidth: Int
  public var vocabulary: Int
  /// Longest sequence that the model takes.
  public var contextLength: Int
  /// What each block computes, from the first to the last.
  public var blocks: [Block]
  /// Before the unembedding.
  public var finalNorm: Norm
  /// Whether a learned vector of each position is added to the embedding.
  public var learnsPositions = false
  /// Factor of the token embedding.
  public var embeddingScale: Float = 1
  /// Whether the unembedding is the embedding.
  public var tiesUnembedding = false
  public var hasUnembeddingBias = false
  /// Factor of the logits, before their cap.
  public var logitScale: Float = 1
  /// Bound that logits approach smoothly, or none.
  public var logitSoftCap: Float?

  public var layers: Int { blocks.count }
  /// Query heads that share a key-value head.
  public var headsPerGroup: Int { heads / keyValueHeads }
  /// Values of all query heads of a position.
  public var queryWidth: Int { heads * headWidth }
  /// Values of all key heads of a position.
  public var keyWidth: Int { keyValueHeads * headWidth }

  /// First position that a query at `position` sees in block `layer`.
  public func firstVisible(from position: Int, layer: Int) -> Int {
    blocks[layer].firstVisible(from: position)
  }

  /// Which frequencies the rotations of a sequence use, where they depend on its length: sequences of
  /// the same number may share keys.
  func rotaryRegime(length: Int) -> Int {
    // One model does not mix scalings that depend on length.
    blocks.lazy.compactMap(\.rotary).map { $0.regime(length: length) }.max() ?? 0
  }
}
