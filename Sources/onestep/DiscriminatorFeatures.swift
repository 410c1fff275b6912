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
  /// - Throws: `UserError` for files that are none, for those of pictures of another shape, and for one that is
  ///   named twice.
  init(_ parsed: ParsedCommand, of pretrained: NetworkFile, shape: ImageShape) throws {
    let names = parsed.strings("features")
    var identities: [JSONValue] = []
    for name in names.isEmpty ? ["encoder"] : names {
      if let noise = try Self.encoderNoise(name) {
        networks.append(EncoderFeatures(pretrained, noise: noise))
      } else {
        let network = try FeatureNetworkFile.load(name)
        try network.check(shape)
        networks.append(network)
      }
      let identity = JSONValue.string(try Self.identity(of: name))
      guard !identities.contains(identity) else {
        throw UserError(
          "the discriminator would look through it twice", at: name, remedy: "name it once",
          status: .usage)
      }
      identities.append(identity)
    }
    identity = .array(identities)
  }

  /// What identifies a network in a run's options: its name, or the digest of its file.
  static func identity(of name: String) throws -> String {
    guard let noise = try encoderNoise(name) else {
      return try FeatureNetworkFile.identity(of: name)
    }
    return noise > 0 ? "\(encoder)@\(noise)" : encoder
  }

  private static let encoder = "encoder"

  /// The noise that the pretrained network's encoder sees pictures with, from `encoder` or `encoder@SIGMA`; nil for
  /// files.
  static func encoderNoise(_ name: String) throws -> Float? {
    guard name != encoder else { return 0 }
    guard name.hasPrefix("\(encoder)@") else { return nil }
    guard let noise = Float(name.dropFirst(encoder.count + 1)), (0.002...80).contains(noise) else {
      throw UserError(
        "an encoder sees noise of 0.002 to 80", at: name, remedy: "write encoder@0.5, for example",
        status: .usage)
    }
    return noise
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
