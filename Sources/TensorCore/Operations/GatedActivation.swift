/// The nonlinearities of transformers' MLPs.
extension Tensor {
  /// `f(x)`, value by value.
  public func activated(_ activation: Activation) -> Tensor {
    let x = self
    return activation.applied(to: x).recordedFused(
      [x], as: { activation.composite($0[0]) },
      { gradient, _ in [activation.gradient(gradient, x)] })
  }

  /// `f(gate) · up`, the gated unit (Shazeer 2020), for tensors of one shape.
  ///
  /// The backward pass keeps the two inputs and nothing else.
  public static func gated(_ activation: Activation, gate: Tensor, up: Tensor) -> Tensor {
    precondition(gate.shape == up.shape, "gate of shape \(gate.shape) for shape \(up.shape)")
    return activation.applied(to: gate, times: up).recordedFused(
      [gate, up], as: { activation.composite($0[0]) * $0[1] },
      { gradient, needs in
        [
          needs[0] ? activation.gradient(gradient * up.detached(), gate) : nil,
          needs[1] ? gradient * activation.applied(to: gate) : nil,
        ]
      })
  }

  /// Values beyond ±`limit` become that; those between have a gradient.
  public func clipped(to limit: Float) -> Tensor {
    let x = self
    return mapped(self) { x in
      let low = x.replacing(with: -limit, where: x .< Lanes(repeating: -limit))
      return low.replacing(with: limit, where: x .> Lanes(repeating: limit))
    }.recorded(
      Pullback(self) { gradient in
        let inside = mapped(x) { x in
          let isOutside = (x .< Lanes(repeating: -limit)) .| (x .> Lanes(repeating: limit))
          return Lanes(repeating: 1).replacing(with: 0, where: isOutside)
        }
        return gradient * inside
      })
  }

  /// `cap · tanh(x / cap)` (Gemma Team 2024).
  public func softCapped(_ cap: Float) -> Tensor { (self / cap).tanh() * cap }
}

extension Activation {
  /// `f(x)` as a constant.
  fileprivate func applied(to x: Tensor) -> Tensor {
    switch self {
    case .silu: mapped(x) { $0 / (exponential(-$0) + 1) }
    case .gelu: mapped(x) { TensorCore.gelu($0) }
    case .geluTanh: mapped(x) { TensorCore.geluTanh($0) }
    }
  }

  /// `f(x) · y` as a constant.
  fileprivate func applied(to x: Tensor, times y: Tensor) -> Tensor {
    switch self {
    case .silu: mapped(x, y) { $0 / (exponential(-$0) + 1) * $1 }
    case .gelu: mapped(x, y) { TensorCore.gelu($0) * $1 }
    case .geluTanh: mapped(x, y) { TensorCore.geluTanh($0) * $1 }
    }
  }

  /// `f(x)` in operations that are differentiable themselves.
  fileprivate func composite(_ x: Tensor) -> Tensor {
    switch self {
    case .silu: return x * x.sigmoid()
    case .gelu: return x.gelu()
    case .geluTanh:
      let u = (x.squared() * 0.044_715 + 1) * x * 0.797_884_56
      return x * (u * 2).sigmoid()
    }
  }

  /// `g · f′(x)` as a constant.
  fileprivate func gradient(_ gradient: Tensor, _ x: Tensor) -> Tensor {
    switch self {
    case .silu: mapped(gradient, x) { siluGradient($0, $1) }
    case .gelu:
      mapped(gradient, x) { g, x in
        // Φ(x) + x · φ(x); near 0 the quotient of the first loses its digits.
        let isSmall = (x .> Lanes(repeating: -1e-4)) .& (x .< Lanes(repeating: 1e-4))
        let share = (TensorCore.gelu(x) / x)
          .replacing(with: 0.398_942_28 * x + 0.5, where: isSmall)
        return g * (share + x * exponential(x * x * -0.5) * 0.398_942_28)
      }
    case .geluTanh:
      mapped(gradient, x) { g, x in
        let u = (x * x * 0.044_715 + 1) * x * 0.797_884_56
        let share = 1 / (exponential(u * -2) + 1)
        let slope = (x * x * 0.134_145 + 1) * 0.797_884_56
        return g * (share + x * share * (1 - share) * slope * 2)
      }
    }
  }
}
