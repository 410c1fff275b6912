import TensorCore

/// A change to the forward pass, as a value.
///
/// Interventions act where their hook point is passed, as TransformerLens' hooks do, and at one hook
/// point in the request's order. Between queries and values these places are: the scores, edits and
/// knockouts in one order, so that a later edit sees the −∞ of an earlier knockout and may undo it; the
/// softmax; edits of the pattern, which need not leave weights that sum to 1. A query sees no later
/// keys, nor any beyond a window: their scores stay −∞ and their weights 0.
public enum Intervention: Sendable {
  /// Changes activations at a hook point.
  case edit(ActivationEdit)
  /// Takes edges out of the attention.
  case knockout(EdgeKnockout)
}

/// Rows of a tensor, one for each position that an edit touches.
public struct RowSource: Sendable {
  /// `[anything, site width]`.
  public let tensor: Tensor
  /// Row of `tensor` for each position.
  public let rows: [Int]

  public init(_ tensor: Tensor, rows: [Int]) {
    self.tensor = tensor
    self.rows = rows
  }

  /// All rows of `tensor`, in order: one for each index of its first axis, so that recorded patterns,
  /// `[positions, heads, keys]`, fit as they are.
  public init(_ tensor: Tensor) {
    let count = tensor.shape.first ?? 0
    let rows =
      tensor.shape.count > 2
      ? Tensor(tensor.values, shape: [count, tensor.count / max(count, 1)]) : tensor
    self.init(rows, rows: Array(0..<count))
  }

  /// The same vector at each of `count` positions.
  public init(_ vector: [Float], count: Int) {
    self.init(
      Tensor(vector, shape: [1, vector.count]), rows: Array(repeating: 0, count: count))
  }
}

/// What happens to the activations at one hook point.
public struct ActivationEdit: Sendable {
  public enum Change: Sendable {
    case replace(RowSource)
    case add(RowSource)
    case scale(Float)
    case zero
  }

  public let hook: HookPoint
  /// Positions, ascending.
  public let positions: [Int]
  /// Heads, or nil for all and for sites without heads.
  public let heads: [Int]?
  public let change: Change

  /// - Parameter positions: in the order of the rows of `change`; sorted here.
  public init(
    at hook: HookPoint, positions: [Int], heads: [Int]? = nil, change: Change
  ) {
    let order = positions.indices.sorted { positions[$0] < positions[$1] }
    func reordered(_ source: RowSource) -> RowSource {
      guard source.rows.count == positions.count else { return source }
      return RowSource(source.tensor, rows: order.map { source.rows[$0] })
    }
    self.hook = hook
    self.positions = order.map { positions[$0] }
    self.heads = heads
    self.change =
      switch change {
      case .replace(let source): .replace(reordered(source))
      case .add(let source): .add(reordered(source))
      default: change
      }
  }

  /// Whether the new value does not depend on the old one.
  var replacesWholeRows: Bool {
    guard heads == nil else { return false }
    switch change {
    case .replace, .zero: return true
    case .add, .scale: return false
    }
  }
}

/// Edges that carry nothing: the score of each query of `queries` for each key of `keys` becomes −∞
/// before the softmax.
public struct EdgeKnockout: Sendable {
  public let layers: ClosedRange<Int>
  /// Query heads, or nil for all.
  public let heads: [Int]?
  public let queries: [Int]
  public let keys: [Int]

  public init(layers: ClosedRange<Int>, heads: [Int]? = nil, queries: [Int], keys: [Int]) {
    self.layers = layers
    self.heads = heads
    self.queries = queries.sorted()
    self.keys = keys.sorted()
  }
}

extension Intervention {
  /// Positions whose rows it changes, ascending: for knockouts, the queries.
  var touchedPositions: [Int] {
    switch self {
    case .edit(let edit): edit.positions
    case .knockout(let edges): edges.queries
    }
  }
}
