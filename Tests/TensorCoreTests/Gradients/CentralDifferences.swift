import TensorCore
import Testing

/// Numbers in −1…1 with a seed.
func random(_ shape: [Int], _ seed: UInt64, scale: Float = 1) -> Tensor {
  var stream = RandomStream(seed: seed, path: [41])
  return Tensor(
    (0..<shape.reduce(1, *)).map { _ in (stream.uniform() * 2 - 1) * scale }, shape: shape)
}

/// `Σ a · b` in f64.
func innerProduct(_ a: Tensor, _ b: Tensor) -> Double {
  zip(a.values, b.values).reduce(0) { $0 + Double($1.0) * Double($1.1) }
}

/// The derivative of `function` at `inputs` along `direction`, by central differences of fourth
/// order; `function` gives f64.
func directionalDerivative(
  at inputs: [Tensor], along direction: [Tensor], step: Float, _ function: ([Tensor]) -> Double
) -> Double {
  func value(_ factor: Float) -> Double {
    function(zip(inputs, direction).map { $0 + $1 * (factor * step) })
  }
  let near = value(1) - value(-1)
  let far = value(2) - value(-2)
  return (8 * near - far) / (12 * Double(step))
}

/// Checks gradient and gradient of the gradient of `function` in random directions.
func expectGradients(
  _ name: String, at inputs: [Tensor], step: Float = 0.01, tolerance: Double = 2e-3,
  _ function: @escaping ([Tensor]) -> Tensor
) {
  let result = function(inputs)
  let cotangent = random(result.shape, 90)
  // First order: ⟨∇f · c, d⟩ against the change of ⟨f, c⟩ along d.
  let gradients = gradient(at: inputs) { (function($0) * cotangent).sum() }
  let weights = inputs.enumerated().map { random($1.shape, 70 + UInt64($0)) }
  for trial in 0..<2 {
    let direction = inputs.enumerated().map { random($1.shape, UInt64(100 + 10 * trial + $0)) }
    let expected = directionalDerivative(at: inputs, along: direction, step: step) {
      innerProduct(function($0), cotangent)
    }
    let terms = zip(gradients, direction).map { innerProduct($0, $1) }
    expectClose(
      terms.reduce(0, +), expected, scale: size(gradients, direction), tolerance,
      "\(name): gradient")

    // Second order: the gradient of φ(x) = ⟨∇f(x) · c, w⟩ along d.
    func inner(_ x: [Tensor]) -> [Tensor] {
      gradient(at: x) { (function($0) * cotangent).sum() }
    }
    let second = gradient(at: inputs) { x in
      zip(inner(x), weights).reduce(Tensor(0)) { $0 + ($1.0 * $1.1).sum() }
    }
    let expectedSecond = directionalDerivative(at: inputs, along: direction, step: step) { x in
      zip(inner(x), weights).reduce(0) { $0 + innerProduct($1.0, $1.1) }
    }
    let secondTerms = zip(second, direction).map { innerProduct($0, $1) }
    expectClose(
      secondTerms.reduce(0, +), expectedSecond,
      scale: max(size(second, direction), 0.1 * size(gradients, weights)), tolerance,
      "\(name): gradient of the gradient")
  }
}

private func size(_ a: [Tensor], _ b: [Tensor]) -> Double {
  let norms = zip(a, b).map { (innerProduct($0, $0) * innerProduct($1, $1)).squareRoot() }
  return norms.max() ?? 0
}

private func expectClose(
  _ value: Double, _ expected: Double, scale: Double, _ tolerance: Double, _ what: String
) {
  #expect(
    abs(value - expected) <= tolerance * max(scale, 1e-3), "\(what): \(value), not \(expected)")
}
