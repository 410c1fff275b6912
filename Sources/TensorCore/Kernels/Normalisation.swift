/// Root-mean-square normalisation of one row (Zhang & Sennrich 2019):
/// `out = x / √(mean(x²) + ε) · weight`.
///
/// `out` may be `x`.
///
/// - Returns: the factor that `x` was multiplied by; not finite or 0 where `x` has values that are not.
@discardableResult
public func rmsNormalise(
  _ x: UnsafePointer<Float>, weight: UnsafePointer<Float>, epsilon: Float, count: Int,
  into out: UnsafeMutablePointer<Float>
) -> Float {
  var sums = Lanes.zero
  var index = 0
  while index + 8 <= count {
    let value = x.lanes(index)
    sums += value * value
    index += 8
  }
  var total = sums.sum()
  while index < count {
    total += x[index] * x[index]
    index += 1
  }
  let scale = 1 / (total / Float(count) + epsilon).squareRoot()
  index = 0
  while index + 8 <= count {
    out.store(x.lanes(index) * scale * weight.lanes(index), index)
    index += 8
  }
  while index < count {
    out[index] = x[index] * scale * weight[index]
    index += 1
  }
  return scale
}
