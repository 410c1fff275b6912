import TensorCore

/// What a network is built from, in the terms of the EDM code (Karras et al. 2022, Table 1 and
/// appendix F.3).
public struct NetworkConfiguration: Sendable, Equatable {
  /// Which U-Net.
  public enum Architecture: String, Sendable, CaseIterable {
    /// DDPM++ and NCSN++ (Song et al. 2021).
    case song = "SongUNet"
    /// ADM (Dhariwal & Nichol 2021).
    case dhariwal = "DhariwalUNet"

    /// What the EDM code's constructors take where its training script passes nothing.
    var constructorDefaults:
      (baseChannels: Int, multipliers: [Int], blocks: Int, attentionResolutions: [Int])
    {
      switch self {
      case .song: (128, [1, 2, 2, 2], 4, [16])
      case .dhariwal: (192, [1, 2, 3, 4], 3, [32, 16, 8])
      }
    }
  }

  /// How the noise level enters a network of Song et al.
  public enum NoiseEmbedding: String, Sendable, CaseIterable {
    case positional
    case fourier
  }

  /// What goes beside the main path of a network of Song et al.
  public enum Path: String, Sendable, CaseIterable {
    case standard
    case skip
    case residual
  }

  public var architecture: Architecture
  /// Height and width of the pictures.
  public var resolution: Int
  /// Colour channels in and out.
  public var imageChannels: Int
  /// Number of classes; 0 for none.
  public var labels: Int = 0
  /// Width of the augmentation labels; 0 for none.
  public var augmentLabels: Int = 0
  public var baseChannels: Int
  /// Channels of each resolution, as multiples of `baseChannels`.
  public var multipliers: [Int]
  public var embeddingMultiplier: Int = 4
  /// Blocks of each resolution of the encoder; the decoder has one more.
  public var blocks: Int
  public var attentionResolutions: [Int]
  public var dropout: Float = 0
  public var noiseEmbedding: NoiseEmbedding = .positional
  /// Width of the noise embedding as a multiple of `baseChannels`.
  public var noiseMultiplier: Int = 1
  public var encoder: Path = .standard
  public var decoder: Path = .standard
  public var filter: [Float] = [1, 1]

  /// A DDPM++ network.
  public static func ddpmpp(
    resolution: Int, imageChannels: Int, baseChannels: Int, multipliers: [Int], blocks: Int,
    attentionResolutions: [Int], labels: Int = 0, dropout: Float = 0
  ) -> NetworkConfiguration {
    NetworkConfiguration(
      architecture: .song, resolution: resolution, imageChannels: imageChannels, labels: labels,
      baseChannels: baseChannels, multipliers: multipliers, blocks: blocks,
      attentionResolutions: attentionResolutions, dropout: dropout)
  }

  /// An ADM network.
  public static func adm(
    resolution: Int, imageChannels: Int, baseChannels: Int, multipliers: [Int], blocks: Int,
    attentionResolutions: [Int], labels: Int = 0, dropout: Float = 0
  ) -> NetworkConfiguration {
    NetworkConfiguration(
      architecture: .dhariwal, resolution: resolution, imageChannels: imageChannels,
      labels: labels, baseChannels: baseChannels, multipliers: multipliers, blocks: blocks,
      attentionResolutions: attentionResolutions, dropout: dropout)
  }
}

extension NetworkConfiguration {
  /// What one picture measures.
  public var imageShape: ImageShape {
    ImageShape(channels: imageChannels, height: resolution, width: resolution)
  }

