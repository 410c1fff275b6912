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
      CommonOptions.preset(
        help: "Settings, and how images are prepared:", defaultText: "by the network's size"),
      OptionSpecification(
        long: "from-scratch", help: "Begin with random weights in place of the pretrained ones."),
      OptionSpecification(
        long: "features", valueName: "FILE",
        help: """
          Frozen network that the discriminator looks through: a file of features train, or 'encoder' \
          for the pretrained network's own encoder, 'encoder@0.5' for that with noise of σ = 0.5 on all \
          pictures. May be given several times.
          """, defaultText: "encoder", repeats: true),
    ] + AdversarialTraining.Settings.options + TrainingOptions.specifications,
    examples: [
      CommandExample(
        line: "onestep train --network snapshot-000400.safetensors --data fashion-mnist",
        comment: "freeze level 1, its own encoder as the discriminator's features"),
      CommandExample(
        line: "onestep train --network net.safetensors --data faces.zip --preset ffhq64 --freeze 0",
        comment: "nothing frozen"),
    ])

  static func run(_ parsed: ParsedCommand) throws { print(try train(parsed).newestSnapshot) }

  /// The settings that the command line and the preset give.
  static func settings(
    _ parsed: ParsedCommand, _ preset: Preset, _ options: TrainingOptions
  ) throws -> AdversarialTraining.Settings {
    let settings = try options.settings(preset.adversarial, parsed).settled
    guard settings.discriminator == .projected || !parsed.flag("features") else {
      throw UserError(
        "a discriminator over \(settings.discriminator.rawValue) takes no --features",
        remedy: "leave one of the two out", status: .usage)
    }
    return settings
  }

  /// Trains as the command line says, or finishes what was begun.
  ///
  /// - Parameter root: folder of the runs that are found by their options, where `--out` names
  ///   none.
  static func train(
    _ parsed: ParsedCommand, root: String = TrainingOptions.root,
    whileBusy: (() throws -> Void)? = nil
  ) throws -> TrainingDirectory {
    let options = try TrainingOptions(parsed)
    let path = DataFolder.network(try parsed.requiredString("network"))
    let pretrained = try NetworkFile(contentsOf: path)
    let (unet, preconditioning) = (pretrained.denoiser.network, pretrained.denoiser.preconditioning)
    let configuration = unet.configuration
    let preset =
      try parsed.string("preset").map { try Preset($0) }
      ?? Preset(of: configuration)
    let settings = try settings(parsed, preset, options)
    try settings.checkPacking(labels: configuration.labels)
    let trainable = try settings.freezing.trainableNames(of: unet)
    let data = try TrainingData(parsed, preset, pool: options.pool)
    let pictures = try data.pictures(for: configuration, at: path)
    let features =
      settings.discriminator == .projected
      ? try DiscriminatorFeatures(parsed, of: pretrained, shape: data.train.shape)
      : DiscriminatorFeatures()
    let isFromScratch = parsed.flag("from-scratch")
    let weights =
      isFromScratch ? unet.initialParameters(seed: settings.seed) : pretrained.weights
    let directory = try options.directory(
      "gan", data,
      [
        ("network_sha256", .string(try SHA256.hash(ofFile: path))),
        ("from_scratch", .bool(isFromScratch)), ("features", features.identity),
      ] + settings.identity, root: root, whileBusy: whileBusy)
    var run = AdversarialTraining(
      Denoiser(
        unet,
        preconditioning: Preconditioning(
          sigmaData: preconditioning.sigmaData, epsilon: Preconditioning.d2o.epsilon)),
      weights: weights, trainable: trainable,
      discriminator: settings.discriminator(
        over: features.networks, shape: data.train.shape, labels: configuration.labels),
      settings: settings, on: pictures, features: features.networks.first)
    let (all, left) = (weights.scalarCount, weights.filter(trainable.contains).scalarCount)
    try options.train(
      &run, in: directory, total: settings.total,
      note: String(
        format: "frozen: %.1f %% of %d parameters", 100 * Double(all - left) / Double(all), all))
    return directory
  }
}
