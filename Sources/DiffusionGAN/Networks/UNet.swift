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

  /// Number of weights that training changes.
  public var trainableCount: Int {
    specifications.filter(\.isTrainable).reduce(0) { $0 + $1.shape.reduce(1, *) }
  }

  /// Names of the residual branches, in the order of computation, as an observer sees them.
  public var residualNames: [String] {
    (encoder + decoder).flatMap { stage in
      if case .block(let block) = stage { block.residualNames } else { [] as [String] }
    }
    .map { String($0.dropFirst("model.".count)) }
  }

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
    /// Added to the noise embedding before its last activation, `[batch or 1, embedding channels]`.
    var embeddingShift: Tensor?
    /// Sees the output of every stage of encoder and decoder under its name, without `model.`, and
    /// may put another in its place. So it does with the residual branches of every block before
    /// they are added to what skips them, under the name of their last layer: `….conv1`, and
    /// `….proj` of blocks with attention.
    public var observer: Observer?

    public typealias Observer = @Sendable (_ name: String, _ output: Tensor) -> Tensor

    /// What the observer makes of the output of the stage with this whole name.
    func observed(_ name: String, _ output: Tensor) -> Tensor {
      observer.map { $0(String(name.dropFirst("model.".count)), output) } ?? output
    }
  }

  /// The raw network `F(x)`, `[batch, channels, height, width]` in and out.
  public func callAsFunction(
    _ x: Tensor, _ weights: Parameters, _ conditions: Conditions
  ) -> Tensor {
    let embedding = self.embedding(x, weights, conditions)
    var (x, skips) = encoded(x, embedding, weights, conditions)
    var result: Tensor?
    for stage in decoder {
      switch stage {
      case .block(let block):
        if x.shape[1] != block.inputs { x = Tensor.concatenated([x, skips.removeLast()], 1) }
        x = run(block, x, embedding, weights, conditions)
      case .auxiliaryUp(let layer): result = result.map { layer($0, weights) }
      case .auxiliaryOutput(let norm, let layer):
        let output = conditions.observed(layer.name, layer(norm(x, weights, silu: true), weights))
        result = result.map { $0 + output } ?? output
      default: break
      }
    }
    return result ?? x
  }

  /// The encoder's last activation at each resolution, the finest first, each
  /// `[batch, channels, height, width]`.
  func encoded(_ x: Tensor, _ weights: Parameters, _ conditions: Conditions) -> [Tensor] {
    let embedding = self.embedding(x, weights, conditions)
    let skips = encoded(x, embedding, weights, conditions).skips
    return skips.indices.filter {
      $0 == skips.count - 1 || skips[$0].shape[2] != skips[$0 + 1].shape[2]
    }.map { skips[$0] }
  }

  /// What the blocks get of the conditions.
  private func embedding(
    _ x: Tensor, _ weights: Parameters, _ conditions: Conditions
  ) -> Tensor {
    let shape = configuration.imageShape
    precondition(
      x.shape.count == 4 && Array(x.shape[1...]) == shape.extents,
      "a network of \(shape) pictures got \(x.shape)")
    precondition(
      conditions.noise.count == 1 || conditions.noise.count == x.shape[0],
      "\(conditions.noise.count) noise levels for a batch of shape \(x.shape)")
    return embedding(weights, conditions, batch: x.shape[0])
  }

  private func run(
    _ block: UNetBlock, _ x: Tensor, _ embedding: Tensor, _ weights: Parameters,
    _ conditions: Conditions
  ) -> Tensor {
    conditions.observed(
      block.name,
      block(
        x, embedding: embedding, weights, dropout: conditions.dropout,
        observed: conditions.observed))
  }

  /// The encoder's output, and what the decoder will want of it.
  private func encoded(
    _ x: Tensor, _ embedding: Tensor, _ weights: Parameters, _ conditions: Conditions
  ) -> (output: Tensor, skips: [Tensor]) {
    var skips: [Tensor] = []
    var (x, auxiliary) = (x, x)
    for stage in encoder {
      switch stage {
      case .convolution(let layer):
        x = conditions.observed(layer.name, layer(x, weights))
        skips.append(x)
      case .block(let block):
        x = run(block, x, embedding, weights, conditions)
        skips.append(x)
      case .auxiliaryDown(let layer): auxiliary = layer(auxiliary, weights)
      case .auxiliarySkip(let layer):
        x = x + conditions.observed(layer.name, layer(auxiliary, weights))
        skips[skips.count - 1] = x
      case .auxiliaryResidual(let layer):
        let side = conditions.observed(layer.name, layer(auxiliary, weights))
        x = Tensor.scaledSum(x, side, factor: Float(0.5.squareRoot()))
        skips[skips.count - 1] = x
        auxiliary = x
      case .auxiliaryUp, .auxiliaryOutput: break
      }
    }
    return (x, skips)
  }
}
