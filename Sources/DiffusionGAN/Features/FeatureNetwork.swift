import TensorCore

/// A frozen network whose activations describe pictures: what metrics compare pictures by, and what a
/// projected discriminator looks at.
///
/// Pictures are `[batch, channels, height, width]` in −1…1. Both functions are differentiable in the
/// pictures; the weights are constants.
public protocol FeatureNetwork: Sendable {
  /// What reports call it.
  var name: String { get }

  /// What happens to pictures before the network sees them, for reports.
  var preprocessing: String { get }

  /// Deviation of the noise that a discriminator adds to pictures before it looks through this network.
  var noise: Float { get }

  /// Activations at several scales, the finest first, each `[batch, channels, height, width]`.
  func maps(_ pictures: Tensor) -> [Tensor]

  /// One vector a picture, `[batch, dimension]`: the activations before the classifying layer.
  func vectors(_ pictures: Tensor) -> Tensor

  /// Classes that a classifier tells apart; 0 for other networks.
  var classCount: Int { get }

  /// The `vectors` of pictures and, of a classifier, the likeliest class of each, in one pass.
  func described(_ pictures: Tensor) -> (vectors: Tensor, labels: [Int]?)

  /// - Throws: `UserError` for pictures of a shape that the network cannot look at.
  func check(_ shape: ImageShape) throws
}

extension FeatureNetwork {
  public var preprocessing: String { "values in −1…1" }

  public var noise: Float { 0 }

  public var classCount: Int { 0 }

  public func described(_ pictures: Tensor) -> (vectors: Tensor, labels: [Int]?) {
    (vectors(pictures), nil)
  }

  /// Grey or coloured pictures of any size.
  public func check(_ shape: ImageShape) throws {
    guard shape.channels == 1 || shape.channels == 3 else {
      throw UserError(
        "sees grey and coloured pictures, these are \(shape)", at: name,
        remedy: "give pictures of 1 or 3 channels")
    }
  }
}
