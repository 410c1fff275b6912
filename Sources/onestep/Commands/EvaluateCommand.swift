import DiffusionGAN
import func Foundation.fflush
import TensorCore
import Terminal

/// `onestep evaluate`: how far generated images are from real ones.
enum EvaluateCommand: Command {
  static let specification = CommandSpecification(
    name: "evaluate", summary: "Measure generated images against real ones.",
    discussion: """
      Prints Fréchet distance, KID, precision and recall, density and coverage, and beside them the floor: the same \
      for as many real training images. The reference is the test split, or else the validation split; data \
      without either are cut into two random halves. Standard errors follow ±; a Fréchet distance grows as images \
      get fewer, so compare equal numbers only. Pixels are always among the features: a network \
      that is akin to the one trained against flatters.

      With --metrics, it measures by the names that StyleGAN3 and StyleGAN-XL print, with the numbers \
      of images that belong to them, against all training images, and prints a line of JSON for each.
      """,
    options: [
      OptionSpecification(
        long: "images", valueName: "PATH",
        help: "Generated images: a .safetensors with images, or a folder or .zip of PNG files."),
      OptionSpecification(
        long: "network", valueName: "FILE",
        help: """
          A snapshot to draw the generated images from, of seeds 0 to count − 1. May be given again: the \
          real images are looked at once, and each network has its report, with --json a line.
          """, repeats: true),
      OptionSpecification(
        long: "steps", valueName: "N", help: "Noise levels of the solver, with --network.",
        defaultText: "as for onestep sample"),
      data, CommonOptions.preset,
      OptionSpecification(
        long: "split", valueName: "NAME", help: "Which part of the data to compare with.",
        defaultText: "test if there is one, then validation", choices: heldOutSplits.map(\.rawValue)
      ),
      OptionSpecification(
        long: "reference", valueName: "FILE",
        help: """
          In place of data, a .npz of their mu and sigma, as onestep features statistics or EDM's \
          fid.py ref write it: prints the Fréchet distance alone, in the features given.
          """),
      OptionSpecification(
        long: "metrics", valueName: "LIST",
        help: """
          Metrics by their published names, separated by commas: \
          \(NamedMetric.allCases.map(\.rawValue).joined(separator: ", ")). In the features given alone.
          """),
      OptionSpecification(
        long: "out", valueName: "FOLDER",
        help: "With --metrics, where each line is also appended to metric-NAME.jsonl."),
      OptionSpecification(
        long: "features", valueName: "FILE",
        help: """
          What images are compared by, besides pixels: a snapshot of onestep features train, a VGG \
          or Inception-v3 (torchvision's names; pytorch-fid's file of 2015 for published Fréchet \
          distances), or an EfficientNet-Lite, as .safetensors, .pt or .pth; or the name of one that \
          onestep features fetch got. FILE@channels: a classifier of grey images, which looks at \
          the three channels of coloured ones.
          """,
        defaultText: "pixels", repeats: true),
      OptionSpecification(
        long: "count", valueName: "N", help: "Most images of each kind.", defaultText: "10000"),
      CommonOptions.seed, CommonOptions.threads, CommonOptions.json,
    ],
    examples: [
      CommandExample(
        line: "onestep evaluate --images fakes.safetensors --data fashion-mnist --preset fashion16",
        comment: "images at 16×16 against the test split"),
      CommandExample(
        line: """
          onestep evaluate --network net.safetensors --data fashion-mnist --preset fashion16 \
          --features classifier.safetensors
          """,
        comment: "10,000 images of a network, in a classifier's features too"),
      CommandExample(
        line: """
          onestep evaluate --network snapshot-000100.safetensors --network snapshot-000200.safetensors \
          --data faces.zip --json
          """, comment: "two snapshots, a line each"),
      CommandExample(
        line: """
          onestep evaluate --network edm.pkl --reference cifar10.npz --features \
          pt_inception-2015-12-05-6726825d.pth --count 50000
          """,
        comment: "against published statistics"),
      CommandExample(
        line: """
          onestep evaluate --network net.safetensors --data cifar.zip --features \
          pt_inception-2015-12-05-6726825d.pth --metrics fid50k_full,kid50k_full --out runs/cifar
          """,
        comment: "by published names"),
      CommandExample(
        line: """
          onestep evaluate --network stacked.safetensors --data stacked-fashion-mnist --preset stacked32 \
          --features networks/fashion28-residual.safetensors@channels
          """, comment: "how many of 1,000 combinations of garments the network draws"),
      CommandExample(
        line: "onestep evaluate --images samples/ --data faces.zip --json", comment: "for scripts"),
    ])

