/// Layer normalisation of one row (Ba et al. 2016):
/// `out = (x − mean(x)) / √(var(x) + ε) · weight + bias`.
///
/// `out` may be `x`. The variance is taken around the mean, in a pass of its own, so a large mean
/// costs no digits.
///
/// - Returns: the factor that `x − mean(x)` was multiplied by; not finite or 0 where `x` has values
///   that are not.
@discardableResult
public func layerNormalise(
  _ x: UnsafePointer<Float>, weight: UnsafePointer<Float>, bias: UnsafePointer<Float>,
  epsilon: Float, count: Int, into out: UnsafeMutablePointer<Float>
) -> Float {
  var sums = Lanes.zero
  var index = 0
  while index + 8 <= count {
    sums += x.lanes(index)
    index += 8
  }
  var total = sums.sum()
  while index < count {
    total += x[index]
    index += 1
  }
  let mean = total / Float(count)
  sums = .zero
  index = 0
  while index + 8 <= count {
    let value = x.lanes(index) - mean
    sums += value * value
    index += 8
  }
  total = sums.sum()
  while index < count {
    total += (x[index] - mean) * (x[index] - mean)
    index += 1
  }
  let scale = 1 / (total / Float(count) + epsilon).squareRoot()
  index = 0
  while index + 8 <= count {
    out.store((x.lanes(index) - mean) * scale * weight.lanes(index) + bias.lanes(index), index)
    index += 8
  }
  while index < count {
    out[index] = (x[index] - mean) * scale * weight[index] + bias[index]
    index += 1
  }
  return scale
}
