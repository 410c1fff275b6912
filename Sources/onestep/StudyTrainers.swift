import DiffusionGAN
import Foundation
import TensorCore
import Terminal

/// The trainer of each method: the one place where a method of training meets the studies.
///
/// A study trains by the commands that a user would give: its runs are continued as those are, and
/// can be made without the study. They lie in `training-runs/`, where studies share them, or below
/// the folder that the study was given.
struct StudyTrainers: StudyTrainer {
  private let data: String
  private let preset: Preset
  private let features: [String]
  private let threads: Int
  private let root: String
  /// What decides the runs' numbers beside the study's cells.
  let identity: JSONValue

  /// - Parameters:
  ///   - study: with all its cells, so that a choice of them is of the same run.
  ///   - features: what discriminators look through; the pretrained network's own encoder if empty.
  ///   - root: folder of the runs.
  init(_ study: Study, features: [String], threads: Int, root: String) throws {
    data = study.data
    preset = study.preset
    self.features = features
    self.threads = threads
    self.root = root
    let presets = try study.cells.flatMap { $0.values(of: "preset") }
      .map { try Preset($0).json }
    identity = .object(
      [
        (
          "features",
          .array(try features.map { .string(try DiscriminatorFeatures.identity(of: $0)) })
        )
      ] + (presets.isEmpty ? [] : [("presets", .array(presets))]))
  }

  func snapshots(of task: StudyTask, at checkpoints: [Int]) throws -> [StudySnapshot] {
    guard let parsed = try parsed(task, checkpoints) else { return [] }
    let directory =
      task.cell.method == .gan
      ? try TrainCommand.train(parsed, root: root, whileBusy: wait)
      : try DistillCommand.train(parsed, root: root, whileBusy: wait)
    return checkpoints.map { StudySnapshot(images: $0, path: directory.snapshot(of: $0)) }
  }

  /// Another share trains the same thing: what it leaves is taken.
  private func wait() throws {
    guard !Interruption.isRequested else {
      throw UserError(
        "stopped while another process trains what is needed", at: root,
        remedy: "the same command continues", status: Interruption.status)
    }
    usleep(500_000)
  }

  /// Checks what can be known of a study's cells before the first is trained.
  ///
  /// - Throws: `UserError` for checkpoints and options that no command takes, and for features of
  ///   other pictures than `shape`.
  func check(_ study: Study, on shape: ImageShape) throws {
    try check(features, on: shape)
    for cell in study.cells where cell.method.isTrained {
      try check(cell.values(of: "features"), on: shape)
      let task = study.task(cell, .heldOut, cell.learningRates.first ?? 0, study.seeds.first ?? 0)
      let development = study.developmentImages.map { [min($0, cell.budget)] } ?? cell.checkpoints
      do {
        for images in [cell.checkpoints] + (cell.learningRates.count > 1 ? [development] : []) {
          guard let parsed = try parsed(task, images) else { continue }
          let options = try TrainingOptions(parsed)
          let preset = try parsed.string("preset").map { try Preset($0) } ?? preset
          if cell.method == .gan {
            _ = try TrainCommand.settings(parsed, preset, options)
          } else {
            _ = try DistillCommand.settings(parsed, preset, options)
          }
        }
      } catch let error as UserError
        where error.place == nil
      {
        throw UserError(
          error.problem, at: "\(study.name), \(cell.name)", remedy: error.remedy,
          status: error.status)
      }
    }
  }

  private func check(_ features: [String], on shape: ImageShape) throws {
    for name in features where try DiscriminatorFeatures.encoderNoise(name) == nil {
      try FeatureNetworkFile.load(name).check(shape)
    }
  }

  /// The task as a command line, read; nil where nothing is trained.
  private func parsed(_ task: StudyTask, _ checkpoints: [Int]) throws -> ParsedCommand? {
    guard let total = checkpoints.last else { return nil }
    let command: any Command.Type
    var words = try common(task, checkpoints, total: total)
    switch task.cell.method {
    case .teacher, .spectrum: return nil
    case .gan:
      command = TrainCommand.self
      words += ["--freeze", "\(task.cell.freezing)"]
      if task.cell.options["features"] == .null {
        words += features.flatMap { ["--features", $0] }
      }
    case .distillation(let method):
      command = DistillCommand.self
      words += ["--method", method.rawValue, "--freeze", "\(task.cell.freezing)"]
      words += task.cell.steps.map { ["--teacher-steps", "\($0)"] } ?? []
    }
    words += try task.cell.optionWords()
    guard case .run(let parsed) = try command.specification.parse(words) else { return nil }
    return parsed
  }

  private func common(_ task: StudyTask, _ checkpoints: [Int], total: Int) throws -> [String] {
    let step = checkpoints.reduce(0, Self.divisor)
    guard step % 1000 == 0 else {
      throw UserError(
        "checkpoints are whole thousands of images", at: task.cell.name,
        remedy: "change \"checkpoints\"")
    }
    // Random weights need a network too: for its shape, and for its encoder's features.
    guard let network = task.network ?? task.shape else {
      throw UserError(
        "no network says how a random one is built", at: task.cell.name,
        remedy: "give the study's networks with --network")
    }
    var words = [
      "--network", network, "--data", data, "--kimg",
      "\(total / 1000)", "--learning-rate", "\(task.learningRate)", "--seed", "\(task.seed)",
      "--threads",
      "\(threads)", "--tick", "\(step)", "--snapshots", "\(total / step)",
    ]
    // A cell may change settings that are no options, by a preset of its own.
    if task.cell.options["preset"] == .null { words += ["--preset", preset.source] }
    return task.network == nil ? words + ["--from-scratch"] : words
  }

  private static func divisor(_ a: Int, _ b: Int) -> Int { a == 0 ? b : divisor(b % a, a) }
}
