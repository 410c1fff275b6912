extension Tensor {
  /// Axes in another order: axis `order[i]` becomes axis `i`.
  public func permuted(_ order: [Int]) -> Tensor {
    precondition(
      order.sorted() == Array(shape.indices), "permutation: \(order) of a tensor of shape \(shape)")
    var inverse = order
    for (index, axis) in order.enumerated() { inverse[axis] = index }
    return permutedValues(order).recorded(Pullback(self) { [inverse] in $0.permuted(inverse) })
  }

  /// The last two axes exchanged.
  public func transposed() -> Tensor {
    precondition(shape.count >= 2, "transposition of a tensor of shape \(shape)")
    var order = Array(shape.indices)
    order.swapAt(order.count - 1, order.count - 2)
    return permuted(order)
  }

  private func permutedValues(_ order: [Int]) -> Tensor {
    var strides = [Int](repeating: 1, count: shape.count)
    for axis in shape.indices.dropLast().reversed() {
      strides[axis] = strides[axis + 1] * shape[axis + 1]
    }
    let target = order.map { shape[$0] }
    let steps = order.map { strides[$0] }
    let (extent, step) = (target.last ?? 1, steps.last ?? 1)
    let (outer, outerSteps) = (Array(target.dropLast()), Array(steps.dropLast()))
    let source = storage
    let out = FloatBuffer(count: count)
    guard count > 0 else { return Tensor(adopting: out, shape: target) }
    Compute.pool.forEachRange(of: count / extent, grain: max(Compute.grain / extent, 1)) { rows in
      for row in rows {
        var rest = row
        var offset = 0
        for axis in outer.indices.reversed() {
          offset += rest % outer[axis] * outerSteps[axis]
          rest /= outer[axis]
        }
        let from = source.pointer + offset
        let to = out.pointer + row * extent
        if step == 1 {
          to.update(from: from, count: extent)
        } else {
          for index in 0..<extent { to[index] = from[index * step] }
        }
      }
    }
    return Tensor(adopting: out, shape: target)
  }
}
