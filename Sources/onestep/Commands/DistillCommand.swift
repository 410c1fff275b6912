import DiffusionGAN
import Foundation
import TensorCore
import Terminal

/// `onestep distill`: makes a one-step generator by imitating a diffusion network.
enum DistillCommand: Command {
  static let specification = CommandSpecification(
    name: "distill", summary: "Make a one-step generator by imitating a diffusion network.",
    discussion: """
      The baselines to compare a one-step generator with. Methods: regression onto what the teacher \
      draws in many steps from the same latents; progressive, which halves the teacher's steps \
      stage by stage; consistency, the same picture from neighbouring points of a trajectory; \
      trajectory, jumps between any two points. The student begins with the teacher's weights.

      The run's folder holds options.json, stats.jsonl, grids of one-step pictures, snapshots of \
      the averaged weights and the state; the teacher's pictures that regression learns lie beside it. The \
      same command continues a run that was stopped, to the same bits; Ctrl-C saves and stops, a \
      second one stops at once.
      """,
    options: [
      OptionSpecification(
        long: "network", valueName: "FILE", help: "The teacher: a snapshot of onestep pretrain.",
        isRequired: true),
      OptionSpecification(
        long: "method", valueName: "NAME", help: "How the student learns.",
        choices: DistillationMethod.allCases.map(\.rawValue), isRequired: true),
      OptionSpecification(
        long: "perceptual", valueName: "FILE",
        help: "Frozen network whose maps are compared too, beside the pixels.",
        defaultText: "pixels alone"),
      OptionSpecification(
        long: "features", valueName: "FILE",
        help:
          "What the discriminator of --gan looks through, as for train; may be given several times.",
        defaultText: "encoder", repeats: true),
      CommonOptions.data,
      CommonOptions.preset(
        help: "The preset that the teacher was trained with:", isRequired: true),
    ] + Distillation.Settings.options + TrainingOptions.specifications,
    examples: [
      CommandExample(
        line: """
          onestep distill --network snapshot-000400.safetensors --method consistency \
          --data fashion-mnist --preset fashion16
          """,
        comment: "consistency distillation of a network of 16×16 images"),
      CommandExample(
        line: """
          onestep distill --network snapshot-000400.safetensors --method regression --pool 2000 \
          --data fashion-mnist --preset fashion16 --kimg 10
          """,
        comment: "regression onto 2,000 pictures of the teacher"),
      CommandExample(
        line: """
          onestep distill --network snapshot-000400.safetensors --method consistency --gan 0.1 \
          --features classifier.safetensors --data fashion-mnist --preset fashion16
          """,
        comment: "with a discriminator beside it"),
    ])

  static func run(_ parsed: ParsedCommand) throws { print(try train(parsed).newestSnapshot) }

  /// The settings that the command line and the preset give.
  ///
  /// - Throws: `UserError` for options that do nothing for the method, and for a teacher's steps that it cannot have.
  static func settings(
    _ parsed: ParsedCommand, _ preset: Preset, _ options: TrainingOptions
  ) throws -> Distillation.Settings {
    var preset = preset.distillation
    guard let method = DistillationMethod(rawValue: try parsed.requiredString("method")) else {
      throw UserError("no method was named", status: .usage)
    }
    preset.method = method
    let idle =
      (method == .regression ? [] : ["pool", "pool-seed", "start-sigma", "clip-pictures"])
      + (method.hasTarget ? [] : ["target-half-life"])
      + (method == .progressive ? ["decay"] : [])
    if let option = idle.first(where: parsed.flag) {
      throw UserError(
        "--\(option) does nothing for \(method.rawValue)", remedy: "leave it out", status: .usage)
    }
    var settings = try options.settings(preset, parsed)
    // Part of the run's identity, said or not.
    settings.teacherSteps = settings.steps
    try method.check(teacherSteps: settings.steps)
    guard settings.adversaryWeight > 0 || !parsed.flag("features") else {
      throw UserError(
        "--features are for a discriminator", remedy: "give --gan WEIGHT too", status: .usage)
    }
    guard settings.adversaryWeight > 0 || settings.discriminatorRate == nil else {
      throw UserError(
        "there is no discriminator to learn", remedy: "give --gan WEIGHT too", status: .usage)
    }
    guard parsed.flag("perceptual") || !parsed.flag("perceptual-weight") else {
      throw UserError(
        "--perceptual-weight does nothing for pixels alone", remedy: "give --perceptual FILE too",
        status: .usage)
    }
    return settings
  }

