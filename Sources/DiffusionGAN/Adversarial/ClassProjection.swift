import TensorCore

/// How a head is conditioned on classes (Miyato & Koyama 2018, as in StyleGAN-XL, Sauer et al. 2022): the values at each position
/// times a projection of the class's embedding, `Σ x · e(class) / √64`.
///
/// There embeddings begin as those of a classifier of ImageNet; here, for any classes, as normal numbers.
struct ClassProjection: Sendable {
  /// Of the values at a position, and of the embedding.
  static let width = 64
  private static let slope: Float = 0.2

  private let name: String
  private let classes: Int

  init(_ name: String, classes: Int) {
    self.name = name
    self.classes = classes
  }

  var parameters: [ParameterSpecification] {
    let embedding = ParameterSpecification(
      name: "\(name).embedding", shape: [Self.width, classes], initial: .normal(1))
    // Standard normal too.
    let initial = LayerInitialisation(
      mode: .kaimingNormal, weight: Double(Self.width).squareRoot())
    return [embedding]
      + ParameterSpecification.layer("\(name).projection", [Self.width, Self.width], initial)
  }

  /// - Parameters:
  ///   - x: `[batch, 64, height, width]`.
  ///   - labels: `[batch, classes]`, one-hot.
  /// - Returns: `[batch, 1, height, width]`.
  func callAsFunction(_ x: Tensor, labels: Tensor?, _ weights: Parameters) -> Tensor {
    let batch = x.shape[0]
    let gain = 1 / Float(Self.width).squareRoot()
    let embedding = (labels ?? Tensor(zeros: [batch, classes])).linear(weights["\(name).embedding"])
    // The layer's weights count 1 / √64 of what is learned, its leaky ReLU √2 (Karras et al. 2020).
    let projected =
      (embedding.linear(weights["\(name).projection.weight"]).scaled(by: gain)
      + weights["\(name).projection.bias"].reshaped([1, Self.width]))
      .leakyReLU(slope: Self.slope).scaled(by: Float(2).squareRoot() * gain)
    return (x * projected.reshaped([batch, Self.width, 1, 1])).sum(over: [1])
  }
}
