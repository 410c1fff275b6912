import TensorCore

/// A convolution whose weight is divided by its largest singular value (Miyato et al. 2018).
struct SpectralConvolution: Sendable {
  let name: String
  let inputs: Int
  let outputs: Int
  let kernel: Int
  var stride = 1
  var padding = 0
  var hasBias = true

  var parameters: [ParameterSpecification] {
    ParameterSpecification.layer(
      name, [outputs, inputs, kernel, kernel], .torch, hasBias: hasBias)
  }

  /// The left singular vector as far as the power iteration has come, `[outputs]`.
  var stateSpecification: ParameterSpecification {
    ParameterSpecification(
      name: "\(name).left", shape: [outputs],
      initial: .normal(1 / Double(outputs).squareRoot()))
  }

  /// One power iteration, and the convolution with the normalised weight.
  func callAsFunction(_ x: Tensor, _ weights: Parameters, state: inout Parameters) -> Tensor {
    let weight = weights["\(name).weight"]
    let left = state["\(name).left"]
    var norm = SpectralNorm(left: left, right: left)
    norm.iterate(weight)
    state["\(name).left"] = norm.left
    return x.convolved(
      norm.normalised(weight), bias: hasBias ? weights["\(name).bias"] : nil, stride: stride,
      padding: padding)
  }
}
