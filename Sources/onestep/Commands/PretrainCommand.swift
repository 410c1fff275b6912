import DiffusionGAN
import Foundation
import TensorCore
import Terminal

/// `onestep pretrain`: trains a diffusion network.
enum PretrainCommand: Command {
  static let specification = CommandSpecification(
    name: "pretrain", summary: "Train a diffusion network on images.",
    discussion: """
      Trains an EDM network as the preset says. The run's folder holds options.json, stats.jsonl, \
      grids of samples, snapshots of the averaged weights and the state. The same command continues \
      a run that was stopped, to the same bits; Ctrl-C saves and stops, a second one stops at once.
      """,
    options: [
      CommonOptions.data,
      CommonOptions.preset(help: "Network and settings:", isRequired: true),
      OptionSpecification(
        long: "cond", help: "Condition the network on the labels of the data."),
    ] + Pretraining.Settings.options + TrainingOptions.specifications,
    examples: [
      CommandExample(
        line: "onestep pretrain --data fashion-mnist --preset fashion16",
        comment: "a network of 16×16 images"),
      CommandExample(
        line: "onestep pretrain --data fashion-mnist --preset test", comment: "a minute's try"),
    ])

  static func run(_ parsed: ParsedCommand) throws {
    let preset = try Preset(parsed.requiredString("preset"))
    let options = try TrainingOptions(parsed)
    let settings = try options.settings(preset.pretraining, parsed)
    let data = try TrainingData(parsed, preset, pool: options.pool)
    let isConditional = parsed.flag("cond")
    guard !isConditional || data.train.labels != nil else {
      throw UserError(
        "the data have no labels", at: data.source.name, remedy: "leave out --cond")
    }
    var network = preset.network
    network.labels = isConditional ? data.train.classCount : 0
    network.augmentLabels = settings.augmentation > 0 ? GeometricTransform.labelCount : 0
    let denoiser = Denoiser(try UNet(network))
    let directory = try options.directory(
      "edm", data, [("network", network.jsonValue)] + settings.identity)
    var run = Pretraining(
      denoiser, settings: settings,
      on: isConditional ? LabelledPictures(data.train) : data.train)
    try options.train(&run, in: directory, total: settings.total)
    print(directory.newestSnapshot)
  }
}
