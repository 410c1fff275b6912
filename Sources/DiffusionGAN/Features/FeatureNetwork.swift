import TensorCore

/// A frozen network whose activations describe pictures: what metrics compare pictures by, and what a
/// projected discriminator looks at.
///
/// Pictures are `[batch, channels, height, width]` in −1…1. Both functions are differentiable in the
/// pictures; the weights are constants.
public protocol FeatureNetwork: Sendable {
  /// What reports call it.
  var name: String { get }

  /// Activations at several scales, the finest first, each `[batch, channels, height, width]`.
  func maps(_ pictures: Tensor) -> [Tensor]

  /// One vector a picture, `[batch, dimension]`: the activations before the classifying layer.
  func vectors(_ pictures: Tensor) -> Tensor
}
