/// `tanh(x)` by eight, to about 2 units in the last place.
///
/// Near 0, where `1 − 2 / (e²ˣ + 1)` would cancel, an odd polynomial of degree 11 (Cephes'
/// coefficients).
@inlinable @inline(__always)
public func hyperbolicTangent(_ x: Lanes) -> Lanes {
  let z = x * x
  var p = Lanes(repeating: -5.704_988_7e-3)
  p = p * z + 2.063_908_9e-2
  p = p * z - 5.373_971_6e-2
  p = p * z + 1.333_144_2e-1
  p = p * z - 3.333_328_2e-1
  let near = p * z * x + x
  let far = 1 - 2 / (exponential(x * 2) + 1)
  let isNear = z .< Lanes(repeating: 0.390_625)
  return far.replacing(with: near, where: isNear)
}
