import TensorCore

/// A convolution with a change of resolution, or, with `kernel` 0, that change alone.
struct ConvolutionLayer: Sendable {
  let name: String
  let inputs: Int
  let outputs: Int
  let kernel: Int
  var resampling: Resampling?
  var filter = ResampleFilter([1, 1])
  var isFused = false
  var initial: LayerInitialisation

  var parameters: [ParameterSpecification] {
    guard kernel > 0 else { return [] }
    let area = kernel * kernel
    let (fanIn, fanOut) = (inputs * area, outputs * area)
    return [
      ParameterSpecification(
        name: "\(name).weight", shape: [outputs, inputs, kernel, kernel],
        initial: initial.weight(fanIn: fanIn, fanOut: fanOut)),
      ParameterSpecification(
        name: "\(name).bias", shape: [outputs], initial: initial.bias(fanIn: fanIn, fanOut: fanOut)),
    ]
  }

  /// - Parameter shift: added to each output channel of each sample, `[batch, outputs]`.
  func callAsFunction(_ x: Tensor, _ weights: Parameters, shift: Tensor? = nil) -> Tensor {
    guard kernel > 0 else {
      return x.convolved(nil, resampling: resampling, filter: filter, fused: isFused)
    }
    let bias = weights["\(name).bias"]
    return x.convolved(
      weights["\(name).weight"], bias: shift.map { $0 + bias } ?? bias, resampling: resampling,
      filter: filter, fused: isFused)
  }
}

/// `x · Wᵀ + b`; what a row becomes does not depend on the others, so that a picture is the same in
/// any batch.
struct LinearLayer: Sendable {
  let name: String
  let inputs: Int
  let outputs: Int
  var hasBias = true
  var initial: LayerInitialisation

  var parameters: [ParameterSpecification] {
    let weight = ParameterSpecification(
      name: "\(name).weight", shape: [outputs, inputs],
      initial: initial.weight(fanIn: inputs, fanOut: outputs))
    let bias = ParameterSpecification(
      name: "\(name).bias", shape: [outputs],
      initial: initial.bias(fanIn: inputs, fanOut: outputs))
    return hasBias ? [weight, bias] : [weight]
  }

  func callAsFunction(_ x: Tensor, _ weights: Parameters) -> Tensor {
    x.linear(weights["\(name).weight"], bias: hasBias ? weights["\(name).bias"] : nil)
  }
}

/// Group norm with at most 32 groups of at least 4 channels.
struct GroupNormLayer: Sendable {
  let name: String
  let channels: Int
  let epsilon: Float

  var groups: Int { Self.groups(of: channels) }

  static func groups(of channels: Int) -> Int { min(32, max(channels / 4, 1)) }

  var parameters: [ParameterSpecification] {
    [
      ParameterSpecification(name: "\(name).weight", shape: [channels], initial: .ones),
      ParameterSpecification(name: "\(name).bias", shape: [channels], initial: .zeros),
    ]
  }

  func callAsFunction(_ x: Tensor, _ weights: Parameters, silu: Bool) -> Tensor {
    x.groupNormalised(
      groups: groups, weight: weights["\(name).weight"], bias: weights["\(name).bias"],
      epsilon: epsilon, silu: silu)
  }

  /// `silu(norm(x) · (1 + scale) + shift)`, with scale and shift `[batch, channels]`.
  func adaptive(_ x: Tensor, _ weights: Parameters, scale: Tensor, shift: Tensor) -> Tensor {
    let factor = scale + 1
    return x.groupNormalised(
      groups: groups, weight: weights["\(name).weight"] * factor,
      bias: weights["\(name).bias"] * factor + shift, epsilon: epsilon, silu: true)
  }
}
