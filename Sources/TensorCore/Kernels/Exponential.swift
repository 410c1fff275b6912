/// Eight f32 values, the width of an AVX2 register.
public typealias Lanes = SIMD8<Float>

/// `exp(x)` by eight, to about 1 unit in the last place; below −87.3 it is 0, above 88.3 it is
/// `exp(88.3)`; NaN stays NaN.
///
/// Range reduction by ln 2 in two parts and a polynomial of degree 6 (Cephes' coefficients). Products
/// and sums stay apart, so the bits do not depend on the processor having fused operations.
@inlinable @inline(always)
public func exponential(_ x: Lanes) -> Lanes {
  // Not `clamped`, which the compiler leaves as a call for each vector.
  let clamped = x.replacing(with: -87.3, where: x .< Lanes(repeating: -87.3))
    .replacing(with: 88.3, where: x .> Lanes(repeating: 88.3))
  // Adding 1.5 · 2²³ rounds to a whole number and leaves it in the low bits.
  let magic = Lanes(repeating: 12_582_912)
  let shifted = clamped * 1.442_695_04 + magic
  let whole = shifted - magic
  let r = (clamped - whole * 0.693_359_375) - whole * -2.121_944_4e-4
  var p = Lanes(repeating: 1.987_569_2e-4)
  p = p * r + 1.398_199_95e-3
  p = p * r + 8.333_452e-3
  p = p * r + 4.166_579_6e-2
  p = p * r + 1.666_666_5e-1
  p = p * r + 0.5
  let value = p * (r * r) + r + 1
  let exponent = unsafeBitCast(shifted, to: SIMD8<Int32>.self) &<< 23
  let scaled = unsafeBitCast(
    unsafeBitCast(value, to: SIMD8<Int32>.self) &+ exponent, to: Lanes.self)
  return scaled.replacing(with: 0, where: x .< Lanes(repeating: -87.3))
    // The bits of NaN do not survive the addition of the exponent.
    .replacing(with: x, where: x .!= x)
}

extension UnsafePointer<Float> {
  @inlinable @inline(always)
  func lanes(_ index: Int) -> Lanes {
    UnsafeRawPointer(self + index).loadUnaligned(as: Lanes.self)
  }
}

extension UnsafeMutablePointer<Float> {
  @inlinable @inline(always)
  func lanes(_ index: Int) -> Lanes {
    UnsafeRawPointer(self + index).loadUnaligned(as: Lanes.self)
  }

  @inlinable @inline(always)
  func store(_ value: Lanes, _ index: Int) {
    UnsafeMutableRawPointer(self + index).storeBytes(of: value, as: Lanes.self)
  }
}