  /// Reads a configuration under the argument names of the EDM code: as `jsonValue` writes it, or as that code
  /// keeps it, which is what was passed to `EDMPrecond`. What was not passed has the defaults of the
  /// constructors there.
  ///
  /// - Throws: `UserError` with the key at fault.
  public init(_ reader: JSONReader) throws {
    var fields = Dictionary(try reader.entries(), uniquingKeysWith: { first, _ in first })
    // Of the preconditioning, of training, and of arithmetic.
    for key in ["sigma_data", "label_dropout", "use_fp16"] { fields[key] = nil }
    if let field = fields.removeValue(forKey: "class_name") {
      let name = try field.string()
      guard name.split(separator: ".").last == "EDMPrecond" else {
        throw UserError(
          "found the preconditioning \"\(name)\", allowed is EDMPrecond", at: field.place,
          remedy: "give a network that was trained with --precond=edm")
      }
    }
    func taken<Value>(
      _ key: String, _ absent: Value?, _ read: (JSONReader) throws -> Value
    ) throws -> Value {
      guard let field = fields.removeValue(forKey: key) else {
        if let absent { return absent }
        throw UserError("has no \"\(key)\"", at: reader.place, remedy: "add it")
      }
      return try read(field)
    }
    func integer(_ key: String, _ absent: Int? = nil) throws -> Int {
      try taken(key, absent) { try $0.integer(in: 0...1 << 20) }
    }
    func integers(_ key: String, _ absent: [Int]) throws -> [Int] {
      try taken(key, absent) { try $0.list().map { try $0.integer() } }
    }
    func choice<Choice: RawRepresentable & CaseIterable>(
      _ key: String, _ absent: Choice
    ) throws -> Choice where Choice.RawValue == String {
      try taken(key, absent) {
        Choice(rawValue: try $0.choice(of: Choice.allCases.map(\.rawValue))) ?? absent
      }
    }
    let architecture = try choice("model_type", Architecture.dhariwal)
    let absent = architecture.constructorDefaults
    self.init(
      architecture: architecture, resolution: try integer("img_resolution"),
      imageChannels: try integer("img_channels"), labels: try integer("label_dim", 0),
      augmentLabels: try integer("augment_dim", 0),
      baseChannels: try integer("model_channels", absent.baseChannels),
      multipliers: try integers("channel_mult", absent.multipliers),
      embeddingMultiplier: try integer("channel_mult_emb", 4),
      blocks: try integer("num_blocks", absent.blocks),
      attentionResolutions: try integers("attn_resolutions", absent.attentionResolutions),
      dropout: try taken("dropout", 0.1) { Float(try $0.number()) },
      noiseEmbedding: try choice("embedding_type", .positional),
      noiseMultiplier: try integer("channel_mult_noise", 1),
      encoder: try choice("encoder_type", .standard),
      decoder: try choice("decoder_type", .standard),
      filter: try taken("resample_filter", [1, 1]) {
        try $0.list().map { Float(try $0.number()) }
      })
    if let key = fields.keys.sorted().first {
      throw UserError("unknown key \"\(key)\"", at: reader.place, remedy: "remove it")
    }
    try check(at: reader.place)
  }

  /// More than any network of images has; a blunder, and more memory than there is.
  private static let mostChannels = 1 << 14

  /// - Throws: `UserError` if the parts do not fit.
  public func check(at place: String? = nil) throws {
    func refuse(_ problem: String, _ remedy: String) -> UserError {
      UserError(problem, at: place, remedy: remedy)
    }
    guard resolution > 0, imageChannels > 0, baseChannels > 0, blocks > 0, !multipliers.isEmpty,
      multipliers.allSatisfy({ $0 > 0 })
    else { throw refuse("a network of no size", "give sizes above 0") }
    guard embeddingMultiplier > 0, noiseMultiplier > 0 else {
      throw refuse(
        "an embedding of no channels", "give channel_mult_emb and channel_mult_noise above 0")
    }
    guard baseChannels * (multipliers.max() ?? 1) <= Self.mostChannels else {
      throw refuse(
        "\(baseChannels * (multipliers.max() ?? 1)) channels", "use at most \(Self.mostChannels)")
    }
    guard (0..<1).contains(dropout) else {
      throw refuse("dropout \(dropout)", "give a probability from 0 to below 1")
    }
    // The filter is divided by its sum, and takes as much from either side of a pixel.
    guard filter.count >= 2, filter.count % 2 == 0, filter.reduce(0, +).magnitude > 1e-3 else {
      throw refuse(
        "the resample_filter \(filter)",
        "give an even number of taps that do not sum to 0, such as [1, 3, 3, 1]")
    }
    guard resolution % (1 << (multipliers.count - 1)) == 0 else {
      throw refuse(
        "resolution \(resolution) cannot be halved \(multipliers.count - 1) times",
        "use fewer multipliers or another resolution")
    }
    guard baseChannels % 2 == 0 else {
      throw refuse("\(baseChannels) base channels are odd", "use an even number")
    }
    // Where skips join, a block has more channels than any level.
    let stages = UNetPlan(self).stages()
    for case .block(let block) in stages.encoder + stages.decoder {
      for channels in [block.inputs, block.outputs] {
        guard channels % GroupNormLayer.groups(of: channels) == 0 else {
          throw refuse(
            "\(channels) channels of \(block.name) do not divide into groups",
            "choose model_channels so that it is a multiple of 4, and of 32 above 128")
        }
      }
    }
  }

  /// The configuration under the argument names of the EDM code.
  public var jsonValue: JSONValue {
    [
      "model_type": .string(architecture.rawValue), "img_resolution": .integer(resolution),
      "img_channels": .integer(imageChannels), "label_dim": .integer(labels),
      "augment_dim": .integer(augmentLabels), "model_channels": .integer(baseChannels),
      "channel_mult": .array(multipliers.map { .integer($0) }),
      "channel_mult_emb": .integer(embeddingMultiplier), "num_blocks": .integer(blocks),
      "attn_resolutions": .array(attentionResolutions.map { .integer($0) }),
      "dropout": .number(Double(dropout)), "embedding_type": .string(noiseEmbedding.rawValue),
      "channel_mult_noise": .integer(noiseMultiplier), "encoder_type": .string(encoder.rawValue),
      "decoder_type": .string(decoder.rawValue),
      "resample_filter": .array(filter.map { .number(Double($0)) }),
    ]
  }
}