  /// Distils as the command line says, or finishes what was begun.
  ///
  /// - Parameter root: folder of the runs that are found by their options, where `--out` names
  ///   none.
  static func train(
    _ parsed: ParsedCommand, root: String = TrainingOptions.root,
    whileBusy: (() throws -> Void)? = nil
  ) throws -> TrainingDirectory {
    let options = try TrainingOptions(parsed)
    let preset = try Preset(parsed.requiredString("preset"))
    var settings = try settings(parsed, preset, options)
    let path = DataFolder.network(try parsed.requiredString("network"))
    let teacher = try NetworkFile(contentsOf: path)
    guard !teacher.isOneStep else {
      throw UserError(
        "is a one-step generator, which cannot teach", at: path,
        remedy: "give a snapshot of onestep pretrain")
    }
    _ = try settings.freezing.trainableNames(of: teacher.denoiser.network)
    let labels = teacher.denoiser.network.configuration.labels
    guard settings.method != .regression || labels == 0 || settings.adversaryWeight == 0 else {
      throw UserError(
        "regression onto a teacher with classes takes no discriminator",
        remedy: "choose another --method, or leave --gan out", status: .usage)
    }
    let data = try TrainingData(parsed, preset, pool: options.pool)
    let pictures = try data.pictures(for: teacher.denoiser.network.configuration, at: path)
    var identity: [(key: String, value: JSONValue)] = [
      ("network_sha256", .string(try SHA256.hash(ofFile: path)))
    ]
    if let name = parsed.string("perceptual") {
      let network = try FeatureNetworkFile.load(name)
      try network.check(data.train.shape)
      settings.distance.features = network
      identity.append(("perceptual", .string(try FeatureNetworkFile.identity(of: name))))
    }
    var critic: Critic?
    if settings.adversaryWeight > 0 {
      let features = try DiscriminatorFeatures(parsed, of: teacher, shape: data.train.shape)
      let beside = settings.criticSettings(preset.adversarial)
      try beside.checkPacking(labels: labels)
      critic = Critic(
        beside.discriminator(over: features.networks, shape: data.train.shape, labels: labels),
        settings: beside)
      identity += [("features", features.identity), ("discriminator", .object(beside.identity))]
    }
    let directory = try options.directory(
      settings.method.rawValue, data, identity + settings.identity, root: root, whileBusy: whileBusy
    )
    var run = Distillation(
      of: teacher, settings: settings, on: pictures,
      pool: settings.method == .regression
        ? try pool(of: teacher, at: path, settings, options, beside: directory) : nil,
      critic: critic)
    try options.train(&run, in: directory, total: settings.total)
    return directory
  }

  /// The teacher's pictures, those computed already and the others. They lie beside the run's folder:
  /// runs with other learning rates take the same ones.
  private static func pool(
    of teacher: NetworkFile, at path: String, _ settings: Distillation.Settings,
    _ options: TrainingOptions, beside directory: TrainingDirectory
  ) throws -> TeacherPool {
    let root = Files.folder(of: directory.path)
    let digest = try SHA256.hash(ofFile: path).prefix(8)
    let (steps, count, seed) = (
      settings.steps, settings.pool, settings.poolSeed ?? settings.seed
    )
    let name = "teacher-\(digest)-\(steps)-steps-\(count)-seed-\(seed)"
    Interruption.watch()
    let progress = Progress(unit: "images")
    defer { progress.finish() }
    // Of several processes the first computes them, and the others read them.
    let ranks = Compute.ranks
    if ranks.rank > 0 { _ = ranks.broadcast("") }
    let pool = try Compute.$pool.withValue(options.pool) {
      try TeacherPool(
        of: teacher, sampler: Sampler(steps: steps), count: count, seed: seed,
        folder: "\(root)/\(name)"
      ) { done in
        progress.update(done: done, total: count, label: "teacher's pictures")
        if Interruption.isRequested {
          throw UserError(
            "stopped at \(done) of the teacher's \(count) pictures", at: directory.path,
            remedy: "the same command continues", status: Interruption.status)
        }
      }
    }
    if ranks.rank == 0 { _ = ranks.broadcast(name) }
    return pool
  }
}
