/// Sums over axes, and their adjoint, repetition along axes.
extension Tensor {
  /// Sum of all values, of shape `[]`.
  public func sum() -> Tensor { summed(to: []) }

  /// Mean of all values, of shape `[]`.
  public func mean() -> Tensor { sum().scaled(by: 1 / Float(count)) }

  /// Sums over `axes`, which stay as extent 1; negative axes count from the end.
  public func sum(over axes: [Int]) -> Tensor {
    summed(to: reduced(axes, for: "sum"))
  }

  /// Means over `axes`, which stay as extent 1; negative axes count from the end.
  public func mean(over axes: [Int]) -> Tensor {
    let target = reduced(axes, for: "mean")
    return summed(to: target).scaled(by: Float(target.reduce(1, *)) / Float(count))
  }

  /// Sums over what broadcasting `target` to this shape repeats; a result of shape `target`.
  public func summed(to target: [Int]) -> Tensor {
    guard shape != target else { return self }
    let source = shape
    return SummationPlan(source, to: target).sums(of: self)
      .recorded(Pullback(self) { $0.broadcast(to: source) })
  }

  /// This tensor repeated to `target`, by NumPy's rule.
  public func broadcast(to target: [Int]) -> Tensor {
    guard shape != target else { return self }
    let source = shape
    let plan = BroadcastPlan(shape, target, for: "broadcast")
    precondition(plan.shape == target, "broadcast: \(shape) does not fit \(target)")
    return repeated(by: plan).recorded(Pullback(self) { $0.summed(to: source) })
  }

  private func reduced(_ axes: [Int], for operation: String) -> [Int] {
    var target = shape
    for axis in axes {
      let index = axis < 0 ? axis + shape.count : axis
      precondition(shape.indices.contains(index), "\(operation) over axis \(axis) of \(shape)")
      target[index] = 1
    }
    return target
  }

  private func repeated(by plan: BroadcastPlan) -> Tensor {
    let source = storage
    let extent = plan.inner.extent
    let out = FloatBuffer(count: plan.rows * extent)
    guard out.count > 0 else { return Tensor(adopting: out, shape: plan.shape) }
    Compute.pool.forEachRange(of: plan.rows, grain: max(Compute.grain / extent, 1)) { rows in
      for row in rows {
        let start = source.pointer + plan.offsets(of: row).a
        let target = out.pointer + row * extent
        if plan.inner.movesA {
          target.update(from: start, count: extent)
        } else {
          target.update(repeating: start[0], count: extent)
        }
      }
    }
    return Tensor(adopting: out, shape: plan.shape)
  }
}

/// How a tensor is summed to a smaller shape, always in the same order.
private struct SummationPlan {
  private struct Axis {
    var extent: Int
    var stride: Int
    var isSummed: Bool
  }

  private let target: [Int]
  private let kept: [Axis]
  private let summed: [Axis]
  private let inner: Axis

  init(_ source: [Int], to target: [Int]) {
    precondition(
      target.count <= source.count, "sum of a tensor of shape \(source) to \(target)")
    let padded = Array(repeating: 1, count: source.count - target.count) + target
    var axes: [Axis] = []
    for (extent, wanted) in zip(source, padded) {
      precondition(
        wanted == extent || wanted == 1, "sum of a tensor of shape \(source) to \(target)")
      guard extent != 1 else { continue }
      if var last = axes.last, last.isSummed == (wanted == 1) {
        last.extent *= extent
        axes[axes.count - 1] = last
      } else {
        axes.append(Axis(extent: extent, stride: 1, isSummed: wanted == 1))
      }
    }
    var stride = 1
    for index in axes.indices.reversed() {
      axes[index].stride = stride
      stride *= axes[index].extent
    }
    self.target = target
    inner = axes.popLast() ?? Axis(extent: 1, stride: 1, isSummed: false)
    kept = axes.filter { !$0.isSummed }
    summed = axes.filter { $0.isSummed }
  }

  private static func offset(_ index: Int, _ axes: [Axis]) -> Int {
    var rest = index
    var offset = 0
    for axis in axes.reversed() {
      offset += rest % axis.extent * axis.stride
      rest /= axis.extent
    }
    return offset
  }

  func sums(of x: Tensor) -> Tensor {
    let out = FloatBuffer(count: target.reduce(1, *))
    let source = x.storage
    let outputs = kept.reduce(1) { $0 * $1.extent }
    let runs = summed.reduce(1) { $0 * $1.extent }
    let extent = inner.extent
    guard x.count > 0 else { return Tensor(zeros: target) }
    if inner.isSummed {
      if outputs == 1, runs == 1 { return Tensor([total(source, count: extent)], shape: target) }
      let grain = max(Compute.grain / (runs * extent), 1)
      Compute.pool.forEachRange(of: outputs, grain: grain) { range in
        for output in range {
          let start = Self.offset(output, kept)
          var sum = 0.0
          for run in 0..<runs {
            sum += Double(
              rowSum(source.pointer + start + Self.offset(run, summed), count: extent))
          }
          out.pointer[output] = Float(sum)
        }
      }
    } else {
      let width = min(extent, 512)
      let parts = (extent + width - 1) / width
      let grain = max(Compute.grain / (runs * width), 1)
      Compute.pool.forEachRange(of: outputs * parts, grain: grain) { range in
        for index in range {
          let (output, part) = (index / parts, index % parts)
          let columns = min(width, extent - part * width)
          let start = source.pointer + Self.offset(output, kept) + part * width
          let target = out.pointer + output * extent + part * width
          target.update(from: start, count: columns)
          for run in 1..<max(runs, 1) {
            let row = start + Self.offset(run, summed)
            mapLanes(target, row, count: columns, into: target) { $0 + $1 }
          }
        }
      }
    }
    return Tensor(adopting: out, shape: target)
  }

  /// One long sum, cut in parts of fixed size.
  private func total(_ source: FloatBuffer, count: Int) -> Float {
    let parts = (count + Compute.grain - 1) / Compute.grain
    let sums = Compute.pool.map(parts) { part in
      let start = part * Compute.grain
      return Double(rowSum(source.pointer + start, count: min(Compute.grain, count - start)))
    }
    return Float(sums.reduce(0, +))
  }
}

/// Sum of a row, in 32 partial sums.
func rowSum(_ x: UnsafePointer<Float>, count: Int) -> Float {
  var (a, b, c, d) = (Lanes.zero, Lanes.zero, Lanes.zero, Lanes.zero)
  var index = 0
  while index + 32 <= count {
    a += x.lanes(index)
    b += x.lanes(index + 8)
    c += x.lanes(index + 16)
    d += x.lanes(index + 24)
    index += 32
  }
  while index + 8 <= count {
    a += x.lanes(index)
    index += 8
  }
  var sum = ((a + b) + (c + d)).sum()
  while index < count {
    sum += x[index]
    index += 1
  }
  return sum
}
