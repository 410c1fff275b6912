/// Parts of a tensor along an axis; the adjoint of cutting out is putting among zeros.
extension Tensor {
  /// The values at `range` of `axis`; negative axes count from the end.
  public func slice(_ axis: Int, _ range: Range<Int>) -> Tensor {
    let view = AxisView(shape, axis, for: "slice")
    precondition(
      range.lowerBound >= 0 && range.upperBound <= view.extent,
      "slice: \(range) of axis \(axis) of a tensor of shape \(shape)")
    guard range.count < view.extent else { return self }
    let out = FloatBuffer(count: view.outer * range.count * view.inner)
    copyBlocks(
      view.outer, count: range.count * view.inner, from: storage, at: range.lowerBound * view.inner,
      stride: view.extent * view.inner, to: out, at: 0, stride: range.count * view.inner)
    let (before, after) = (range.lowerBound, view.extent - range.upperBound)
    return Tensor(adopting: out, shape: view.shape(range.count)).recorded(
      Pullback(self) { $0.padded(axis, before: before, after: after) })
  }

  /// This tensor with zeros before and after it along `axis`.
  public func padded(_ axis: Int, before: Int, after: Int) -> Tensor {
    let view = AxisView(shape, axis, for: "padding")
    precondition(before >= 0 && after >= 0, "padding: \(before) before, \(after) after")
    guard before + after > 0 else { return self }
    let extent = before + view.extent + after
    let padded = Tensor(zeros: view.shape(extent))
    copyBlocks(
      view.outer, count: view.extent * view.inner, from: storage, at: 0,
      stride: view.extent * view.inner, to: padded.storage, at: before * view.inner,
      stride: extent * view.inner)
    let range = before..<before + view.extent
    return padded.recorded(Pullback(self) { $0.slice(axis, range) })
  }

  /// Tensors one after the other along `axis`; the other extents agree.
  public static func concatenated(_ tensors: [Tensor], _ axis: Int) -> Tensor {
    precondition(!tensors.isEmpty, "concatenation of no tensors")
    guard tensors.count > 1 else { return tensors[0] }
    let views = tensors.map { AxisView($0.shape, axis, for: "concatenation") }
    for view in views {
      precondition(
        view.shape(1) == views[0].shape(1),
        "concatenation along axis \(axis) of shapes \(tensors.map(\.shape))")
    }
    let extent = views.reduce(0) { $0 + $1.extent }
    let (outer, inner) = (views[0].outer, views[0].inner)
    let out = FloatBuffer(count: outer * extent * inner)
    var ranges: [Range<Int>] = []
    var start = 0
    for (tensor, view) in zip(tensors, views) {
      copyBlocks(
        outer, count: view.extent * inner, from: tensor.storage, at: 0,
        stride: view.extent * inner, to: out, at: start * inner, stride: extent * inner)
      ranges.append(start..<start + view.extent)
      start += view.extent
    }
    return Tensor(adopting: out, shape: views[0].shape(extent)).recorded(jointly: tensors) {
      [ranges] gradient, needs in
      ranges.indices.map { needs[$0] ? gradient.slice(axis, ranges[$0]) : nil }
    }
  }
}

/// A shape seen from one axis: what is before it, it, and what is after it.
private struct AxisView {
  let source: [Int]
  let axis: Int
  let outer: Int
  let extent: Int
  let inner: Int

  init(_ shape: [Int], _ axis: Int, for operation: String) {
    let index = axis < 0 ? axis + shape.count : axis
    precondition(
      shape.indices.contains(index), "\(operation) along axis \(axis) of a tensor of shape \(shape)"
    )
    source = shape
    self.axis = index
    outer = shape[..<index].reduce(1, *)
    extent = shape[index]
    inner = shape[(index + 1)...].reduce(1, *)
  }

  func shape(_ extent: Int) -> [Int] {
    var shape = source
    shape[axis] = extent
    return shape
  }
}

private func copyBlocks(
  _ blocks: Int, count: Int, from source: FloatBuffer, at sourceStart: Int,
  stride sourceStride: Int,
  to target: FloatBuffer, at targetStart: Int, stride targetStride: Int
) {
  guard count > 0 else { return }
  Compute.pool.forEachRange(of: blocks, grain: max(2 * Compute.grain / count, 1)) { range in
    for block in range {
      (target.pointer + targetStart + block * targetStride).update(
        from: source.pointer + sourceStart + block * sourceStride, count: count)
    }
  }
}
