import DiffusionGAN
import TensorCore
import Terminal

/// `onestep features statistics`: the mean and covariance that a data set is compared by.
enum FeatureStatistics {
  static let specification = CommandSpecification(
    name: "statistics", summary: "Write the mean and covariance of a data set's features.",
    discussion: """
      The file is what EDM's fid.py ref writes: mu and sigma in double precision, in a .npz. Give it to \
      onestep evaluate --reference.
      """,
    options: [
      CommonOptions.data, CommonOptions.preset,
      OptionSpecification(
        long: "split", valueName: "NAME", help: "Which part of the data.", defaultText: "train",
        choices: DataSplit.allCases.map(\.rawValue)),
      OptionSpecification(
        long: "features", valueName: "FILE", help: "The network, as for onestep evaluate.",
        defaultText: "pixels"),
      OptionSpecification(
        long: "out", valueName: "FILE", help: "The .npz to write.", isRequired: true),
      CommonOptions.threads,
    ],
    examples: [
      CommandExample(
        line:
          "onestep features statistics --data cifar.zip --features inception.pth --out cifar.npz",
        comment: "all training images")
    ])

  static func run(_ parsed: ParsedCommand) throws {
    let path = try parsed.requiredString("out")
    guard Files.pathExtension(of: path) == "npz" else {
      throw UserError(
        "statistics are written as .npz only", at: path, remedy: "end the name in .npz",
        status: .usage)
    }
    try Files.requireWritable(path)
    let pool = try CommonOptions.pool(parsed)
    let network = try network(parsed)
    let source = try CommonOptions.source(parsed)
    let split = DataSplit(rawValue: parsed.string("split") ?? "") ?? .train
    let data = try CommonOptions.load(split, of: source, parsed, pool: pool)
    try moments(of: data, by: network, pool).write(to: path)
    print(path)
  }

  /// The one feature network that is asked for.
  static func network(_ parsed: ParsedCommand) throws -> any FeatureNetwork {
    let names = parsed.strings("features")
    guard names.count < 2 else {
      throw UserError(
        "this is of one feature network, \(names.count) were given",
        remedy: "give --features once", status: .usage)
    }
    guard let name = names.first, name != PixelFeatures.name else { return PixelFeatures() }
    return try FeatureNetworkFile.load(name)
  }

  static func moments(
    of data: ImageDataset, by network: any FeatureNetwork, _ pool: ThreadPool
  ) throws -> ReferenceMoments {
    guard data.count > 1 else {
      throw UserError("one image has no covariance", at: data.name, remedy: "give two at least")
    }
    let progress = Progress(unit: "images")
    defer { progress.finish() }
    return try Compute.$pool.withValue(pool) {
      let vectors = try ImageFeatures(of: data, by: network) {
        progress.update(done: $0, total: data.count, label: "features")
      }.vectors
      let moments = FeatureMoments(vectors, origin: FeatureMoments.mean(of: vectors))
      return ReferenceMoments(moments, name: data.name)
    }
  }
}
