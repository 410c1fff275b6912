/// The nonlinearity of an MLP.
public enum Activation: String, Codable, Sendable, CaseIterable {
  /// `x / (1 + e⁻ˣ)`.
  case silu
  /// `x · Φ(x)`.
  case gelu
  /// The approximation of `gelu` by a hyperbolic tangent.
  case geluTanh

  /// `out = f(x)`; `out` may be `x`.
  public func apply(
    to x: UnsafePointer<Float>, count: Int, into out: UnsafeMutablePointer<Float>
  ) {
    switch self {
    case .silu: mapLanes(x, count: count, into: out) { $0 / (exponential(-$0) + 1) }
    case .gelu: mapLanes(x, count: count, into: out) { TensorCore.gelu($0) }
    case .geluTanh: mapLanes(x, count: count, into: out) { TensorCore.geluTanh($0) }
    }
  }

  /// `out = f(gate) · up`, the gated unit (Shazeer 2020); `out` may be either input.
  public func gate(
    _ gate: UnsafePointer<Float>, _ up: UnsafePointer<Float>, count: Int,
    into out: UnsafeMutablePointer<Float>
  ) {
    switch self {
    case .silu: mapLanes(gate, up, count: count, into: out) { $0 / (exponential(-$0) + 1) * $1 }
    case .gelu: mapLanes(gate, up, count: count, into: out) { TensorCore.gelu($0) * $1 }
    case .geluTanh: mapLanes(gate, up, count: count, into: out) { TensorCore.geluTanh($0) * $1 }
    }
  }
}
