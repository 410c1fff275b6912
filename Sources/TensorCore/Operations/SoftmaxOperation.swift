/// Softmax and its relatives over the last axis.
extension Tensor {
  /// Softmax of `scale · x` over the last axis.
  public func softmax(scale: Float = 1) -> Tensor {
    let columns = columns
    let source = storage
    let out = FloatBuffer(count: count)
    let grain = max(Compute.grain / max(columns, 1), 1)
    Compute.pool.forEachRange(of: rows, grain: grain) { range in
      let start = range.lowerBound * columns
      (out.pointer + start).update(from: source.pointer + start, count: range.count * columns)
      for row in range {
        TensorCore.softmax(out.pointer + row * columns, count: columns, scale: scale)
      }
    }
    return Tensor(adopting: out, shape: shape).recorded(
      Pullback(self, output: { g, y in Tensor.softmaxGradient(g, y, scale: scale) }))
  }

  /// `scale · y · (g − Σ g · y)` over the last axis.
  private static func softmaxGradient(_ g: Tensor, _ y: Tensor, scale: Float) -> Tensor {
    let columns = y.columns
    let (gradient, output) = (g.storage, y.storage)
    let out = FloatBuffer(count: y.count)
    let grain = max(Compute.grain / max(columns, 1), 1)
    Compute.pool.forEachRange(of: y.rows, grain: grain) { range in
      for row in range {
        let start = row * columns
        let (g, y) = (gradient.pointer + start, output.pointer + start)
        let inner = dot(g, y, count: columns)
        mapLanes(g, y, count: columns, into: out.pointer + start) { ($0 - inner) * $1 * scale }
      }
    }
    return Tensor(adopting: out, shape: y.shape).recordedFused(
      [g, y],
      as: { $0[1] * ($0[0] - ($0[0] * $0[1]).sum(over: [-1])) * scale },
      { h, needs in
        let (g, y, h) = (g.detached(), y.detached(), h.detached())
        let inner = (g * y).sum(over: [-1])
        let other = (h * y).sum(over: [-1])
        return [
          needs[0] ? (h - other) * y * scale : nil,
          needs[1] ? (h * (g - inner) - other * g) * scale : nil,
        ]
      })
  }

  /// `log Σ exp` over the last axis, which stays as extent 1.
  public func logSumExp() -> Tensor {
    let source = storage
    let columns = columns
    let values = (0..<rows).map {
      TensorCore.logSumExp(source.pointer + $0 * columns, count: columns).logSumExp
    }
    return Tensor(values, shape: shape.dropLast() + [1]).recorded(
      Pullback(self) { $0 * self.softmax() })
  }

  /// Mean of `−log softmax(x)[label]` over the rows of `x` `[rows, classes]`.
  public func crossEntropy(labels: [Int]) -> Tensor {
    precondition(
      shape.count == 2 && labels.count == rows,
      "cross entropy of logits of shape \(shape) and \(labels.count) labels")
    var target = Tensor(zeros: shape)
    target.withMutablePointer { values in
      for (row, label) in labels.enumerated() {
        precondition((0..<columns).contains(label), "label \(label) of \(columns) classes")
        values[row * columns + label] = 1
      }
    }
    return (logSumExp().sum() - (self * target).sum()).scaled(by: 1 / Float(max(rows, 1)))
  }
}
