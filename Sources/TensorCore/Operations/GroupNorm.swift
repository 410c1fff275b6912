extension Tensor {
  /// Group normalisation (Wu & He 2018) of `[batch, channels, …]`, with a scale and a shift for each
  /// channel, and SiLU after it where `silu` is set.
  ///
  /// Mean and variance (not corrected) are those of the channels of a group at all positions of one
  /// sample. One kernel, because written in primitive operations it reads and writes the tensor
  /// fifteen times instead of twice.
  ///
  /// - Parameters:
  ///   - weight, bias: `[channels]`, or `[batch, channels]` for an adaptive norm.
  public func groupNormalised(
    groups: Int, weight: Tensor, bias: Tensor, epsilon: Float, silu: Bool = false
  ) -> Tensor {
    precondition(
      shape.count >= 2 && groups > 0 && shape[1] % groups == 0,
      "group norm of shape \(shape) in \(groups) groups")
    let (batch, channels) = (shape[0], shape[1])
    precondition(
      (weight.shape == [channels] || weight.shape == [batch, channels])
        && bias.shape == weight.shape,
      "group norm of shape \(shape) with a weight of shape \(weight.shape)"
        + " and a bias of shape \(bias.shape)")
    let kernel = GroupNormKernel(
      batch: batch, channels: channels, positions: shape.dropFirst(2).reduce(1, *),
      groups: groups, epsilon: epsilon, silu: silu, isAdaptive: weight.shape.count == 2)
    let x = self
    let (result, statistics) = kernel.forward(x, weight, bias)
    return result.recordedFused(
      [x, weight, bias],
      as: { GroupNormKernel.composite($0, groups: groups, epsilon: epsilon, silu: silu) },
      { gradient, needs in
        kernel.backward(gradient, x, weight, bias, statistics, needs: needs)
      })
  }
}

private struct GroupNormKernel: Sendable {
  let batch: Int
  let channels: Int
  let positions: Int
  let groups: Int
  let epsilon: Float
  let silu: Bool
  let isAdaptive: Bool

  private var width: Int { channels / groups }
  private var grain: Int { max(Compute.grain / max(width * positions, 1), 1) }

  /// The same in primitive operations.
  static func composite(
    _ inputs: [Tensor], groups: Int, epsilon: Float, silu: Bool
  ) -> Tensor {
    let (x, weight, bias) = (inputs[0], inputs[1], inputs[2])
    let grouped = x.reshaped([x.shape[0], groups, -1])
    let centred = grouped - grouped.mean(over: [-1])
    let deviation = (centred.squared().mean(over: [-1]) + epsilon).squareRoot()
    let ones = [Int](repeating: 1, count: x.shape.count - 2)
    let result =
      (centred / deviation).reshaped(x.shape) * weight.reshaped(weight.shape + ones)
      + bias.reshaped(bias.shape + ones)
    return silu ? result * result.sigmoid() : result
  }

  /// The result, and mean and inverse deviation of each group.
  func forward(_ x: Tensor, _ weight: Tensor, _ bias: Tensor) -> (Tensor, FloatBuffer) {
    let out = FloatBuffer(count: x.count)
    let statistics = FloatBuffer(count: 2 * batch * groups)
    let (source, scales, shifts) = (x.storage, weight.storage, bias.storage)
    let size = width * positions
    Compute.pool.forEachRange(of: batch * groups, grain: grain) { range in
      for group in range {
        let input = source.pointer + group * size
        let mean = rowSum(input, count: size) / Float(size)
        let variance = squaresSum(input, mean: mean, count: size) / Float(size)
        let inverse = 1 / (variance + epsilon).squareRoot()
        statistics.pointer[2 * group] = mean
        statistics.pointer[2 * group + 1] = inverse
        for index in 0..<width {
          let channel = affineIndex(group, index)
          let scale = inverse * scales.pointer[channel]
          let shift = shifts.pointer[channel]
          let start = group * size + index * positions
          let (input, target) = (source.pointer + start, out.pointer + start)
          if silu {
            mapLongLanes(input, count: positions, into: target) {
              let z = ($0 - mean) * scale + shift
              return z / (exponential(-z) + 1)
            }
          } else {
            mapLanes(input, count: positions, into: target) { ($0 - mean) * scale + shift }
          }
        }
      }
    }
    return (Tensor(adopting: out, shape: x.shape), statistics)
  }

