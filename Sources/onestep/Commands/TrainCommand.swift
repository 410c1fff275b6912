import DiffusionGAN
import Foundation
import TensorCore
import Terminal

/// `onestep train`: turns a diffusion network into a one-step generator.
enum TrainCommand: Command {
  static let specification = CommandSpecification(
    name: "train", summary: "Turn a diffusion network into a one-step generator.",
    discussion: """
      Trains with a GAN objective alone: one call of the network at one noise level draws a \
      picture, a discriminator over frozen features tells it from real ones. Most parameters may stay \
      frozen. The run's folder and Ctrl-C are as for pretrain.
      """,
    options: [
      OptionSpecification(
        long: "network", valueName: "FILE", help: "The pretrained network (.safetensors).",
        isRequired: true),
      CommonOptions.data,
      OptionSpecification(
        long: "preset", valueName: "NAME", help: "Settings, and how images are prepared.",
        defaultText: "by the network's size", choices: DataPreset.allCases.map(\.rawValue)),
      OptionSpecification(
        long: "freeze", valueName: "RULE",
        help: """
          What stays as it is: 0 nothing, 1 convolutions and projections of the blocks, 2 qkv too, 3 \
          skips too, norm-affine all but those, or patterns of names such as '*.qkv.*,*.conv0.*'.
          """, defaultText: "1"),
      OptionSpecification(
        long: "from-scratch", help: "Begin with random weights in place of the pretrained ones."),
      OptionSpecification(
        long: "features", valueName: "FILE",
        help: """
          Frozen network that the discriminator looks through: a file of features train, or 'encoder' \
          for the pretrained network's own encoder. May be given several times.
          """, defaultText: "encoder", repeats: true),
      OptionSpecification(
        long: "start-sigma", valueName: "X",
        help: "Noise level that the generator is told and begins with; 80 in the papers.",
        defaultText: "the preset's"),
      OptionSpecification(
        long: "discriminator", valueName: "KIND",
        help: "Over features and pixels, over pixels alone, or a plain convolutional one.",
        defaultText: "projected", choices: DiscriminatorChoice.allCases.map(\.rawValue)),
      OptionSpecification(
        long: "loss", valueName: "NAME", help: "What is minimised.",
        defaultText: "non-saturating", choices: AdversarialLoss.allCases.map(\.rawValue)),
      OptionSpecification(
        long: "penalty", valueName: "METHOD",
        help: "How R1 is computed; none leaves it out.", defaultText: "exact",
        choices: GradientPenalty.Method.allCases.map(\.rawValue) + ["none"]),
      OptionSpecification(
        long: "gamma", valueName: "X", help: "Weight of R1.", defaultText: "the preset's"),
      OptionSpecification(
        long: "penalty-interval", valueName: "N", help: "Iterations from R1 to R1.",
        defaultText: "16, or 1 for the relativistic loss"),
      OptionSpecification(
        long: "penalise-generated",
        help: "R2 beside R1: the relativistic loss needs both, and has them."),
      OptionSpecification(
        long: "augment", valueName: "LIST",
        help: "What the discriminator's pictures go through: colour,translation,cutout.",
        defaultText: "nothing"),
      OptionSpecification(
        long: "adaptive", valueName: "KIMG",
        help: "Steer the augmentation's probability, from 0 to 1 in this many thousand images."),
      OptionSpecification(
        long: "rate", valueName: "X", help: "The generator's learning rate.",
        defaultText: "the preset's"),
      OptionSpecification(
        long: "discriminator-rate", valueName: "X", help: "The discriminator's learning rate.",
        defaultText: "the preset's, or --rate"),
      OptionSpecification(
        long: "descent", valueName: "SHARE",
        help: "Share of the run, at its end, over which both rates fall to 0.", defaultText: "0"),
      OptionSpecification(
        long: "batch", valueName: "N", help: "Images of a step.", defaultText: "the preset's"),
      TrainingLoop.lengthOption(),
      TrainingLoop.tickOption, TrainingLoop.snapshotsOption, CommonOptions.seed,
      CommonOptions.threads, TrainingLoop.outOption,
    ],
    examples: [
      CommandExample(
        line: "onestep train --network snapshot-000400.safetensors --data fashion-mnist",
        comment: "freeze level 1, its own encoder as the discriminator's features"),
      CommandExample(
        line: "onestep train --network net.safetensors --data faces.zip --preset ffhq64 --freeze 0",
        comment: "nothing frozen"),
    ])

