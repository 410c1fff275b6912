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
      OptionSpecification(
        long: "preset", valueName: "NAME", help: "Network and settings.",
        choices: DataPreset.allCases.map(\.rawValue), isRequired: true),
      TrainingLoop.lengthOption(),
      TrainingLoop.tickOption, TrainingLoop.snapshotsOption,
      OptionSpecification(
        long: "cond", help: "Tell the network the labels of the data."),
      OptionSpecification(
        long: "augment", valueName: "P",
        help: """
          Probability that a picture is moved, scaled, turned and so on, each for itself; the network is \
          told how, and draws pictures as they are. Any above 0 flips left and right by chance.
          """, defaultText: "the preset's: 0.12 cifar10, 0.15 ffhq64, else 0"),
      CommonOptions.seed, CommonOptions.threads, TrainingLoop.outOption,
    ],
    examples: [
      CommandExample(
        line: "onestep pretrain --data fashion-mnist --preset fashion16",
        comment: "a network of 16×16 images"),
      CommandExample(
        line: "onestep pretrain --data fashion-mnist --preset test", comment: "a minute's try"),
    ])

  static func run(_ parsed: ParsedCommand) throws {
    let preset = try DataPreset(named: parsed.requiredString("preset"))
    let seed = try CommonOptions.seed(parsed)
    let total = try TrainingLoop.length(parsed)
    let augmentation = try parsed.number("augment", in: 0...1)
    let tick = try parsed.integer("tick", in: 1...1_000_000_000) ?? 2000
    let snapshots = try parsed.integer("snapshots", in: 1...10_000) ?? 8
    let pool = try CommonOptions.pool(parsed)
    let source = try CommonOptions.source(parsed)
    let data = try preset.prepare(source.load(.train, pool: pool))
    let isConditional = parsed.flag("cond")
    guard !isConditional || data.labels != nil else {
      throw UserError("the data have no labels", at: source.name, remedy: "leave out --cond")
    }
    let training = TrainingPreset(
      preset, labels: isConditional ? data.classCount : 0, seed: seed, total: total,
      augmentation: augmentation)
    let settings = training.settings
    let options: JSONValue = .object(
      [
        ("method", "edm"), ("preset", .string(training.data.rawValue)),
        ("data", .string(data.name)), ("images", .integer(data.count)),
        ("data_sha256", .string(data.sha256)), ("conditional", .bool(isConditional)),
        ("seed", .integer(Int(settings.seed))), ("batch", .integer(settings.batch)),
        ("total", .integer(training.total)), ("tick", .integer(tick)),
        ("snapshots", .integer(snapshots)), ("rate", .number(Double(settings.rate.rate))),
        ("half_life", .number(settings.halfLife)), ("network", training.network.jsonValue),
      ] + (settings.augmentation > 0 ? [("augmentation", .number(settings.augmentation))] : []))
    let directory = try TrainingDirectory(
      root: TrainingLoop.root, name: "\(source.name)-\(preset.rawValue)-edm", options: options,
      path: parsed.string("out"))
    let denoiser = Denoiser(try UNet(training.network))
    var run = PretrainingRun(
      directory.hasState
        ? try Pretraining(denoiser, settings: training.settings, resuming: directory.statePath)
        : Pretraining(denoiser, settings: training.settings),
      on: isConditional ? LabelledPictures(data) : data)
    let loop = TrainingLoop(
      directory, total: training.total, tick: tick, snapshots: snapshots)
    try Compute.$pool.withValue(pool) { try loop(&run) }
    print(directory.newestSnapshot)
  }
}
