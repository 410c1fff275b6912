import Foundation
import TensorCore

/// A U-Net of the EDM code: what it is made of, not its weights.
///
/// Parameters have the names of the published weights, `model.` in front included.
public struct UNet: Sendable {
  /// What happens to the activation, in order.
  enum Stage: Sendable {
    case convolution(ConvolutionLayer)
    case block(UNetBlock)
    case auxiliaryDown(ConvolutionLayer)
    case auxiliarySkip(ConvolutionLayer)
    case auxiliaryResidual(ConvolutionLayer)
    case auxiliaryUp(ConvolutionLayer)
    case auxiliaryOutput(GroupNormLayer, ConvolutionLayer)

    var parameters: [ParameterSpecification] {
      switch self {
      case .convolution(let layer), .auxiliaryDown(let layer), .auxiliarySkip(let layer),
        .auxiliaryResidual(let layer), .auxiliaryUp(let layer):
        layer.parameters
      case .block(let block): block.parameters
      case .auxiliaryOutput(let norm, let layer): norm.parameters + layer.parameters
      }
    }
  }

  public let configuration: NetworkConfiguration
  let embedding: NoiseEmbeddingLayers
  let encoder: [Stage]
  let decoder: [Stage]
  let specifications: [ParameterSpecification]

  /// - Throws: `UserError` if the parts of the configuration do not fit.
  public init(_ configuration: NetworkConfiguration) throws {
    try configuration.check()
    self.configuration = configuration
    let plan = UNetPlan(configuration)
    embedding = NoiseEmbeddingLayers(configuration, plan.style)
    (encoder, decoder) = plan.stages()
    specifications = embedding.parameters + (encoder + decoder).flatMap(\.parameters)
  }

  /// Names of all parameters that training changes, in order.
  public var trainableNames: [String] { specifications.filter(\.isTrainable).map(\.name) }

  /// Fresh weights: the same for the same seed.
  public func initialParameters(seed: UInt64) -> Parameters {
    specifications.initialParameters(seed: seed)
  }

  /// The weights of this network among `found`, in this network's order.
  ///
  /// - Throws: `UserError` naming a missing, unknown or misshapen array. Constants that other programs
  ///   store beside weights (resampling filters) are left out.
  public func parameters(from found: Parameters, at place: String) throws -> Parameters {
    try specifications.parameters(from: found, at: place)
  }

  /// What enters a network beside the picture.
  public struct Conditions: Sendable {
    /// `c_noise` of each sample, or one for all.
    public var noise: [Float]
    /// `[batch, labels]`, one-hot; none counts as zeros.
    public var labels: Tensor?
    /// `[batch, augmentation labels]`.
    public var augmentLabels: Tensor?
    public var dropout: Dropout?
    /// Sees the output of every stage of encoder and decoder under its name, without `model.`, and
    /// may put another in its place.
    public var observer: (@Sendable (_ name: String, _ output: Tensor) -> Tensor)?

    public init(
      noise: [Float], labels: Tensor? = nil, augmentLabels: Tensor? = nil,
      dropout: Dropout? = nil, observer: (@Sendable (String, Tensor) -> Tensor)? = nil
    ) {
      self.noise = noise
      self.labels = labels
      self.augmentLabels = augmentLabels
      self.dropout = dropout
      self.observer = observer
    }
  }

  /// The raw network `F(x)`, `[batch, channels, height, width]` in and out.
  public func callAsFunction(
    _ x: Tensor, _ weights: Parameters, _ conditions: Conditions
  ) -> Tensor {
    let size = configuration.resolution
    precondition(
      x.shape.count == 4 && Array(x.shape[1...]) == [configuration.imageChannels, size, size],
      "a network of \(configuration.imageChannels)×\(size)×\(size) pictures got \(x.shape)")
    precondition(
      conditions.noise.count == 1 || conditions.noise.count == x.shape[0],
      "\(conditions.noise.count) noise levels for a batch of shape \(x.shape)")
    let embedding = embedding(weights, conditions, batch: x.shape[0])
    func observed(_ name: String, _ output: Tensor) -> Tensor {
      conditions.observer.map { $0(String(name.dropFirst("model.".count)), output) } ?? output
    }
    func run(_ block: UNetBlock, _ x: Tensor) -> Tensor {
      observed(block.name, block(x, embedding: embedding, weights, dropout: conditions.dropout))
    }
    var skips: [Tensor] = []
    var (x, auxiliary) = (x, x)
    for stage in encoder {
      switch stage {
      case .convolution(let layer):
        x = observed(layer.name, layer(x, weights))
        skips.append(x)
      case .block(let block):
        x = run(block, x)
        skips.append(x)
      case .auxiliaryDown(let layer): auxiliary = layer(auxiliary, weights)
      case .auxiliarySkip(let layer):
        x = x + observed(layer.name, layer(auxiliary, weights))
        skips[skips.count - 1] = x
      case .auxiliaryResidual(let layer):
        let side = observed(layer.name, layer(auxiliary, weights))
        x = Tensor.scaledSum(x, side, factor: Float(0.5.squareRoot()))
        skips[skips.count - 1] = x
        auxiliary = x
      case .auxiliaryUp, .auxiliaryOutput: break
      }
    }
    var result: Tensor?
    for stage in decoder {
      switch stage {
      case .block(let block):
        if x.shape[1] != block.inputs { x = Tensor.concatenated([x, skips.removeLast()], 1) }
        x = run(block, x)
      case .auxiliaryUp(let layer): result = result.map { layer($0, weights) }
      case .auxiliaryOutput(let norm, let layer):
        let output = observed(layer.name, layer(norm(x, weights, silu: true), weights))
        result = result.map { $0 + output } ?? output
      default: break
      }
    }
    return result ?? x
  }
}