  /// What training on the same data is kept from; the first that the data have counts.
  private static let heldOutSplits = [DataSplit.test, .validation]

  /// - Throws: `UserError` for a split that the data do not have.
  private static func heldOutSplit(
    of source: DataSource, _ parsed: ParsedCommand
  ) throws -> DataSplit? {
    if let name = parsed.string("split") { return DataSplit(rawValue: name) }
    return heldOutSplits.first(where: source.splits.contains)
  }

  /// `--data`, which a reference stands in for.
  private static var data: OptionSpecification {
    var option = CommonOptions.data
    option.isRequired = false
    return option
  }

  static func run(_ parsed: ParsedCommand) throws {
    guard parsed.flag("data") != parsed.flag("reference") else {
      throw UserError(
        parsed.flag("data")
          ? "--data and --reference exclude each other" : "nothing to measure against",
        remedy: "give --data SPEC or --reference FILE", status: .usage)
    }
    if let names = try parsed.list("metrics") {
      return try NamedMetricEvaluation.run(names, parsed)
    }
    try parsed.refuse("out", unless: "metrics")
    try parsed.refuse("split", unless: "data")
    if let path = parsed.string("reference") { return try compare(with: path, parsed) }
    let count = try parsed.integer("count", in: 6...1_000_000) ?? 10_000
    let seed = try CommonOptions.seed(parsed)
    let pool = try CommonOptions.pool(parsed)
    let generators = try Self.generators(parsed)
    // What is evaluated first: it is where a mistake is likeliest.
    let images = try parsed.string("images").map { try DataSource($0) }
    var paths: [String] = []
    for path in parsed.strings("features") where path != PixelFeatures.name && !paths.contains(path)
    {
      paths.append(path)
    }
    let networks: [any FeatureNetwork] =
      [PixelFeatures()] + (try paths.map { try FeatureNetworkFile.load($0) })
    let source = try CommonOptions.source(parsed)
    let given = try images.map { try CommonOptions.load(.train, of: $0, parsed, pool: pool) }
    let train = try CommonOptions.load(.train, of: source, parsed, pool: pool)
    for network in networks { try network.check(train.shape) }
    let heldOut = try heldOutSplit(of: source, parsed).map {
      ($0, try CommonOptions.load($0, of: source, parsed, pool: pool))
    }
    for generator in generators where generator.sampling.shape != train.shape {
      throw UserError(
        "the network draws \(generator.sampling.shape), images of \(train.name) are \(train.shape)",
        at: generator.path, remedy: "choose the --preset of the network")
    }
    try EvaluationSets.check(train: train, heldOut: heldOut)
    let progress = Progress(unit: "images")
    defer { progress.finish() }
    var spaces: [FeatureSpace] = []
    func report(on generated: ImageDataset) throws -> EvaluationReport {
      let sets = try EvaluationSets(
        generated: generated, train: train, heldOut: heldOut, count: count, seed: seed)
      if spaces.isEmpty {
        let total = sets.reference.count + sets.floor.count
        spaces = try networks.map { network in
          try FeatureSpace(
            reference: sets.reference, floor: sets.floor, by: network, seed: seed, pool: pool
          ) {
            progress.update(done: $0, total: total, label: "real images, \(network.name)")
          }
        }
      }
      let comparisons = try spaces.map { space in
        try FeatureComparison(sets, in: space) {
          progress.update(done: $0, total: sets.generated.count, label: space.network.name)
        }
      }
      progress.finish()
      return EvaluationReport(sets, comparisons, train: train)
    }
    if let given { return write(try report(on: given), parsed) }
    for (place, generator) in generators.enumerated() {
      let drawn = try draw(
        count, by: generator.sampling, name: generator.path, progress, pool)
      if generators.count > 1, !parsed.flag("json") {
        print((place > 0 ? "\n" : "") + TerminalDevice.standardOutput.style.bold(generator.path))
      }
      write(try report(on: drawn), parsed)
    }
  }

