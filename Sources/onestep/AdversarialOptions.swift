import DiffusionGAN
import TensorCore
import Terminal

/// What a discriminator looks at.
enum DiscriminatorChoice: String, CaseIterable {
  case projected
  case pixels
  case convolutional
}

/// The settings of `onestep train` that the command line and the preset give.
struct AdversarialOptions {
  let training: AdversarialTraining.Settings
  let total: Int
  /// Share of the run, at its end, over which the rates fall to 0.
  private let descent: Double
  let choice: DiscriminatorChoice
  private let style: ProjectedDiscriminator.Style
  private let featureNames: [String]

  init(_ parsed: ParsedCommand, preset data: DataPreset, isFrozen: Bool) throws {
    let preset = AdversarialPreset(
      data, isFrozen: isFrozen, seed: try CommonOptions.seed(parsed))
    var settings = preset.settings
    settings.batch = try parsed.integer("batch", in: 2...65_536) ?? settings.batch
    settings.startSigma =
      try parsed.number("start-sigma", in: 0.01...1000).map { Float($0) } ?? settings.startSigma
    func rate(_ name: String) throws -> Float? {
      try parsed.number(name, in: 1e-12...10).map { Float($0) }
    }
    let own = try rate("rate")
    settings.generatorRate = own ?? settings.generatorRate
    settings.discriminatorRate =
      try rate("discriminator-rate") ?? own ?? settings.discriminatorRate
    settings.loss = AdversarialLoss(rawValue: parsed.string("loss") ?? "") ?? .nonSaturating
    let isRelativistic = settings.loss == .relativistic
    var penalty = settings.penalty ?? GradientPenalty()
    penalty.gamma = try parsed.number("gamma", in: 0...1e6).map { Float($0) } ?? penalty.gamma
    penalty.interval =
      try parsed.integer("penalty-interval", in: 1...1_000_000)
      ?? (isRelativistic ? 1 : penalty.interval)
    penalty.includesGenerated = isRelativistic || parsed.flag("penalise-generated")
    let method = parsed.string("penalty") ?? GradientPenalty.Method.exact.rawValue
    penalty.method = GradientPenalty.Method(rawValue: method) ?? .exact
    settings.penalty = method == "none" ? nil : penalty
    settings.augmentation = try Self.augmentation(parsed)
    total = try TrainingLoop.length(parsed) ?? preset.total
    descent = try parsed.number("descent", in: 0...1) ?? 0
    settings.schedule = LearningRate(
      1, descent: (total: total, length: Int(descent * Double(total))))
    training = settings
    choice = DiscriminatorChoice(rawValue: parsed.string("discriminator") ?? "") ?? .projected
    style = preset.style
    let named = parsed.strings("features")
    guard choice == .projected || named.isEmpty else {
      throw UserError(
        "a discriminator over \(choice.rawValue) takes no --features",
        remedy: "leave one of the two out", status: .usage)
    }
    featureNames = choice == .projected ? named.isEmpty ? ["encoder"] : named : []
  }

  private static func augmentation(_ parsed: ParsedCommand) throws -> Augmentation? {
    let pictures = try parsed.number("adaptive", in: 1e-3...1e9).map { $0 * 1000 }
    guard let list = parsed.string("augment") else {
      guard pictures == nil else {
        throw UserError(
          "--adaptive steers nothing", remedy: "name operations with --augment", status: .usage)
      }
      return nil
    }
    let operations = try list.split(separator: ",").map { name in
      guard let operation = Augmentation.Operation(rawValue: String(name)) else {
        let known = Augmentation.Operation.allCases.map(\.rawValue).joined(separator: ", ")
        throw UserError(
          "unknown augmentation '\(name)'", remedy: "choose from \(known)", status: .usage)
      }
      return operation
    }
    return Augmentation(operations, adaptive: pictures.map { (target: 0.6, pictures: $0) })
  }

  /// The discriminator's feature networks, each with what identifies it.
  ///
  /// - Throws: `UserError` for files that are none, and for those of pictures of another shape.
  func featureNetworks(
    pretrained: NetworkFile, shape: ImageShape
  ) throws -> [(network: any FeatureNetwork, identity: String)] {
    try Self.featureNetworks(featureNames, pretrained: pretrained, shape: shape)
  }

  static func featureNetworks(
    _ names: [String], pretrained: NetworkFile, shape: ImageShape
  ) throws -> [(network: any FeatureNetwork, identity: String)] {
    try names.map { name in
      if name == "encoder" { return (EncoderFeatures(pretrained), name) }
      let network = try FeatureNetworkFile.load(name)
      try network.check(shape)
      return (network, try FeatureNetworkFile.identity(of: name))
    }
  }

  func discriminator(
    _ networks: [any FeatureNetwork], shape: ImageShape, labels: Int
  ) -> any Discriminator {
    if choice == .convolutional { return ConvolutionalDiscriminator(shape: shape, labels: labels) }
    var style = style
    style.labels = labels
    return ProjectedDiscriminator(networks, shape: shape, style: style, seed: training.seed)
  }

  /// Everything here that decides a run's numbers.
  var description: [(key: String, value: JSONValue)] {
    let penalty: JSONValue =
      training.penalty.map {
        [
          "method": .string($0.method.rawValue), "gamma": .number(Double($0.gamma)),
          "interval": .integer($0.interval), "generated": .bool($0.includesGenerated),
        ]
      } ?? .null
    let augmentation: JSONValue =
      training.augmentation.map {
        [
          "operations": .array($0.operations.map { .string($0.rawValue) }),
          "adaptive_pictures": $0.adaptive.map { .number($0.pictures) } ?? .null,
        ]
      } ?? .null
    return [
      ("discriminator", .string(choice.rawValue)), ("loss", .string(training.loss.rawValue)),
      ("penalty", penalty), ("augmentation", augmentation),
      ("seed", .integer(Int(training.seed))), ("batch", .integer(training.batch)),
      ("rate", .number(Double(training.generatorRate))),
      ("discriminator_rate", .number(Double(training.discriminatorRate))),
      ("half_life", .number(training.halfLife)),
      ("half_life_share", .number(training.halfLifeRampUp)),
      ("start_sigma", .number(Double(training.startSigma))),
    ]
      // At constant rates the length decides nothing: a run can be told to go on.
      + (descent > 0 ? [("total", .integer(total)), ("descent", .number(descent))] : [])
  }
}
