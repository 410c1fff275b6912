import TensorCore

/// A plain convolutional discriminator of residual blocks, without norms and without features: two
/// convolutions a block with a linear shortcut, average pooling down to at most 7×7, and a linear
/// layer to one logit.
public struct ConvolutionalDiscriminator: Discriminator {
  private static let slope: Float = 0.2

  private let levels: [Level]
  private let stem: ConvolutionLayer
  private let logit: LinearLayer
  private let embedding: LinearLayer?
  private let features: Int

  private struct Level {
    let first: ConvolutionLayer
    let second: ConvolutionLayer
    let shortcut: ConvolutionLayer
  }

  /// - Parameters:
  ///   - channels: of the stem; every level has twice as many.
  ///   - labels: classes that it is conditioned on; 0 for none.
  public init(shape: ImageShape, channels: Int = 32, labels: Int = 0) {
    let initial = LayerInitialisation(mode: .kaimingNormal, weight: 2.0.squareRoot())
    let linear = LayerInitialisation(mode: .kaimingNormal)
    func layer(
      _ name: String, _ inputs: Int, _ outputs: Int, kernel: Int, _ initial: LayerInitialisation
    ) -> ConvolutionLayer {
      ConvolutionLayer(
        name: name, inputs: inputs, outputs: outputs, kernel: kernel, initial: initial)
    }
    stem = layer("stem", shape.channels, channels, kernel: 3, initial)
    var levels: [Level] = []
    var (width, side) = (channels, min(shape.height, shape.width))
    while side > 7 || levels.isEmpty {
      let outputs = 2 * channels
      let name = "level\(levels.count)"
      levels.append(
        Level(
          first: layer("\(name).conv0", width, outputs, kernel: 3, initial),
          second: layer("\(name).conv1", outputs, outputs, kernel: 3, initial),
          shortcut: layer("\(name).shortcut", width, outputs, kernel: 1, linear)))
      width = outputs
      side /= 2
    }
    self.levels = levels
    features = width * side * side
    logit = LinearLayer(name: "logit", inputs: features, outputs: 1, initial: linear)
    embedding =
      labels > 0
      ? LinearLayer(
        name: "embedding", inputs: labels, outputs: features, hasBias: false, initial: linear)
      : nil
  }

  private var specifications: [ParameterSpecification] {
    stem.parameters
      + levels.flatMap { $0.first.parameters + $0.second.parameters + $0.shortcut.parameters }
      + logit.parameters + (embedding?.parameters ?? [])
  }

  public func initialParameters(seed: UInt64) -> Parameters {
    specifications.initialParameters(seed: seed, .discriminator)
  }

  public func initialState(seed: UInt64) -> Parameters { Parameters() }

  public func logits(
    _ pictures: Tensor, noise: Tensor?, labels: Tensor?, _ weights: Parameters,
    state: inout Parameters
  ) -> [Tensor] {
    var x = stem(pictures, weights)
    for level in levels {
      let shortcut = level.shortcut(x.averagePooled(), weights)
      var h = level.first(x.leakyReLU(slope: Self.slope), weights)
      h = level.second(h.leakyReLU(slope: Self.slope), weights).averagePooled()
      x = Tensor.scaledSum(h, shortcut, factor: Float(0.5).squareRoot())
    }
    let flat = x.leakyReLU(slope: Self.slope).reshaped([x.shape[0], features])
    var result = logit(flat, weights)
    if let embedding, let labels {
      let embedded = embedding(labels, weights)
      result =
        result
        + (flat * embedded).sum(over: [1]).scaled(by: 1 / Float(features).squareRoot())
    }
    return [result]
  }
}
