import DiffusionGAN
import TensorCore
import Terminal

/// Options that all commands share which train, and what they mean.
struct TrainingOptions {
  /// Samples of the whole run; nil for the preset's.
  let total: Int?
  /// Samples between two saved states.
  let tick: Int
  /// Snapshots over the run, evenly spaced.
  let snapshots: Int
  let seed: UInt64
  let pool: ThreadPool
  private let folder: String?

  /// Where runs lie.
  static let root = "training-runs"

  static let specifications = [
    OptionSpecification(
      long: "kimg", valueName: "N", help: "Thousands of images to train on.",
      defaultText: "the preset's"),
    OptionSpecification(
      long: "tick", valueName: "N", help: "Images between two saved states.", defaultText: "2000"),
    OptionSpecification(
      long: "snapshots", valueName: "N",
      help:
        "Snapshots and grids of samples over the run, evenly spaced, each at the end of a tick.",
      defaultText: "8"),
    CommonOptions.seed, CommonOptions.threads,
    OptionSpecification(
      long: "out", valueName: "DIR", help: "Folder of the run.",
      defaultText: "training-runs/NUMBER-DATA-PRESET-METHOD"),
  ]

  init(_ parsed: ParsedCommand) throws {
    total = try parsed.integer("kimg", in: 1...10_000_000).map { $0 * 1000 }
    tick = try parsed.integer("tick", in: 1...1_000_000_000) ?? 2000
    snapshots = try parsed.integer("snapshots", in: 1...10_000) ?? 8
    seed = try CommonOptions.seed(parsed)
    pool = try CommonOptions.pool(parsed)
    folder = parsed.string("out")
  }

  /// The preset's settings with what the command line says of them.
  func settings<Settings: TrainingSettings>(
    _ preset: Settings, _ parsed: ParsedCommand
  ) throws -> Settings {
    var settings = preset
    try settings.change(by: parsed)
    settings.seed = seed
    settings.total = total ?? settings.total
    return settings
  }

  /// The folder of a run, or the one that it has already.
  ///
  /// - Parameters:
  ///   - root: where folders are looked for and made, unless `--out` names one.
  ///   - identity: what decides the run's numbers beside the data.
  func directory(
    _ method: String, _ data: TrainingData, _ identity: [(key: String, value: JSONValue)],
    root: String = Self.root, whileBusy: (() throws -> Void)? = nil
  ) throws -> TrainingDirectory {
    // Of several processes the first makes the folder, and the others read it.
    let ranks = Compute.ranks
    guard ranks.rank == 0 else { return TrainingDirectory(reading: ranks.broadcast("")) }
    let directory = try TrainingDirectory(
      root: root, name: "\(data.source.name)-\(data.preset.name)-\(method)",
      options: .object(
        [("method", .string(method)), ("preset", .string(data.preset.name))] + data.identity
          + identity + [
            ("tick", .integer(tick)), ("snapshots", .integer(snapshots)),
          ]),
      path: folder, whileBusy: whileBusy)
    _ = ranks.broadcast(directory.path)
    return directory
  }

  /// Trains to the end.
  func train(
    _ run: inout some ResumableTraining, in directory: TrainingDirectory, total: Int,
    note: String? = nil
  ) throws {
    let loop = TrainingLoop(
      directory, total: total, tick: tick, snapshots: snapshots, note: note)
    try Compute.$pool.withValue(pool) { try loop(&run) }
  }
}

/// The data of a run, prepared.
struct TrainingData {
  let preset: Preset
  let source: DataSource
  let train: ImageDataset
  /// Nil where the data have none.
  let test: ImageDataset?

  init(
    _ parsed: ParsedCommand, _ preset: Preset, withTest: Bool = false, pool: ThreadPool
  ) throws {
    self.preset = preset
    source = try CommonOptions.source(parsed)
    train = try preset.prepare(source.load(.train, pool: pool))
    test =
      withTest && source.splits.contains(.test)
      ? try preset.prepare(source.load(.test, pool: pool)) : nil
  }

  var identity: [(key: String, value: JSONValue)] {
    [
      ("data", .string(train.name)), ("images", .integer(train.count)),
      ("data_sha256", .string(train.sha256)),
    ]
  }

  /// The pictures as a network trains on them, with labels where it is conditioned on these.
  ///
  /// - Throws: `UserError` where the network draws others or has other classes.
  func pictures(for network: NetworkConfiguration, at path: String) throws -> any PictureSource {
    guard train.shape == network.imageShape else {
      throw UserError(
        "draws images of \(network.imageShape), the data's are \(train.shape)", at: path,
        remedy: "choose the --preset that the network was trained with")
    }
    guard network.labels > 0 else { return train }
    guard train.labels != nil, train.classCount == network.labels else {
      throw UserError(
        "knows \(network.labels) classes, the data have "
          + "\(train.labels == nil ? 0 : train.classCount)",
        at: path, remedy: "give the data that the network was trained on")
    }
    return LabelledPictures(train)
  }
}

/// Settings as options of a command.
extension TrainingSettings {
  static var options: [OptionSpecification] {
    all.compactMap { setting in
      guard let help = setting.help else { return nil }
      var option = OptionSpecification(
        long: setting.option, valueName: setting.valueName, help: help,
        defaultText: setting.defaultText ?? "the preset's")
      switch setting.kind {
      case .flag: (option.valueName, option.defaultText) = (nil, nil)
      case .text(let choices) where !choices.isEmpty: option.choices = choices
      default: break
      }
      return option
    }
  }

  /// Takes over what a command line says.
  mutating func change(by parsed: ParsedCommand) throws {
    for setting in Self.all where setting.help != nil && parsed.flag(setting.option) {
      let value: JSONValue? =
        switch setting.kind {
        case .integer(let range): try parsed.integer(setting.option, in: range).map { .integer($0) }
        case .number(let range): try parsed.number(setting.option, in: range).map { .number($0) }
        case .text: parsed.string(setting.option).map { .string($0) }
        case .flag: .bool(true)
        }
      guard let value else { continue }
      do {
        try setting.set(JSONReader(value, place: "--\(setting.option)"), in: &self)
      } catch let error as UserError {
        throw UserError(
          error.problem, at: error.place, remedy: error.remedy, status: .usage)
      }
    }
  }
}
