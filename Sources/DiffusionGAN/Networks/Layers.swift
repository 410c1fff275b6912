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
    return ParameterSpecification.layer(name, [outputs, inputs, kernel, kernel], initial)
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
    ParameterSpecification.layer(name, [outputs, inputs], initial, hasBias: hasBias)
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

  var parameters: [ParameterSpecification] { ParameterSpecification.norm(name, channels) }

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
