/// `x · Φ(x)` with Φ the normal distribution function (Hendrycks & Gimpel 2016), to about 3e-7.
///
/// Φ is half the complementary error function by Abramowitz & Stegun 7.1.26, taken on the side
/// where it is small.
@inlinable @inline(__always)
public func gelu(_ x: Lanes) -> Lanes {
  let magnitude = x.replacing(with: -x, where: x .< Lanes.zero)
  // p / √2 of 7.1.26, for an argument that is not divided by √2 yet.
  let t = 1 / (magnitude * 0.231_641_89 + 1)
  var p = Lanes(repeating: 1.061_405_43)
  p = p * t - 1.453_152_03
  p = p * t + 1.421_413_74
  p = p * t - 0.284_496_74
  p = p * t + 0.254_829_59
  let tail = p * t * exponential(x * x * -0.5) * 0.5
  return x * (1 - tail).replacing(with: tail, where: x .< Lanes.zero)
}

/// The approximation `x / 2 · (1 + tanh(√(2/π) (x + 0.044715 x³)))` of `gelu`, which GPT-2 and Gemma
/// were trained with (Hendrycks & Gimpel 2016).
@inlinable @inline(__always)
public func geluTanh(_ x: Lanes) -> Lanes {
  // (1 + tanh u) / 2 = 1 / (1 + e⁻²ᵘ) keeps the digits of small values.
  let u = (x * x * 0.044_715 + 1) * x * 0.797_884_56
  return x / (exponential(u * -2) + 1)
}