  private static func write(_ report: EvaluationReport, _ parsed: ParsedCommand) {
    print(
      parsed.flag("json") ? report.json.text + "\n" : report.text(.standardOutput),
      terminator: "")
    fflush(nil)
  }

  /// Measures against published statistics.
  private static func compare(with path: String, _ parsed: ParsedCommand) throws {
    let count = try parsed.integer("count", in: 2...1_000_000) ?? 10_000
    let seed = try CommonOptions.seed(parsed)
    let pool = try CommonOptions.pool(parsed)
    let generator = try Self.generator(parsed)
    let reference = try ReferenceMoments(contentsOf: path)
    let network = try FeatureStatistics.network(parsed)
    var images: ImageDataset
    if let generator {
      let progress = Progress(unit: "images")
      defer { progress.finish() }
      images = try draw(count, by: generator.sampling, name: generator.path, progress, pool)
    } else {
      let source = try DataSource(parsed.requiredString("images"))
      images = try CommonOptions.load(.train, of: source, parsed, pool: pool)
      if count < images.count {
        var order = ShuffledOrder(count: images.count, seed: seed)
        images = try images.subset(order.samples(0..<count).sorted())
      }
    }
    let report = try ReferenceEvaluation(reference, images, by: network, pool)
    print(parsed.flag("json") ? report.json.text + "\n" : report.text, terminator: "")
  }

  /// A network that draws images.
  typealias Generator = (path: String, sampling: SeededSampling)

  /// What draws the images; nil where they are given.
  ///
  /// - Throws: `UserError` for several networks, too.
  static func generator(_ parsed: ParsedCommand) throws -> Generator? {
    let all = try generators(parsed)
    guard all.count < 2 else {
      throw UserError(
        "several networks are measured against --data alone, and without --metrics",
        remedy: "give one --network", status: .usage)
    }
    return all.first
  }

  /// What draws the images; empty where they are given.
  private static func generators(_ parsed: ParsedCommand) throws -> [Generator] {
    guard parsed.flag("images") != parsed.flag("network") else {
      throw UserError(
        parsed.flag("images")
          ? "--images and --network exclude each other" : "no images to measure",
        remedy: "give --images PATH or --network FILE", status: .usage)
    }
    try parsed.refuse("steps", unless: "network")
    let steps = try parsed.integer("steps", in: 1...100_000)
    return try parsed.strings("network").map { given in
      let path = DataFolder.network(given)
      let network = try NetworkFile(contentsOf: path)
      try network.requireSteps(steps, at: path)
      guard let steps else { return (given, try SeededSampling(network)) }
      return (given, try SeededSampling(network, sampler: Sampler(steps: steps)))
    }
  }

  /// - Parameter name: of the images, in messages and reports.
  static func draw(
    _ count: Int, by sampling: SeededSampling, name: String, _ progress: Progress,
    _ pool: ThreadPool
  ) throws -> ImageDataset {
    let seeds = (0..<UInt64(count)).map(\.self)
    let pictures = try Compute.$pool.withValue(pool) {
      try sampling(seeds) {
        progress.update(done: $0, total: count, label: "sampling")
      }
    }
    return try ImageDataset(
      name: name, shape: sampling.shape,
      pixels: PixelRounding.bytes(of: pictures, place: name), labels: sampling.classes(of: seeds),
      classCount: sampling.denoiser.network.configuration.labels)
  }
}
