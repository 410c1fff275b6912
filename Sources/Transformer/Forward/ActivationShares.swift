/// How the memory for activations is shared out.
///
/// What shapes a product, and so its rounding, is bounded by fixed shares: how requests are cut into
/// batches depends on them and on the budget, never on threads or on what else is alive.
struct ActivationShares: Sendable {
  /// Bytes of all activations together.
  let limit: Int
  /// Most rows of a batch, where a caller chose them; nil for an eighth of the memory.
  let chosenRows: Int?
  let architecture: Architecture

  /// Bytes that a row of a batch costs: state twice, normed, branch; queries, grouped queries, mixed
  /// values; keys and values twice; the MLP's two hidden rows.
  var rowBytes: Int {
    Self.floatBytes
      * (4 * architecture.width + 3 * architecture.queryWidth + 4 * architecture.keyWidth
        + 2 * architecture.hiddenWidth)
  }

  /// Most rows that a batch holds at a time.
  var rowBudget: Int { max(chosenRows ?? limit / 8 / rowBytes, 1) }

  /// Bytes of a row of what each head adds to the attention's output.
  var headRowBytes: Int { architecture.heads * architecture.width * Self.floatBytes }

  /// Most rows of a batch that are taken apart by head.
  var headRowBudget: Int { max(limit / 4 / headRowBytes, 1) }

  /// Rows whose logits are computed together: the whole vocabulary of more would not stay in cache.
  var logitRows: Int { min(64, wholeLogitRows) }

  /// Rows of logits over the whole vocabulary that an eighth of the memory holds.
  private var wholeLogitRows: Int {
    max(limit / 8 / (architecture.vocabulary * Self.floatBytes), 1)
  }

  /// Positions whose whole logits somebody keeps at a time, a multiple of those that are computed
  /// together.
  var keptLogitRows: Int { wholeLogitRows / logitRows * logitRows }

  /// Queries of one attention task: so many that the products are large, so few that scores stay in
  /// cache and that a thread's scratch memory keeps to a 64th.
  ///
  /// - Parameter keys: tokens of the batch's longest request.
  func queries(keys: Int) -> Int {
    let most = 64
    let fixed = AttentionTask.scratchCount(architecture, queries: 0, keys: keys)
    let each = AttentionTask.scratchCount(architecture, queries: 1, keys: keys) - fixed
    return min(most, max((limit / 64 / Self.floatBytes - fixed) / each, 1))
  }

  /// The same with another limit.
  func with(limit: Int) -> Self {
    Self(limit: limit, chosenRows: chosenRows, architecture: architecture)
  }

  static let floatBytes = MemoryLayout<Float>.stride
}