  func backward(
    _ gradient: Tensor, _ x: Tensor, _ weight: Tensor, _ bias: Tensor, _ statistics: FloatBuffer,
    needs: [Bool]
  ) -> [Tensor?] {
    let out = FloatBuffer(count: x.count)
    let weights = FloatBuffer(count: batch * channels)
    let biases = FloatBuffer(count: batch * channels)
    let (source, upstream) = (x.storage, gradient.storage)
    let (scales, shifts) = (weight.storage, bias.storage)
    let size = width * positions
    Compute.pool.forEachRange(of: batch * groups, grain: grain) { range in
      for group in range {
        let mean = statistics.pointer[2 * group]
        let inverse = statistics.pointer[2 * group + 1]
        var (sum, product): (Float, Float) = (0, 0)
        for index in 0..<width {
          let channel = affineIndex(group, index)
          let (scale, shift) = (scales.pointer[channel], shifts.pointer[channel])
          let start = group * size + index * positions
          let sums = channelSums(
            upstream.pointer + start, source.pointer + start, mean: mean, inverse: inverse,
            scale: scale, shift: shift, into: out.pointer + start)
          biases.pointer[group * width + index] = sums.bias
          weights.pointer[group * width + index] = sums.weight
          sum += scale * sums.bias
          product += scale * sums.weight
        }
        guard needs[0] else { continue }
        let (offset, slope) = (sum / Float(size), product / Float(size))
        for index in 0..<width {
          let scale = scales.pointer[affineIndex(group, index)]
          let start = group * size + index * positions
          let target = out.pointer + start
          mapLanes(target, source.pointer + start, count: positions, into: target) {
            ($0 * scale - offset - ($1 - mean) * inverse * slope) * inverse
          }
        }
      }
    }
    func affine(_ sums: FloatBuffer) -> Tensor {
      let each = Tensor(adopting: sums, shape: [batch, channels])
      return isAdaptive ? each : each.summed(to: [1, channels]).reshaped([channels])
    }
    return [
      needs[0] ? Tensor(adopting: out, shape: x.shape) : nil, needs[1] ? affine(weights) : nil,
      needs[2] ? affine(biases) : nil,
    ]
  }

  /// Where scale and shift of channel `index` of a group (of all samples) lie.
  private func affineIndex(_ group: Int, _ index: Int) -> Int {
    (isAdaptive ? group : group % groups) * width + index
  }

  /// The gradient before the nonlinearity into `out`, and its sums, alone and times the normalised
  /// values.
  private func channelSums(
    _ gradient: UnsafePointer<Float>, _ x: UnsafePointer<Float>, mean: Float, inverse: Float,
    scale: Float, shift: Float, into out: UnsafeMutablePointer<Float>
  ) -> (bias: Float, weight: Float) {
    var (sums, products) = (Lanes.zero, Lanes.zero)
    var index = 0
    let factor = inverse * scale
    // One loop for whole vectors and the rest, so that the nonlinearity is compiled into it. Behind
    // the end, the gradient is 0 and adds nothing.
    while index < positions {
      let rest = positions - index
      let centred = (rest >= 8 ? x.lanes(index) : firstLanes(x + index, rest)) - mean
      var g = rest >= 8 ? gradient.lanes(index) : firstLanes(gradient + index, rest)
      if silu { g = siluGradient(g, centred * factor + shift) }
      if rest >= 8 {
        out.store(g, index)
      } else {
        for lane in 0..<rest { out[index + lane] = g[lane] }
      }
      sums += g
      products += g * centred
      index += 8
    }
    return (sums.sum(), products.sum() * inverse)
  }
}

/// Sum of the squares around `mean`.
func squaresSum(_ x: UnsafePointer<Float>, mean: Float, count: Int) -> Float {
  var (a, b) = (Lanes.zero, Lanes.zero)
  var index = 0
  while index + 16 <= count {
    let (u, v) = (x.lanes(index) - mean, x.lanes(index + 8) - mean)
    a += u * u
    b += v * v
    index += 16
  }
  var sum = (a + b).sum()
  while index < count {
    sum += (x[index] - mean) * (x[index] - mean)
    index += 1
  }
  return sum
}
