/// `values = cap · tanh(values · scale / cap)` in place: about `values · scale` near 0, never beyond
/// ±`cap` (Gemma Team 2024).
public func softCap(
  _ values: UnsafeMutablePointer<Float>, count: Int, scale: Float = 1, cap: Float
) {
  let factor = scale / cap
  mapLanes(values, count: count, into: values) { hyperbolicTangent($0 * factor) * cap }
}
