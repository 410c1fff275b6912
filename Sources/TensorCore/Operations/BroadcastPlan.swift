/// How two shapes meet: axes are aligned at the end, and an axis of extent 1 stands for any extent
/// (NumPy's rule). Neighbouring axes that behave alike are taken together.
struct BroadcastPlan {
  struct Axis {
    var extent: Int
    var movesA: Bool
    var movesB: Bool
  }

  let shape: [Int]
  /// Collapsed axes but the last.
  let outer: [Axis]
  /// The collapsed last axis.
  let inner: Axis
  /// Number of runs along the last axis.
  let rows: Int

  init(_ a: [Int], _ b: [Int], for operation: String) {
    let rank = max(a.count, b.count)
    let paddedA = Array(repeating: 1, count: rank - a.count) + a
    let paddedB = Array(repeating: 1, count: rank - b.count) + b
    var axes: [Axis] = []
    var shape: [Int] = []
    for (x, y) in zip(paddedA, paddedB) {
      precondition(
        x == y || x == 1 || y == 1, "\(operation): shapes \(a) and \(b) do not broadcast")
      let extent = x == 1 ? y : x
      shape.append(extent)
      guard extent != 1 else { continue }
      if var last = axes.last, last.movesA == (x != 1), last.movesB == (y != 1) {
        last.extent *= extent
        axes[axes.count - 1] = last
      } else {
        axes.append(Axis(extent: extent, movesA: x != 1, movesB: y != 1))
      }
    }
    self.shape = shape
    inner = axes.popLast() ?? Axis(extent: 1, movesA: true, movesB: true)
    outer = axes
    rows = axes.reduce(1) { $0 * $1.extent }
  }

  /// Where run `row` begins in both operands.
  func offsets(of row: Int) -> (a: Int, b: Int) {
    var rest = row
    var a = 0
    var b = 0
    var strideA = inner.movesA ? inner.extent : 1
    var strideB = inner.movesB ? inner.extent : 1
    for axis in outer.reversed() {
      let index = rest % axis.extent
      rest /= axis.extent
      if axis.movesA {
        a += index * strideA
        strideA *= axis.extent
      }
      if axis.movesB {
        b += index * strideB
        strideB *= axis.extent
      }
    }
    return (a, b)
  }
}

/// `function` of two tensors that broadcast, value by value.
@inline(__always)
func combined(
  _ a: Tensor, _ b: Tensor, _ operation: String,
  _ function: @escaping @Sendable (Lanes, Lanes) -> Lanes
) -> Tensor {
  let plan = BroadcastPlan(a.shape, b.shape, for: operation)
  let (x, y) = (a.storage, b.storage)
  let count = plan.rows * plan.inner.extent
  let out = FloatBuffer(count: count)
  let extent = plan.inner.extent
  guard count > 0 else { return Tensor(adopting: out, shape: plan.shape) }
  if plan.outer.isEmpty, plan.inner.movesA, plan.inner.movesB {
    Compute.pool.forEachRange(of: count, grain: Compute.grain) { range in
      let start = range.lowerBound
      mapLanes(
        x.pointer + start, y.pointer + start, count: range.count, into: out.pointer + start,
        function)
    }
    return Tensor(adopting: out, shape: plan.shape)
  }
  Compute.pool.forEachRange(of: plan.rows, grain: max(Compute.grain / extent, 1)) { rows in
    for row in rows {
      let start = plan.offsets(of: row)
      let (x, y) = (x.pointer + start.a, y.pointer + start.b)
      let out = out.pointer + row * extent
      switch (plan.inner.movesA, plan.inner.movesB) {
      case (true, true): mapLanes(x, y, count: extent, into: out, function)
      case (true, false):
        let value = Lanes(repeating: y[0])
        mapLanes(x, count: extent, into: out) { function($0, value) }
      case (false, _):
        let value = Lanes(repeating: x[0])
        mapLanes(y, count: extent, into: out) { function(value, $0) }
      }
    }
  }
  return Tensor(adopting: out, shape: plan.shape)
}

/// `function` of a tensor, value by value.
@inline(__always)
func mapped(_ x: Tensor, _ function: @escaping @Sendable (Lanes) -> Lanes) -> Tensor {
  let source = x.storage
  let out = FloatBuffer(count: x.count)
  Compute.pool.forEachRange(of: x.count, grain: Compute.grain) { range in
    let start = range.lowerBound
    mapLanes(
      source.pointer + start, count: range.count, into: out.pointer + start, function)
  }
  return Tensor(adopting: out, shape: x.shape)
}

/// `function` of two tensors of the same shape, value by value, for fused kernels.
@inline(__always)
func mapped(
  _ x: Tensor, _ y: Tensor, _ function: @escaping @Sendable (Lanes, Lanes) -> Lanes
) -> Tensor {
  combined(x, y, "element-wise kernel", function)
}
