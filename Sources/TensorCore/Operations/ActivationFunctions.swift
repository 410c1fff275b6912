/// Nonlinearities of networks.
extension Tensor {
  /// `x · sigmoid(x)` (Elfwing et al. 2017).
  public func silu() -> Tensor {
    let x = self
    return mapped(x) { $0 / (exponential(-$0) + 1) }
      .recordedFused([x], as: { $0[0] * $0[0].sigmoid() }) { gradient, _ in
        [mapped(gradient, x) { siluGradient($0, $1) }]
      }
  }

  /// `x · Φ(x)` (Hendrycks & Gimpel 2016).
  public func gelu() -> Tensor { self * normalDistribution() }

  /// Φ, the distribution function of the standard normal distribution, to about 3e-7.
  public func normalDistribution() -> Tensor {
    mapped(self) { x in
      let isSmall = (x .> Lanes(repeating: -1e-4)) .& (x .< Lanes(repeating: 1e-4))
      return (TensorCore.gelu(x) / x).replacing(with: 0.398_942_28 * x + 0.5, where: isSmall)
    }.recorded(
      Pullback(self) { $0 * (self.squared().scaled(by: -0.5)).exp().scaled(by: 0.398_942_28) })
  }

  /// `x` where it is positive, `slope · x` elsewhere.
  public func leakyReLU(slope: Float) -> Tensor { gated(by: self, slope: slope) }

  /// `x` where it is positive, 0 elsewhere.
  public func relu() -> Tensor { leakyReLU(slope: 0) }

  /// `x` between 0 and 6, the nearer of these outside.
  public func relu6() -> Tensor {
    let x = self
    return mapped(x) { value in
      value.replacing(with: Lanes.zero, where: value .<= 0)
        .replacing(with: Lanes(repeating: 6), where: value .> 6)
    }.recorded(Pullback(x) { $0.gated(by: x.detached() * (6 - x.detached()), slope: 0) })
  }

  /// This tensor where `gate` is positive, `slope` times it elsewhere; the gate is a constant.
  func gated(by gate: Tensor, slope: Float) -> Tensor {
    precondition(shape == gate.shape, "gate of shape \(gate.shape) for shape \(shape)")
    let gate = gate.detached()
    return combined(self, gate, "gate") { value, gate in
      (value * slope).replacing(with: value, where: gate .> Lanes.zero)
    }.recorded(Pullback(self) { $0.gated(by: gate, slope: slope) })
  }
}

/// `g · silu′(x)`.
@inline(__always)
func siluGradient(_ gradient: Lanes, _ x: Lanes) -> Lanes {
  let sigmoid = 1 / (exponential(-x) + 1)
  return gradient * sigmoid * (x * (1 - sigmoid) + 1)
}
