import DiffusionGAN
import TensorCore
import Terminal

/// The frozen networks that a discriminator looks through.
struct DiscriminatorFeatures {
  var networks: [any FeatureNetwork] = []
  /// What identifies each in a run's options.
  var identity: JSONValue = []

  init() {}

  /// - Parameter pretrained: whose encoder `encoder` is, and what is taken where nothing is named.
  /// - Throws: `UserError` for files that are none, and for those of pictures of another shape.
  init(_ parsed: ParsedCommand, of pretrained: NetworkFile, shape: ImageShape) throws {
    let names = parsed.strings("features")
    var identities: [JSONValue] = []
    for name in names.isEmpty ? ["encoder"] : names {
      if name == "encoder" {
        networks.append(EncoderFeatures(pretrained))
        identities.append(.string(name))
      } else {
        let network = try FeatureNetworkFile.load(name)
        try network.check(shape)
        networks.append(network)
        identities.append(.string(try FeatureNetworkFile.identity(of: name)))
      }
    }
    identity = .array(identities)
  }
}

extension AdversarialTraining.Settings {
  func discriminator(
    over networks: [any FeatureNetwork], shape: ImageShape, labels: Int
  ) -> any Discriminator {
    if discriminator == .convolutional {
      return ConvolutionalDiscriminator(shape: shape, labels: labels)
    }
    var style = style
    style.labels = labels
    return ProjectedDiscriminator(networks, shape: shape, style: style, seed: seed)
  }
}
