import DiffusionGAN
import Foundation
import TensorCore
import Terminal

/// `onestep evaluate --metrics`: metrics by their published names, a line of JSON each.
enum NamedMetricEvaluation {
  /// Everything that does not depend on drawing is checked before.
  static func run(_ names: [String], _ parsed: ParsedCommand) throws {
    let metrics = try NamedMetric.named(names)
    for (option, remedy) in [
      ("reference", "give --data, the training images"),
      ("split", "leave it out: published metrics compare with all training images"),
      ("count", "leave it out: a metric's name says of how many images it is"),
    ] where parsed.flag(option) {
      throw UserError(
        "--\(option) and --metrics exclude each other", remedy: remedy, status: .usage)
    }
    let source = try CommonOptions.source(parsed)
    guard !source.splits.contains(.validation) else {
      throw UserError(
        "published metrics compare with all training images, these data keep some back",
        at: source.name, remedy: "give --data without a number of images", status: .usage)
    }
    let seed = try CommonOptions.seed(parsed)
    let pool = try CommonOptions.pool(parsed)
    let generator = try EvaluateCommand.generator(parsed)
    let folder = parsed.string("out")
    if let folder {
      try Files.requireWritableFolder(folder)
      for metric in metrics {
        try LineFile.requireAppendable(MetricRecord.path(of: metric, in: folder))
      }
    }
    let network = try FeatureStatistics.network(parsed)
    for metric in metrics { try metric.check(network) }
    let count = metrics.map(\.generated).max() ?? 0
    let given = try parsed.string("images").map {
      try images(DataSource($0), metrics, seed: seed, parsed, pool)
    }
    let data = try CommonOptions.load(.train, of: source, parsed, pool: pool)
    try network.check(data.shape)
    guard let shape = given?.shape ?? generator?.sampling.shape, shape == data.shape else {
      throw UserError(
        "the generated images are \(given?.shape ?? generator?.sampling.shape ?? data.shape), those of "
          + "\(data.name) \(data.shape)", at: parsed.string("images") ?? parsed.string("network"),
        remedy: "choose the --preset that they were made for")
    }
    guard data.count > 3 else {
      throw UserError(
        "\(data.count) images are too few to compare with", at: data.name,
        remedy: "give 4 at least")
    }
    let start = ContinuousClock.now
    let progress = Progress(unit: "images")
    defer { progress.finish() }
    let drawn = try generator.map {
      try EvaluateCommand.draw(count, by: $0.sampling, name: $0.path, progress, pool)
    }
    guard let generated = given ?? drawn else { return }
    let needsData = metrics.contains { $0 != .is50k }
    let vectors = try (needsData ? [generated, data] : [generated]).map { images in
      try ImageFeatures(of: images, by: network, pool: pool) {
        progress.update(done: $0, total: images.count, label: "features")
      }.vectors
    }
    progress.finish()
    let shared = seconds(since: start)
    for metric in metrics {
      let begin = ContinuousClock.now
      let figures = try Compute.$pool.withValue(pool) {
        try metric(
          generated: vectors[0].slice(0, 0..<metric.generated), real: vectors[vectors.count - 1],
          by: network, seed: seed, pool: pool)
      }
      let record = MetricRecord.json(
        metric, figures, seconds: shared + seconds(since: begin),
        timestamp: Date().timeIntervalSince1970, network: parsed.string("network"),
        from: folder, names: (generated.name, data.name), seed: seed, features: network,
        deviations: metric.deviations(by: network, dimension: vectors[0].columns)
          + deviations(of: generator?.sampling, from: data))
      if let folder {
        try LineFile.append(record, to: MetricRecord.path(of: metric, in: folder))
      }
      print(record.text)
    }
  }

  /// As many of the given images as the metrics need, in random order, so that the first of them
  /// are a sample too.
  private static func images(
    _ source: DataSource, _ metrics: [NamedMetric], seed: UInt64, _ parsed: ParsedCommand,
    _ pool: ThreadPool
  ) throws -> ImageDataset {
    let images = try CommonOptions.load(.train, of: source, parsed, pool: pool)
    if let metric = metrics.first(where: { $0.generated > images.count }) {
      throw UserError(
        "\(metric.rawValue) is of \(metric.generated) generated images, these are \(images.count)",
        at: parsed.string("images"),
        remedy: "give as many, or leave --metrics out to compare equal numbers")
    }
    let count = metrics.map(\.generated).max() ?? images.count
    var order = ShuffledOrder(count: images.count, seed: seed)
    return try images.subset(order.samples(0..<count))
  }

  /// StyleGAN draws a generated image's class from the training images.
  private static func deviations(
    of generator: SeededSampling?, from data: ImageDataset
  ) -> [String] {
    guard let generator, generator.denoiser.network.configuration.labels > 0 else { return [] }
    guard data.labels == nil || Set(data.classSizes).count > 1 else { return [] }
    return ["classes of generated images are drawn evenly, published ones as in the data"]
  }

  private static func seconds(since start: ContinuousClock.Instant) -> Double {
    (ContinuousClock.now - start) / .seconds(1)
  }
}
