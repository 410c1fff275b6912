import Foundation
import TensorCore

/// From noise level and labels to the vector that every block sees.
struct NoiseEmbeddingLayers: Sendable {
  /// Deviation of the random frequencies of a Fourier embedding.
  private static let fourierScale = 16.0
  private static let frequencies = "model.map_noise.freqs"

  private let configuration: NetworkConfiguration
  private let width: Int
  private let label: LinearLayer?
  private let augment: LinearLayer?
  private let layer0: LinearLayer
  private let layer1: LinearLayer

  init(_ configuration: NetworkConfiguration, _ style: UNetBlock.Style) {
    self.configuration = configuration
    let isSong = configuration.architecture == .song
    let outputs = style.embeddingChannels
    let width = configuration.baseChannels * (isSong ? configuration.noiseMultiplier : 1)
    self.width = width
    layer0 = LinearLayer(
      name: "model.map_layer0", inputs: width, outputs: outputs, initial: style.initial)
    layer1 = LinearLayer(
      name: "model.map_layer1", inputs: outputs, outputs: outputs, initial: style.initial)
    let (labels, augmentLabels) = (configuration.labels, configuration.augmentLabels)
    label =
      labels == 0
      ? nil
      : LinearLayer(
        name: "model.map_label", inputs: labels, outputs: isSong ? width : outputs,
        hasBias: isSong,
        initial: isSong
          ? style.initial
          : LayerInitialisation(mode: .kaimingNormal, weight: Double(labels).squareRoot()))
    augment =
      augmentLabels == 0
      ? nil
      : LinearLayer(
        name: "model.map_augment", inputs: augmentLabels, outputs: width, hasBias: false,
        initial: isSong ? style.initial : style.initialZero)
  }

  private var isFourier: Bool {
    configuration.architecture == .song && configuration.noiseEmbedding == .fourier
  }

  var parameters: [ParameterSpecification] {
    let frequencies = ParameterSpecification(
      name: Self.frequencies, shape: [width / 2], initial: .normal(Self.fourierScale),
      isTrainable: false)
    let isSong = configuration.architecture == .song
    let first = (isSong ? label?.parameters ?? [] : []) + (augment?.parameters ?? [])
    let last = isSong ? [] : label?.parameters ?? []
    return (isFourier ? [frequencies] : []) + first + layer0.parameters + layer1.parameters + last
  }

  /// `[batch, embedding channels]`.
  func callAsFunction(
    _ weights: Parameters, _ conditions: UNet.Conditions, batch: Int
  ) -> Tensor {
    func labels(_ given: Tensor?, _ layer: LinearLayer) -> Tensor {
      let labels = given ?? Tensor(zeros: [1, layer.inputs])
      precondition(
        labels.shape == [batch, layer.inputs] || labels.shape == [1, layer.inputs],
        "labels of shape \(labels.shape) for a batch of \(batch) and \(layer.inputs) classes")
      return labels
    }
    var x = features(conditions.noise, weights)
    if x.shape[0] == 1, batch > 1 { x = x.broadcast(to: [batch, width]) }
    let isSong = configuration.architecture == .song
    if isSong, let label {
      let scale = Float(label.inputs).squareRoot()
      x = x + label(labels(conditions.labels, label) * scale, weights)
    }
    if let augment, let given = conditions.augmentLabels {
      x = x + augment(labels(given, augment), weights)
    }
    x = layer1(layer0(x, weights).silu(), weights)
    if !isSong, let label { x = x + label(labels(conditions.labels, label), weights) }
    if let shift = conditions.embeddingShift { x = x + shift }
    return x.silu()
  }

  /// What the first layer sees of noise levels, `[noise levels, width]`.
  func features(_ levels: [Float], _ weights: Parameters) -> Tensor {
    let x = noise(levels, weights)
    guard configuration.architecture == .song else { return x }
    // The reference swaps the halves (cosines, sines) before the first layer.
    return Tensor.concatenated([x.slice(1, width / 2..<width), x.slice(1, 0..<width / 2)], 1)
  }

  /// Cosines and sines of the noise level at several frequencies, `[noise levels, width]`.
  func noise(_ levels: [Float], _ weights: Parameters) -> Tensor {
    let half = width / 2
    let frequencies: Tensor
    if isFourier {
      // In f32 and in this order: the phase reaches hundreds of radians.
      frequencies = weights[Self.frequencies].scaled(by: Float(2 * Double.pi))
    } else {
      // Vaswani et al. 2017, with the last frequency included or not.
      let steps = Float(half - (configuration.architecture == .song ? 1 : 0))
      frequencies = Tensor(
        (0..<half).map { powf(Float(1e-4), Float($0) / steps) }, shape: [half])
    }
    let phase = Tensor(levels, shape: [levels.count, 1]) * frequencies
    return Tensor.concatenated([phase.cosine(), phase.sine()], 1)
  }
}