  static func run(_ parsed: ParsedCommand) throws { print(try train(parsed).newestSnapshot) }

  /// Trains as the command line says, or finishes what was begun.
  ///
  /// - Parameter root: folder of the runs that are found by their options, where `--out` names
  ///   none.
  static func train(
    _ parsed: ParsedCommand, root: String = TrainingLoop.root
  ) throws -> TrainingDirectory {
    let pool = try CommonOptions.pool(parsed)
    let path = try parsed.requiredString("network")
    let network = try NetworkFile(contentsOf: path)
    let configuration = network.denoiser.network.configuration
    let preset =
      try parsed.string("preset").map(DataPreset.init(named:))
      ?? DataPreset(
        of: ImageShape(
          channels: configuration.imageChannels, height: configuration.resolution,
          width: configuration.resolution))
    let rule = try FreezeRule(parsing: parsed.string("freeze") ?? "1")
    let trainable = try rule.trainableNames(of: network.denoiser.network)
    let settings = try AdversarialOptions(parsed, preset: preset, isFrozen: rule != .level(.none))
    let source = try CommonOptions.source(parsed)
    let data = try preset.prepare(source.load(.train, pool: pool))
    guard
      data.shape
        == ImageShape(
          channels: configuration.imageChannels, height: configuration.resolution,
          width: configuration.resolution)
    else {
      throw UserError(
        "images are \(data.shape), the network's \(configuration.resolution)×"
          + "\(configuration.resolution)", at: source.name, remedy: "choose another --preset")
    }
    let isConditional = configuration.labels > 0
    guard !isConditional || data.classCount == configuration.labels else {
      throw UserError(
        "\(data.classCount) classes, the network has \(configuration.labels)", at: source.name,
        remedy: "give the data that the network was trained on")
    }
    let features = try settings.featureNetworks(pretrained: network, shape: data.shape)
    let discriminator = settings.discriminator(
      features.map(\.network), shape: data.shape, labels: configuration.labels)
    let isFromScratch = parsed.flag("from-scratch")
    let weights =
      isFromScratch
      ? network.denoiser.network.initialParameters(seed: settings.training.seed)
      : network.weights
    let denoiser = Denoiser(
      network.denoiser.network,
      preconditioning: Preconditioning(
        sigmaData: network.denoiser.preconditioning.sigmaData,
        epsilon: Preconditioning.d2o.epsilon))
    let tick = try parsed.integer("tick", in: 1...1_000_000_000) ?? 2000
    let snapshots = try parsed.integer("snapshots", in: 1...10_000) ?? 8
    let options: JSONValue = .object(
      [
        ("method", "gan"), ("preset", .string(preset.rawValue)), ("data", .string(data.name)),
        ("images", .integer(data.count)), ("data_sha256", .string(data.sha256)),
        ("freeze", .string("\(rule)")),
        ("from_scratch", .bool(isFromScratch)),
        ("network_sha256", .string(try SHA256.hash(ofFile: path))),
        ("features", .array(features.map { .string($0.identity) })),
        ("tick", .integer(tick)), ("snapshots", .integer(snapshots)),
      ] + settings.description)
    let directory = try TrainingDirectory(
      root: root, name: "\(source.name)-\(preset.rawValue)-gan", options: options,
      path: parsed.string("out"))
    try Compute.$pool.withValue(pool) {
      let fresh = AdversarialTraining(
        denoiser, weights: weights, trainable: trainable, discriminator: discriminator,
        settings: settings.training)
      var run = AdversarialRun(
        directory.hasState ? try fresh.resumed(from: directory.statePath) : fresh,
        on: isConditional ? LabelledPictures(data) : data, features: features.first?.network)
      let (all, left) = (weights.scalarCount, weights.filter(trainable.contains).scalarCount)
      let loop = TrainingLoop(
        directory, total: settings.total, tick: tick, snapshots: snapshots,
        note: String(
          format: "frozen: %.1f %% of %d parameters", 100 * Double(all - left) / Double(all), all))
      try loop(&run)
    }
    return directory
  }
}
