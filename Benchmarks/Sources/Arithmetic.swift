import Transformer

/// Floating-point operations that a result needs, whatever is computed to get it.
///
/// Counted are two operations for each weight of a matrix that a row is multiplied by, two for each
/// value of each key and value that a query may see (causal: the query itself and what is before
/// it), and the unembedding of the rows that are read. Not counted are unpacking, norms, softmax,
/// rotation and activations: a share of the peak pays for them.
struct Arithmetic {
  let architecture: Architecture

  private var width: Double { Double(architecture.width) }

  /// One row through the matrices of its key and value.
  private var keyValueRow: Double { 2 * width * 2 * Double(architecture.keyWidth) }

  /// One row through the other matrices of a block.
  private var blockRow: Double {
    2 * width * (2 * Double(architecture.queryWidth) + 3 * Double(architecture.hiddenWidth))
  }

  /// One row through all matrices of a block.
  var row: Double { keyValueRow + blockRow }

  /// Logits of the whole vocabulary of one row.
  var unembeddedRow: Double { 2 * width * Double(architecture.vocabulary) }

  /// Scores and weighted values of the queries at `positions`.
  private func attention(_ positions: Range<Int>) -> Double {
    // Position p sees p + 1 keys.
    let edges = positions.reduce(0) { $0 + $1 + 1 }
    return 4 * Double(edges * architecture.queryWidth)
  }

  private func block(keys: Int, rows: Range<Int>) -> Double {
    Double(keys) * keyValueRow + Double(rows.count) * blockRow + attention(rows)
  }

  /// A prompt whose last position is read: in the last block only that row goes on past the keys.
  func prompt(tokens: Int) -> Double {
    Double(architecture.layers - 1) * block(keys: tokens, rows: 0..<tokens)
      + block(keys: tokens, rows: tokens - 1..<tokens)
  }

  /// What remains when a prompt has been recorded, the residual stream after `layer` is replaced at
  /// `positions`, and the last position is read.
  func patch(tokens: Int, layer: Int, positions: [Int]) -> Double {
    guard let first = positions.first, layer + 1 < architecture.layers else { return 0 }
    let last = architecture.layers - 1
    return (layer + 1...last).reduce(0) { sum, layerAfter in
      // Right after the patch, only the patched rows have new keys.
      let keys = layerAfter == layer + 1 ? positions.count : tokens - first
      return sum + block(keys: keys, rows: (layerAfter == last ? tokens - 1 : first)..<tokens)
    }
  }

  /// What remains when a prompt has been recorded, one head's output in `layer` is replaced at
  /// `positions`, the last among them, and the last position is read.
  func patchedHead(tokens: Int, layer: Int, positions: [Int]) -> Double {
    let last = architecture.layers - 1
    // In the block itself, what follows attention: its output matrix and the MLP.
    let behind = blockRow - 2 * width * Double(architecture.queryWidth)
    return Double(layer == last ? 1 : positions.count) * behind
      + patch(tokens: tokens, layer: layer, positions: positions)
  }
}
