import TensorCore

/// A discriminator over frozen feature networks (Sauer et al. 2021; StyleGAN-XL, Sauer et al. 2022): one
/// head for each scale of each network, and one that looks at the pixels themselves.
public struct ProjectedDiscriminator: Discriminator {
  /// What a discriminator is made of beside its feature networks.
  public struct Style: Sendable, Equatable {
    /// Channels of the mixed maps, from the finest.
    public var mixingChannels: [Int]
    /// Channels of the heads behind the first halving, and at most.
    public var headChannels: Int
    public var mostHeadChannels: Int
    public var hasBatchNorm: Bool
    /// Whether a head sees the raw pixels.
    public var seesPixels: Bool
    /// Classes that heads are told; 0 for none.
    public var labels: Int

    public init(
      mixingChannels: [Int] = [32, 48, 64], headChannels: Int = 32, mostHeadChannels: Int = 64,
      hasBatchNorm: Bool = false, seesPixels: Bool = true, labels: Int = 0
    ) {
      self.mixingChannels = mixingChannels
      self.headChannels = headChannels
      self.mostHeadChannels = mostHeadChannels
      self.hasBatchNorm = hasBatchNorm
      self.seesPixels = seesPixels
      self.labels = labels
    }

    /// The sizes of the reference for pictures of 32×32 and more.
    public static let reference = Style(
      mixingChannels: [64, 128, 256, 512], headChannels: 128, mostHeadChannels: 512,
      hasBatchNorm: true)
  }

  public let networks: [any FeatureNetwork]
  private let mixings: [FeatureMixing]
  /// For each network the heads of its scales.
  private let heads: [[DiscriminatorHead]]
  private let pixelHead: DiscriminatorHead?

  /// - Parameters:
  ///   - networks: frozen; none is allowed where the pixels are seen.
  ///   - shape: of the pictures.
  ///   - seed: of the fixed random mixing.
  public init(_ networks: [any FeatureNetwork], shape: ImageShape, style: Style, seed: UInt64) {
    precondition(!networks.isEmpty || style.seesPixels, "a discriminator that sees nothing")
    self.networks = networks
    let blank = Tensor(zeros: [1, shape.channels, shape.height, shape.width])
    mixings = networks.enumerated().map { index, network in
      FeatureMixing(
        maps: network.maps(blank).map(\.shape), channels: style.mixingChannels, seed: seed,
        network: index)
    }
    let headStyle = DiscriminatorHead.Style(
      channels: style.headChannels, mostChannels: style.mostHeadChannels,
      hasBatchNorm: style.hasBatchNorm, labels: style.labels)
    heads = mixings.enumerated().map { network, mixing in
      mixing.scales.enumerated().map { scale, size in
        DiscriminatorHead(
          "heads\(network).scale\(scale)", inputs: size.channels, side: size.side,
          style: headStyle)
      }
    }
    pixelHead =
      style.seesPixels
      ? DiscriminatorHead(
        "pixels", inputs: shape.channels, side: min(shape.height, shape.width),
        stem: style.headChannels, style: headStyle) : nil
  }

  /// The fixed weights of the mixing, `mixing0.across0` and so on for each network.
  public var mixingWeights: Parameters {
    Parameters(
      mixings.enumerated().flatMap { index, mixing in
        mixing.weights.pairs.map { ("mixing\(index).\($0.name)", $0.tensor) }
      })
  }

  private var all: [DiscriminatorHead] { heads.flatMap(\.self) + [pixelHead].compactMap(\.self) }

  public func initialParameters(seed: UInt64) -> Parameters {
    all.flatMap(\.parameters).tensors(seed: seed, .weights)
  }

  public func initialState(seed: UInt64) -> Parameters {
    all.flatMap(\.stateSpecifications).tensors(seed: seed, .state)
  }

  public func logits(
    _ pictures: Tensor, labels: Tensor?, _ weights: Parameters, state: inout Parameters
  ) -> [Tensor] {
    var logits: [Tensor] = []
    for (index, network) in networks.enumerated() {
      let mixed = mixings[index](network.maps(pictures))
      for (head, x) in zip(heads[index], mixed) {
        logits.append(head(x, labels: labels, weights, state: &state))
      }
    }
    if let pixelHead {
      logits.append(pixelHead(pictures, labels: labels, weights, state: &state))
    }
    return logits
  }
}
