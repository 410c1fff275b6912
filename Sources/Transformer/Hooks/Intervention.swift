import TensorCore

/// A change to the forward pass, as a value.
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
  /// Checks the intervention against the model and a sequence of `length` tokens.
  ///
  /// - Throws: `UserError` where a layer, position or head is out of range, a donor has another
  ///   width or length, or nothing would be touched.
  func validate(for architecture: Architecture, length: Int) throws {
    func check(_ values: [Int], below limit: Int, _ what: String, at place: String) throws {
      for value in values where value < 0 || value >= limit {
        throw UserError(
          "\(what) \(value) is out of range", at: place,
          remedy: limit > 0 ? "use 0 to \(limit - 1)" : nil)
      }
      guard Set(values).count == values.count else {
        throw UserError("a \(what) is named twice", at: place, remedy: "name each once")
      }
      guard !values.isEmpty else {
        throw UserError(
          "the intervention touches nothing: it names no \(what)", at: place,
          remedy: "name at least one \(what)")
      }
    }
    switch self {
    case .edit(let edit):
      let place = edit.hook.description
      try edit.hook.validate(for: architecture)
      try check(edit.positions, below: length, "position", at: place)
      if let heads = edit.heads {
        guard edit.hook.site.hasHeads else {
          throw UserError(
            "this hook point has no heads", at: place,
            remedy: "leave out heads or use attn.hook_z")
        }
        try check(heads, below: edit.hook.heads(in: architecture), "head", at: place)
      }
      switch edit.change {
      case .replace(let source), .add(let source):
        guard source.rows.count == edit.positions.count else {
          throw UserError(
            "the donor has \(source.rows.count) positions, the recipient \(edit.positions.count)",
            at: place, remedy: "name as many donor positions as recipient positions")
        }
        let width = edit.hook.width(in: architecture) ?? architecture.heads * length
        guard source.tensor.columns == width else {
          throw UserError(
            "the donor's rows have \(source.tensor.columns) values, this place has \(width)",
            at: place, remedy: "use a donor of the same model, hook point and length")
        }
        guard source.rows.allSatisfy({ $0 >= 0 && $0 < source.tensor.rows }) else {
          throw UserError("a donor row does not exist", at: place)
        }
      case .scale(let factor):
        guard factor.isFinite else {
          throw UserError("the factor \(factor) is not finite", at: place)
        }
      case .zero: break
      }
    case .knockout(let edges):
      let place = "knockout"
      try check([edges.layers.lowerBound], below: architecture.layers, "layer", at: place)
      try check([edges.layers.upperBound], below: architecture.layers, "layer", at: place)
      try check(edges.queries, below: length, "query", at: place)
      try check(edges.keys, below: length, "key", at: place)
      if let heads = edges.heads {
        try check(heads, below: architecture.heads, "head", at: place)
      }
      let touches = edges.layers.contains { layer in
        edges.queries.contains { query in
          let seen = architecture.firstVisible(from: query, layer: layer)...query
          return edges.keys.contains(where: seen.contains)
        }
      }
      guard touches else {
        throw UserError(
          "the knockout touches nothing: no query sees any of the keys", at: place,
          remedy: "a query sees keys at or before its own position, inside its layer's window")
      }
    }
  }
}
