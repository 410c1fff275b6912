/// Normalisations over the last axis, as transformers have them.
extension Tensor {
  /// `x / √(mean(x²) + ε) · weight` over the last axis (Zhang & Sennrich 2019).
  ///
  /// - Parameter weight: `[columns]`, or `[groups · columns]`, of which row *r* takes part
  ///   *r* mod *groups*: heads with weights of their own.
  public func rootMeanSquareNormalised(weight: Tensor, epsilon: Float) -> Tensor {
    let kernel = RowNorm(x: self, weight: weight, epsilon: epsilon, isCentred: false)
    let x = self
    return kernel.forward(x, weight, bias: nil).recordedFused(
      [x, weight], as: { kernel.composite($0[0], $0[1], bias: nil) },
      { gradient, needs in
        [
          needs[0] ? kernel.inputGradient(gradient, x, weight) : nil,
          needs[1] ? kernel.weightGradient(gradient, x) : nil,
        ]
      })
  }

  /// `(x − mean(x)) / √(var(x) + ε) · weight + bias` over the last axis (Ba et al. 2016).
  ///
  /// - Parameters:
  ///   - weight: as `rootMeanSquareNormalised`.
  ///   - bias: of the weight's shape, or none.
  public func layerNormalised(weight: Tensor, bias: Tensor?, epsilon: Float) -> Tensor {
    let kernel = RowNorm(x: self, weight: weight, epsilon: epsilon, isCentred: true)
    precondition(
      bias == nil || bias?.shape == weight.shape,
      "layer norm with a weight of shape \(weight.shape) and a bias of \(bias?.shape ?? [])")
    let x = self
    return kernel.forward(x, weight, bias: bias).recordedFused(
      [x, weight] + (bias.map { [$0] } ?? []),
      as: { kernel.composite($0[0], $0[1], bias: $0.count > 2 ? $0[2] : nil) },
      { gradient, needs in
        [
          needs[0] ? kernel.inputGradient(gradient, x, weight) : nil,
          needs[1] ? kernel.weightGradient(gradient, x) : nil,
        ] + (bias == nil ? [] : [needs[2] ? kernel.summed(gradient) : nil])
      })
  }
}

private struct RowNorm: Sendable {
  let rows: Int
  let columns: Int
  let groups: Int
  let epsilon: Float
  let isCentred: Bool

  private var grain: Int { max(Compute.grain / max(columns, 1), 1) }

  init(x: Tensor, weight: Tensor, epsilon: Float, isCentred: Bool) {
    let columns = x.columns
    precondition(
      columns > 0 && weight.count % columns == 0 && weight.count > 0
        && x.rows % (weight.count / columns) == 0,
      "norm of shape \(x.shape) with a weight of shape \(weight.shape)")
    rows = x.rows
    self.columns = columns
    groups = weight.count / columns
    self.epsilon = epsilon
    self.isCentred = isCentred
  }

  func forward(_ x: Tensor, _ weight: Tensor, bias: Tensor?) -> Tensor {
    let (source, scales, shifts) = (
      x.storage, weight.storage, (bias ?? Tensor(zeros: weight.shape)).storage
    )
    let out = FloatBuffer(count: x.count)
    Compute.pool.forEachRange(of: rows, grain: grain) { range in
      for row in range {
        let (start, part) = (row * columns, row % groups * columns)
        if isCentred {
          layerNormalise(
            source.pointer + start, weight: scales.pointer + part, bias: shifts.pointer + part,
            epsilon: epsilon, count: columns, into: out.pointer + start)
        } else {
          rmsNormalise(
            source.pointer + start, weight: scales.pointer + part, epsilon: epsilon,
            count: columns, into: out.pointer + start)
        }
      }
    }
    return Tensor(adopting: out, shape: x.shape)
  }

  /// The same in primitive operations.
  func composite(_ x: Tensor, _ weight: Tensor, bias: Tensor?) -> Tensor {
    let grouped = x.reshaped([-1, groups, columns])
    let centred = isCentred ? grouped - grouped.mean(over: [-1]) : grouped
    let deviation = (centred.squared().mean(over: [-1]) + epsilon).squareRoot()
    let scaled = centred / deviation * weight.reshaped([groups, columns])
    let result = bias.map { scaled + $0.reshaped([groups, columns]) } ?? scaled
    return result.reshaped(x.shape)
  }

  /// With `h = g · weight`, `n` the normalised row and `r` the factor of the norm:
  /// `r · (h − n · mean(h · n))`, and `r · (h − mean(h) − n · mean(h · n))` where the mean is taken out.
  func inputGradient(_ gradient: Tensor, _ x: Tensor, _ weight: Tensor) -> Tensor {
    let (g, source, scales) = (gradient.storage, x.storage, weight.storage)
    let out = FloatBuffer(count: x.count)
    Compute.pool.forEachRange(of: rows, grain: grain) { range in
      for row in range {
        let (start, part) = (row * columns, row % groups * columns)
        let (g, x, w) = (g.pointer + start, source.pointer + start, scales.pointer + part)
        let out = out.pointer + start
        mapLanes(g, w, count: columns, into: out) { $0 * $1 }
        let count = Float(columns)
        let mean = isCentred ? rowSum(x, count: columns) / count : 0
        let factor = 1 / (squaresSum(x, mean: mean, count: columns) / count + epsilon).squareRoot()
        let gradientSum = rowSum(out, count: columns)
        let meanGradient = isCentred ? gradientSum / count : 0
        // Σ h · (x − mean), without the difference of two large sums.
        let along = (dot(out, x, count: columns) - mean * gradientSum) * factor * factor / count
        mapLanes(out, x, count: columns, into: out) {
          ($0 - meanGradient - ($1 - mean) * along) * factor
        }
      }
    }
    return Tensor(adopting: out, shape: x.shape)
  }

  func weightGradient(_ gradient: Tensor, _ x: Tensor) -> Tensor {
    summed(gradient * forward(x, Tensor(repeating: 1, shape: [groups * columns]), bias: nil))
  }

  func summed(_ gradient: Tensor) -> Tensor {
    gradient.reshaped([-1, groups * columns]).sum(over: [0]).reshaped([groups * columns])
  }
}
