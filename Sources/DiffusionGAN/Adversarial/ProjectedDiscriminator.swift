import TensorCore

/// A discriminator over frozen feature networks (Sauer et al. 2021; StyleGAN-XL, Sauer et al. 2022): one
/// head for each scale of each network, and one that looks at the pixels themselves.
public struct ProjectedDiscriminator: Discriminator {
  /// What a discriminator is made of beside its feature networks.
  ///
  /// The default is for pictures of 16×16 to 28×28, and differs from `reference` in three things beside its
  /// widths: maps are not doubled after mixing, the pixels have a head, and a head halves its map down to 7×7 at most
  /// (docs/onestep/levers.md says what of that was measured).
  public struct Style: Sendable, Equatable {
    /// Channels of the finest mixed map.
    public var mixingChannels: Int = 32
    /// Whether mixed maps are twice the size of those that they are made of.
    public var enlargesMaps: Bool = false
    /// Whether heads halve by the number of their scale, once at the coarsest and once more at each finer one, as
    /// the published do, whatever is left; otherwise as often as it takes to 7×7 or less.
    public var halvesByScale: Bool = false
    /// Channels of the heads behind the last halving.
    public var headChannels: Int = 64
    /// Whether a head sees the raw pixels.
    public var seesPixels: Bool = true
    /// Pictures of one kind, real or generated, that are judged together, their maps side by side as channels, so that
    /// a generator's lack of variety shows (PacGAN, Lin et al. 2018).
    public var packing: Int = 1
    /// Classes that heads are conditioned on; 0 for none.
    public var labels: Int = 0

    /// That of GDD's published code, for pictures of 32×32 and more. Class embeddings differ: `ClassProjection`.
    public static let reference = Style(
      mixingChannels: 64, enlargesMaps: true, halvesByScale: true, headChannels: 512,
      seesPixels: false)
  }

  public let networks: [any FeatureNetwork]
  private let mixings: [FeatureMixing]
  /// For each network the heads of its scales.
  private let heads: [[DiscriminatorHead]]
  private let pixelHead: DiscriminatorHead?
  private let packing: Int

  /// - Parameters:
  ///   - networks: frozen; without any, a head sees the pixels whatever the style says.
  ///   - shape: of the pictures.
  ///   - seed: of the fixed random mixing.
  public init(_ networks: [any FeatureNetwork], shape: ImageShape, style: Style, seed: UInt64) {
    let seesPixels = style.seesPixels || networks.isEmpty
    self.networks = networks
    packing = style.packing
    let blank = Tensor(zeros: [1] + shape.extents)
    mixings = networks.enumerated().map { index, network in
      FeatureMixing(
        maps: network.maps(blank).map(\.shape), channels: style.mixingChannels,
        enlarges: style.enlargesMaps, seed: seed, network: index)
    }
    heads = mixings.enumerated().map { network, mixing in
      mixing.scales.enumerated().map { scale, size in
        DiscriminatorHead(
          "heads\(network).scale\(scale)", inputs: style.packing * size.channels, side: size.side,
          halvings: style.halvesByScale ? mixing.scales.count - scale : nil, style: style)
      }
    }
    pixelHead =
      seesPixels
      ? DiscriminatorHead(
        "pixels", inputs: style.packing * shape.channels, side: min(shape.height, shape.width),
        stem: 32, style: style) : nil
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
    all.flatMap(\.parameters).initialParameters(seed: seed, .discriminator)
  }

  public func initialState(seed: UInt64) -> Parameters {
    all.flatMap(\.stateSpecifications).initialParameters(seed: seed, .discriminatorState)
  }

  public var addsNoise: Bool { networks.contains { $0.noise > 0 } }

  public func logits(
    _ pictures: Tensor, noise: Tensor?, labels: Tensor?, _ weights: Parameters,
    state: inout Parameters
  ) -> [Tensor] {
    var logits: [Tensor] = []
    for (index, network) in networks.enumerated() {
      let seen = noise.map { pictures + $0.scaled(by: network.noise) } ?? pictures
      let mixed = mixings[index](network.maps(seen))
      logits.append(
        Tensor.concatenated(
          zip(heads[index], mixed).map { $0(packed($1), labels: labels, weights, state: &state) }, 1
        ))
    }
    if let pixelHead {
      logits.append(pixelHead(packed(pictures), labels: labels, weights, state: &state))
    }
    return logits
  }

  /// `[batch, channels, height, width]` as `[batch / packing, packing · channels, height, width]`.
  private func packed(_ x: Tensor) -> Tensor {
    guard packing > 1 else { return x }
    let shape = x.shape
    precondition(shape[0] % packing == 0, "\(shape[0]) pictures in packs of \(packing)")
    return x.reshaped([shape[0] / packing, packing * shape[1], shape[2], shape[3]])
  }
}
