/// Where and how a family keeps its weights: the names are the family's, the roles are ours. Which of
/// them a model has is for its architecture to say.
struct CheckpointLayout: Sendable {
  /// The rows of queries, keys and values, each `heads · headWidth` of them.
  enum Projections: Sendable {
    case separate(query: String, key: String, value: String)
    /// One matrix: all queries, all keys, all values.
    case stacked(String)
    /// One matrix: for each key-value head its queries, its key, its value.
    case byGroup(String)
  }

  /// The rows of the MLP's first matrices.
  enum Hidden: Sendable {
    case plain(up: String)
    case gated(gate: String, up: String)
    /// One matrix: the gate, then the linear branch.
    case stacked(String)
  }

  /// Before all names but the unembedding's; some files leave it out, others put more before it.
  var prefix = ""
  var embedding: String
  var positions = ""
  var finalNorm: String
  var unembedding: String
  /// Before the number of a block.
  var block: String
  var attentionNorm = ""
  var projections: Projections
  /// `*` stands for the number of a head.
  var queryNorm = ""
  var keyNorm = ""
  var output: String
  var attentionPostNorm = ""
  var mlpNorm = ""
  var hidden: Hidden
  var down: String
  var mlpPostNorm = ""
  /// Values *2i* and *2i + 1* of a head form a rotary pair in the file, although the architecture has
  /// them in halves.
  var pairsAreNeighbours = false
  /// The matrices of blocks are `[inputs, outputs]`.
  var isTransposed = false
  /// What is added to the weights of norms.
  var normOffset: Float = 0
  /// Ends of the names of tensors that hold no weights: tables that older versions of transformers stored.
  var ignored: [String] = []

  func with(_ change: (inout CheckpointLayout) -> Void) -> CheckpointLayout {
    var copy = self
    change(&copy)
    return copy
  }
}
