/// `out = silu(gate) · up` with `silu(x) = x / (1 + e⁻ˣ)`, the gated unit of SwiGLU (Shazeer 2020);
/// `out` may be either input.
public func siluGate(
  _ gate: UnsafePointer<Float>, _ up: UnsafePointer<Float>, count: Int,
  into out: UnsafeMutablePointer<Float>
) {
  var index = 0
  while index + 8 <= count {
    let x = gate.lanes(index)
    out.store(x / (exponential(-x) + 1) * up.lanes(index), index)
    index += 8
  }
  while index < count {
    let x = gate[index]
    out[index] = x / (exponential(Lanes(repeating: -x))[0] + 1) * up[index]
    index += 1
  }
}
