/// A value made of tensors: what gradients are taken at, and what gradients look like.
public protocol TensorTree {
  /// The same value with every tensor replaced, always in the same order.
  func mapTensors(_ transform: (Tensor) -> Tensor) -> Self
}

extension TensorTree {
  /// All tensors, in the order of `mapTensors`.
  public var tensors: [Tensor] {
    var found: [Tensor] = []
    _ = mapTensors {
      found.append($0)
      return $0
    }
    return found
  }

  /// Number of values in all tensors.
  public var scalarCount: Int { tensors.reduce(0) { $0 + $1.count } }
}

extension Tensor: TensorTree {
  public func mapTensors(_ transform: (Tensor) -> Tensor) -> Tensor { transform(self) }
}

extension Array: TensorTree where Element: TensorTree {
  public func mapTensors(_ transform: (Tensor) -> Tensor) -> [Element] {
    map { $0.mapTensors(transform) }
  }
}
