import TensorCore

/// A network that tells real pictures from generated ones: a description without weights.
///
/// What a forward pass changes beside the weights, the vectors of the power iterations of spectral norms,
/// is a value too, the *state*.
public protocol Discriminator: Sendable {
  /// Fresh weights that training changes: the same for the same seed.
  func initialParameters(seed: UInt64) -> Parameters

  func initialState(seed: UInt64) -> Parameters

  /// Whether pictures get noise somewhere on their way to the logits.
  var addsNoise: Bool { get }

  /// Logits of each feature network, those of all its heads side by side, each `[batch, logits]`, or a row for each
  /// pack of pictures that it judges together; positive means real. Losses and penalties take the mean over the
  /// logits of a network and the sum over networks.
  ///
  /// - Parameters:
  ///   - pictures: `[batch, channels, height, width]` in −1…1.
  ///   - noise: standard normal numbers, of the pictures' shape; nil where none is added.
  ///   - labels: `[batch, classes]`, one-hot, for a conditional discriminator.
  ///   - state: one power iteration further after the call.
  func logits(
    _ pictures: Tensor, noise: Tensor?, labels: Tensor?, _ weights: Parameters,
    state: inout Parameters
  ) -> [Tensor]
}

extension Discriminator {
  public var addsNoise: Bool { false }
}
