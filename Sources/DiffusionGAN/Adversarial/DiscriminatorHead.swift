import TensorCore

/// The trainable part of a projected discriminator at one scale (Sauer et al. 2021): spectrally
/// normalised convolutions down to at most 7×7, and one to the logits.
struct DiscriminatorHead: Sendable {
  /// Widths and kinds of the layers of all heads.
  struct Style: Sendable {
    /// Channels after the first halving; doubled by each further one.
    var channels: Int
    var mostChannels: Int
    /// Batch norm behind every convolution but the first and last.
    var hasBatchNorm: Bool
    /// Classes that the head is told; 0 for none.
    var labels: Int
  }

  private static let slope: Float = 0.2
  /// Sides above this are halved first.
  private static let side = 7
  /// Width that the class embedding is compared in.
  private static let embedding = 64

  private let name: String
  private let style: Style
  private let layers: [SpectralConvolution]
  private let last: SpectralConvolution

  /// - Parameters:
  ///   - inputs: channels of the scale; side: its height and width.
  ///   - stem: channels of a convolution of stride 1 in front, if any.
  init(_ name: String, inputs: Int, side: Int, stem: Int? = nil, style: Style) {
    self.name = name
    self.style = style
    var layers: [SpectralConvolution] = []
    var (channels, side, width) = (inputs, side, style.channels)
    func add(_ outputs: Int, kernel: Int, stride: Int) {
      layers.append(
        SpectralConvolution(
          name: "\(name).conv\(layers.count)", inputs: channels, outputs: outputs, kernel: kernel,
          stride: stride, padding: 1, hasBias: !style.hasBatchNorm || layers.isEmpty))
      channels = outputs
    }
    if let stem { add(stem, kernel: 3, stride: 1) }
    while side > Self.side {
      add(min(width, style.mostChannels), kernel: 4, stride: 2)
      width *= 2
      side /= 2
    }
    if layers.isEmpty { add(min(2 * width, style.mostChannels), kernel: 3, stride: 1) }
    self.layers = layers
    last = SpectralConvolution(
      name: "\(name).logits", inputs: channels, outputs: style.labels > 0 ? Self.embedding : 1,
      kernel: min(side, 4), hasBias: !style.hasBatchNorm)
  }

  private func hasNorm(_ index: Int) -> Bool { style.hasBatchNorm && index > 0 }

  var parameters: [ParameterSpecification] {
    var result: [ParameterSpecification] = []
    for (index, layer) in layers.enumerated() {
      result += layer.parameters
      guard hasNorm(index) else { continue }
      result += [
        ParameterSpecification(
          name: "\(name).norm\(index).weight", shape: [layer.outputs], initial: .ones),
        ParameterSpecification(
          name: "\(name).norm\(index).bias", shape: [layer.outputs], initial: .zeros),
      ]
    }
    result += last.parameters
    if style.labels > 0 {
      result.append(
        ParameterSpecification(
          name: "\(name).embedding", shape: [Self.embedding, style.labels], initial: .normal(1)))
    }
    return result
  }

  var stateSpecifications: [ParameterSpecification] {
    (layers + [last]).map(\.stateSpecification)
  }

  /// Logits `[batch, 1, height, width]` of the activations `[batch, inputs, side, side]`.
  ///
  /// With classes, the 64 values at each position are projected on the embedding of the class and
  /// divided by √64 (Miyato & Koyama 2018).
  func callAsFunction(
    _ x: Tensor, labels: Tensor?, _ weights: Parameters, state: inout Parameters
  ) -> Tensor {
    var x = x
    for (index, layer) in layers.enumerated() {
      x = layer(x, weights, state: &state)
      if hasNorm(index) {
        x =
          x.batchNormalised(
            weight: weights["\(name).norm\(index).weight"],
            bias: weights["\(name).norm\(index).bias"]
          ).result
      }
      x = x.leakyReLU(slope: Self.slope)
    }
    let map = last(x, weights, state: &state)
    guard style.labels > 0 else { return map }
    let classes = labels ?? Tensor(zeros: [x.shape[0], style.labels])
    let embedded = classes.linear(weights["\(name).embedding"])
      .scaled(by: 1 / Float(Self.embedding).squareRoot())
    return (map * embedded.reshaped([x.shape[0], Self.embedding, 1, 1])).sum(over: [1])
  }
}
