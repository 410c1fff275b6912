import Glibc

/// Elementary functions, value by value.
extension Tensor {
  /// `eˣ`.
  public func exp() -> Tensor {
    mapped(self) { exponential($0) }.recorded(Pullback(self, output: { $0 * $1 }))
  }

  /// Natural logarithm.
  public func log() -> Tensor {
    mapped(self) { eachLane($0, logf) }.recorded(Pullback(self) { $0 / self })
  }

  /// Square root.
  public func squareRoot() -> Tensor {
    mapped(self) { $0.squareRoot() }
      .recorded(Pullback(self, output: { ($0 / $1).scaled(by: 0.5) }))
  }

  /// Sine of an angle in radians.
  public func sine() -> Tensor {
    mapped(self) { eachLane($0, sinf) }.recorded(Pullback(self) { $0 * self.cosine() })
  }

  /// Cosine of an angle in radians.
  public func cosine() -> Tensor {
    mapped(self) { eachLane($0, cosf) }.recorded(Pullback(self) { -($0 * self.sine()) })
  }

  /// Hyperbolic tangent.
  public func tanh() -> Tensor {
    mapped(self) { hyperbolicTangent($0) }
      .recorded(Pullback(self, output: { $0 * (1 - $1.squared()) }))
  }

  /// Logistic function `1 / (1 + e⁻ˣ)`.
  public func sigmoid() -> Tensor {
    mapped(self) { 1 / (exponential(-$0) + 1) }
      .recorded(Pullback(self, output: { $0 * $1 * (1 - $1) }))
  }

  /// `log(1 + eˣ)`, without overflow.
  public func softplus() -> Tensor {
    mapped(self) { x in
      let magnitude = x.replacing(with: -x, where: x .< Lanes.zero)
      let positive = x.replacing(with: 0, where: x .< Lanes.zero)
      return positive + eachLane(exponential(-magnitude), log1pf)
    }.recorded(Pullback(self) { $0 * self.sigmoid() })
  }
}

/// A function of the C library lane by lane: for short tensors.
@inline(__always)
private func eachLane(_ x: Lanes, _ function: (Float) -> Float) -> Lanes {
  var result = x
  for lane in 0..<8 { result[lane] = function(x[lane]) }
  return result
}
