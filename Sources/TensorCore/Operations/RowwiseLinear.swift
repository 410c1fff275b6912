extension Tensor {
  /// `x · Wᵀ (+ b)` as `linear`, where each value is a sum in an order that follows from the
  /// inputs' number alone: a row's result has the same bits whichever rows stand beside it.
  ///
  /// `linear` leaves the order to OpenBLAS, which takes other kernels for other numbers of rows.
  ///
  /// - Parameters:
  ///   - weight: `[outputs, inputs]`, for `x` `[rows, inputs]`.
  ///   - bias: `[outputs]`.
  public func rowwiseLinear(_ weight: Tensor, bias: Tensor? = nil) -> Tensor {
    precondition(
      shape.count == 2 && weight.shape.count == 2 && shape[1] == weight.shape[1],
      "linear map of shape \(weight.shape) on rows of shape \(shape)")
    let x = self
    let result = RowProductKernel(rows: shape[0], outputs: weight.shape[0], inputs: shape[1])
      .run(x, weight)
      .recorded(
        Pullback(x) { Tensor.product($0, weight) },
        Pullback(weight) { Tensor.product($0, x, transposeA: true) })
    return bias.map { result + $0 } ?? result
  }
}

/// Inner products of rows with rows, four by two at a time; at the edges some are computed twice,
/// so that all are computed by the same instructions.
private struct RowProductKernel: Sendable {
  let rows: Int
  let outputs: Int
  let inputs: Int

  func run(_ x: Tensor, _ weight: Tensor) -> Tensor {
    let out = FloatBuffer(count: rows * outputs)
    let (x, weight) = (x.storage, weight.storage)
    let work = max(2 * rows * inputs, 1)
    Compute.pool.forEachRange(of: (outputs + 1) / 2, grain: max((1 << 18) / work, 1)) { pairs in
      for output in pairs.map({ 2 * $0 }) {
        let other = min(output + 1, outputs - 1)
        let (w, v) = (weight.pointer + output * inputs, weight.pointer + other * inputs)
        for first in stride(from: 0, to: rows, by: 4) {
          func row(_ index: Int) -> Int { min(first + index, rows - 1) }
          func input(_ index: Int) -> UnsafePointer<Float> {
            UnsafePointer(x.pointer + row(index) * inputs)
          }
          let sums = products(input(0), input(1), input(2), input(3), w, v)
          for index in 0..<4 {
            out.pointer[row(index) * outputs + output] = sums.w[index]
            out.pointer[row(index) * outputs + other] = sums.v[index]
          }
        }
      }
    }
    return Tensor(adopting: out, shape: [rows, outputs])
  }

  /// Four rows times two rows of weights.
  private func products(
    _ x0: UnsafePointer<Float>, _ x1: UnsafePointer<Float>, _ x2: UnsafePointer<Float>,
    _ x3: UnsafePointer<Float>, _ w: UnsafePointer<Float>, _ v: UnsafePointer<Float>
  ) -> (w: SIMD4<Float>, v: SIMD4<Float>) {
    var (a0, a1, a2, a3) = (Lanes.zero, Lanes.zero, Lanes.zero, Lanes.zero)
    var (b0, b1, b2, b3) = (Lanes.zero, Lanes.zero, Lanes.zero, Lanes.zero)
    var index = 0
    while index + 8 <= inputs {
      let (p, q) = (w.lanes(index), v.lanes(index))
      var x = x0.lanes(index)
      a0 = multiplyAdd(a0, p, x)
      b0 = multiplyAdd(b0, q, x)
      x = x1.lanes(index)
      a1 = multiplyAdd(a1, p, x)
      b1 = multiplyAdd(b1, q, x)
      x = x2.lanes(index)
      a2 = multiplyAdd(a2, p, x)
      b2 = multiplyAdd(b2, q, x)
      x = x3.lanes(index)
      a3 = multiplyAdd(a3, p, x)
      b3 = multiplyAdd(b3, q, x)
      index += 8
    }
    var sums = (
      w: SIMD4(a0.sum(), a1.sum(), a2.sum(), a3.sum()),
      v: SIMD4(b0.sum(), b1.sum(), b2.sum(), b3.sum())
    )
    while index < inputs {
      let x = SIMD4(x0[index], x1[index], x2[index], x3[index])
      sums.w += x * w[index]
      sums.v += x * v[index]
      index += 1
    }
    return sums
  }
}
