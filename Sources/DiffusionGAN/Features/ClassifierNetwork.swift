import TensorCore

/// A small convolutional classifier: what it is made of, not its weights.
///
/// Three scales, full, half and quarter size; then the mean over positions, a linear layer with the
/// family's nonlinearity, the features, and a linear layer to the classes.
public struct ClassifierNetwork: Sendable {
  /// What a classifier makes of pictures.
  public struct Output: Sendable {
    /// Activation at the end of each scale, the finest first, `[batch, channels, height, width]`.
    public let maps: [Tensor]
    /// `[batch, features]`.
    public let features: Tensor
    /// Before the softmax, `[batch, classes]`.
    public let logits: Tensor
  }

  public let configuration: ClassifierConfiguration
  private let scales: [[ClassifierBlock]]
  private let featureLayer: LinearLayer
  private let classLayer: LinearLayer
  let specifications: [ParameterSpecification]

  /// - Throws: `UserError` if the parts of the configuration do not fit.
  public init(_ configuration: ClassifierConfiguration) throws {
    try configuration.check()
    self.configuration = configuration
    let widths = configuration.widths
    scales = widths.indices.map { scale in
      (0..<configuration.depth).map { index in
        ClassifierBlock(
          "scale\(scale).block\(index)", kind: configuration.kind,
          inputs: index > 0
            ? widths[scale] : scale > 0 ? widths[scale - 1] : configuration.imageChannels,
          outputs: widths[scale])
      }
    }
    featureLayer = LinearLayer(
      name: "features", inputs: widths[2], outputs: configuration.features,
      initial: ClassifierBlock.initial)
    classLayer = LinearLayer(
      name: "classes", inputs: configuration.features, outputs: configuration.classes,
      initial: LayerInitialisation(mode: .kaimingNormal))
    specifications =
      scales.flatMap(\.self).flatMap(\.parameters) + featureLayer.parameters
      + classLayer.parameters
  }

  /// Fresh weights: the same for the same seed.
  public func initialParameters(seed: UInt64) -> Parameters {
    specifications.initialParameters(seed: seed)
  }

  /// Runs the network.
  ///
  /// - Parameter x: pictures `[batch, channels, height, width]` in −1…1.
  public func callAsFunction(_ x: Tensor, _ weights: Parameters) -> Output {
    let shape = configuration.imageShape
    precondition(
      x.shape.count == 4 && Array(x.shape[1...]) == shape.extents,
      "a classifier of \(shape) pictures got \(x.shape)")
    var x = x
    var maps: [Tensor] = []
    for (scale, blocks) in scales.enumerated() {
      if scale > 0 { x = x.averagePooled() }
      for block in blocks { x = block(x, weights) }
      maps.append(x)
    }
    let features = configuration.kind.activation(featureLayer(x.pooled, weights))
    return Output(maps: maps, features: features, logits: classLayer(features, weights))
  }
}

/// One step of a scale: a convolution, or a residual block of two.
private struct ClassifierBlock: Sendable {
  static let initial = LayerInitialisation(mode: .kaimingNormal, weight: 2.0.squareRoot())

  let kind: ClassifierConfiguration.Kind
  let convolutions: [ConvolutionLayer]
  let norms: [GroupNormLayer]
  /// Brings the shortcut to the block's channels.
  let shortcut: ConvolutionLayer?

  init(_ name: String, kind: ClassifierConfiguration.Kind, inputs: Int, outputs: Int) {
    self.kind = kind
    let count = kind == .plain ? 1 : 2
    convolutions = (0..<count).map {
      ConvolutionLayer(
        name: "\(name).conv\($0)", inputs: $0 == 0 ? inputs : outputs, outputs: outputs, kernel: 3,
        initial: Self.initial)
    }
    norms = (0..<count).map {
      GroupNormLayer(name: "\(name).norm\($0)", channels: outputs, epsilon: 1e-5)
    }
    shortcut =
      kind == .residual && inputs != outputs
      ? ConvolutionLayer(
        name: "\(name).skip", inputs: inputs, outputs: outputs, kernel: 1,
        initial: LayerInitialisation(mode: .kaimingNormal)) : nil
  }

  var parameters: [ParameterSpecification] {
    zip(convolutions, norms).flatMap { $0.parameters + $1.parameters }
      + (shortcut?.parameters ?? [])
  }

  func callAsFunction(_ x: Tensor, _ weights: Parameters) -> Tensor {
    switch kind {
    case .plain: return norms[0](convolutions[0](x, weights), weights, silu: true)
    case .residual:
      let inner = kind.activation(norms[0](convolutions[0](x, weights), weights, silu: false))
      let outer = norms[1](convolutions[1](inner, weights), weights, silu: false)
      return kind.activation(outer + (shortcut?(x, weights) ?? x))
    }
  }
}

extension ClassifierConfiguration.Kind {
  fileprivate func activation(_ x: Tensor) -> Tensor {
    switch self {
    case .plain: x.silu()
    case .residual: x.leakyReLU(slope: 0.2)
    }
  }
}
