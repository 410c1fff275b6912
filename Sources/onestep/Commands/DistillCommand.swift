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
        long: "teacher-steps", valueName: "N",
        help: "Steps of the teacher, or levels of its grid; a power of two for progressive.",
        defaultText: "32 for progressive, else 18"),
      OptionSpecification(
        long: "pool", valueName: "N", help: "Latents whose pictures regression learns.",
        defaultText: "10000"),
      OptionSpecification(
        long: "pool-seed", valueName: "N",
        help: "Seed of those latents: runs of several seeds may learn the same pictures.",
        defaultText: "--seed"),
      OptionSpecification(
        long: "target-half-life", valueName: "N",
        help: """
          Images after which the target network of consistency and trajectory has moved half the \
          way to the student; 0 for the student itself.
          """, defaultText: "the preset's"),
      OptionSpecification(
        long: "distance", valueName: "NAME", help: "What differences of pixels count.",
        defaultText: "squared", choices: ["squared", "huber"]),
      OptionSpecification(
        long: "perceptual", valueName: "FILE",
        help: "Frozen network whose maps are compared too, beside the pixels.",
        defaultText: "pixels alone"),
      OptionSpecification(
        long: "gan", valueName: "WEIGHT",
        help: "A discriminator's term beside the loss, with this weight.", defaultText: "none"),
      OptionSpecification(
        long: "features", valueName: "FILE",
        help: "What that discriminator looks through, as for train; may be given several times.",
        defaultText: "encoder", repeats: true),
      OptionSpecification(
        long: "freeze", valueName: "N",
        help: """
          What stays as it is: 0 nothing, 1 convolutions and attention projections, 2 queries, keys \
          and values too, 3 projections of skip connections too.
          """, defaultText: "0"),
      CommonOptions.data,
      OptionSpecification(
        long: "preset", valueName: "NAME", help: "The preset that the teacher was trained with.",
        choices: DataPreset.allCases.map(\.rawValue), isRequired: true),
      TrainingLoop.lengthOption(),
      OptionSpecification(
        long: "rate", valueName: "R",
        help: "Learning rate: constant, but for progressive, where it falls to 0 over each stage.",
        defaultText: "the preset's"),
      TrainingLoop.tickOption, TrainingLoop.snapshotsOption, CommonOptions.seed,
      CommonOptions.threads, TrainingLoop.outOption,
    ],
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

  /// What the command line says apart from files.
  struct Plan {
    let preset: DataPreset
    let method: DistillationMethod
    let teacherSteps: Int
    /// Latents of regression's pictures, and their seed.
    let pool: (count: Int, seed: UInt64)
    let tick: Int
    let snapshots: Int
    let settings: Distillation.Settings

    init(_ parsed: ParsedCommand) throws {
      preset = try DataPreset(named: parsed.requiredString("preset"))
      guard let method = DistillationMethod(rawValue: try parsed.requiredString("method")) else {
        throw UserError("no method was named", status: .usage)
      }
      func refuse(_ option: String) -> UserError {
        UserError(
          "--\(option) does nothing for \(method.rawValue)", remedy: "leave it out", status: .usage)
      }
      for option in ["pool", "pool-seed"] where parsed.flag(option) && method != .regression {
        throw refuse(option)
      }
      if parsed.flag("target-half-life"), [.regression, .progressive].contains(method) {
        throw refuse("target-half-life")
      }
      teacherSteps = try parsed.integer("teacher-steps", in: 1...100_000) ?? method.teacherSteps
      try method.check(teacherSteps: teacherSteps)
      tick = try parsed.integer("tick", in: 1...1_000_000_000) ?? 2000
      snapshots = try parsed.integer("snapshots", in: 1...10_000) ?? 8
      settings = try DistillCommand.settings(preset, parsed)
      pool = (
        try parsed.integer("pool", in: 1...100_000_000) ?? 10_000,
        try parsed.integer("pool-seed", in: 0...Int.max).map { UInt64($0) } ?? settings.seed
      )
      self.method = method
    }
  }

  /// Distils as the command line says, or finishes what was begun.
  ///
  /// - Parameter root: folder of the runs that are found by their options, where `--out` names
  ///   none.
  static func train(
    _ parsed: ParsedCommand, root: String = TrainingLoop.root
  ) throws -> TrainingDirectory {
    let plan = try Plan(parsed)
    let (preset, method, steps) = (plan.preset, plan.method, plan.teacherSteps)
    var settings = plan.settings
    let pool = try CommonOptions.pool(parsed)
    let path = try parsed.requiredString("network")
    let teacher = try teacher(at: path)
    let source = try CommonOptions.source(parsed)
    let data = try preset.prepare(source.load(.train, pool: pool))
    let pictures = try pictures(data, for: teacher, at: path)
    let perceptual = parsed.string("perceptual")
    settings.distance.features = try perceptual.map {
      let network = try FeatureNetworkFile.load($0)
      try network.check(data.shape)
      return network
    }
    let gan = try gan(parsed, preset, settings, teacher: teacher, on: pictures, shape: data.shape)

    var options: [(key: String, value: JSONValue)] = [
      ("method", .string(method.rawValue)), ("preset", .string(preset.rawValue)),
      ("data", .string(data.name)), ("images", .integer(data.count)),
      ("data_sha256", .string(data.sha256)),
      ("network_sha256", .string(try SHA256.hash(ofFile: path))),
      ("teacher_steps", .integer(steps)), ("freeze", .integer(settings.freeze.rawValue)),
      ("distance", .string(settings.distance.pixels == .squared ? "squared" : "huber")),
      ("seed", .integer(Int(settings.seed))), ("batch", .integer(settings.batch)),
      ("total", .integer(settings.total)), ("tick", .integer(plan.tick)),
      ("snapshots", .integer(plan.snapshots)), ("rate", .number(Double(settings.rate))),
      ("half_life", .number(settings.halfLife)),
      ("target_half_life", .number(settings.targetHalfLife)),
      ("network", teacher.denoiser.network.configuration.jsonValue),
    ]
    if method == .regression {
      options.append(("pool", .integer(plan.pool.count)))
      options.append(("pool_seed", .integer(Int(plan.pool.seed))))
    }
    if let perceptual {
      options.append(("perceptual", .string(try FeatureNetworkFile.identity(of: perceptual))))
    }
    options += gan?.options ?? []
    let directory = try TrainingDirectory(
      root: root, name: "\(source.name)-\(preset.rawValue)-\(method.rawValue)",
      options: .object(options), path: parsed.string("out"))
    try Compute.$pool.withValue(pool) {
      let task: DistillationTask =
        switch method {
        case .regression:
          .regression(
            try pairs(
              of: teacher, at: path, steps: steps, count: plan.pool.count,
              seed: plan.pool.seed, beside: directory))
        case .progressive: .progressive(pictures, steps: steps)
        case .consistency: .consistency(pictures, points: steps)
        case .trajectory: .trajectory(pictures, points: steps)
        }
      var run = DistillationRun(
        directory.hasState
          ? try Distillation(
            of: teacher, task: task, settings: settings, adversary: gan?.adversary,
            resuming: directory.statePath)
          : Distillation(of: teacher, task: task, settings: settings, adversary: gan?.adversary))
      let loop = TrainingLoop(
        directory, total: settings.total, tick: plan.tick, snapshots: plan.snapshots)
      try loop(&run)
    }
    return directory
  }

  private static func settings(
    _ preset: DataPreset, _ parsed: ParsedCommand
  ) throws -> Distillation.Settings {
    let seed = try CommonOptions.seed(parsed)
    var settings = Distillation.Settings(
      preset, seed: seed, total: try TrainingLoop.length(parsed))
    if let rate = try parsed.number("rate", in: 1e-12...10) { settings.rate = Float(rate) }
    if let halfLife = try parsed.number("target-half-life", in: 0...1e12) {
      settings.targetHalfLife = halfLife
    }
    if let level = try parsed.integer("freeze", in: 0...3) {
      settings.freeze = FreezeLevel(rawValue: level) ?? .none
    }
    if parsed.string("distance") == "huber" { settings.distance.pixels = .pseudoHuber }
    return settings
  }

  /// The discriminator that `--gan` asks for, with what decides its numbers.
  private static func gan(
    _ parsed: ParsedCommand, _ preset: DataPreset, _ settings: Distillation.Settings,
    teacher: NetworkFile, on pictures: any PictureSource, shape: ImageShape
  ) throws -> (adversary: DistillationAdversary, options: [(key: String, value: JSONValue)])? {
    guard let weight = try parsed.number("gan", in: 1e-9...1e9) else {
      guard !parsed.flag("features") else {
        throw UserError(
          "--features are for a discriminator", remedy: "give --gan WEIGHT too", status: .usage)
      }
      return nil
    }
    let labels = teacher.denoiser.network.configuration.labels
    guard labels == 0 || parsed.string("method") != DistillationMethod.regression.rawValue else {
      throw UserError(
        "regression onto a teacher with classes takes no discriminator",
        remedy: "choose another --method, or leave --gan out", status: .usage)
    }
    let named = parsed.strings("features")
    let features = try AdversarialOptions.featureNetworks(
      named.isEmpty ? ["encoder"] : named, pretrained: teacher, shape: shape)
    let adversarial = AdversarialPreset(
      preset, isFrozen: settings.freeze != .none, seed: settings.seed)
    var critic = adversarial.settings
    critic.batch = settings.batch
    var style = adversarial.style
    style.labels = labels
    return (
      DistillationAdversary(
        ProjectedDiscriminator(
          features.map(\.network), shape: shape, style: style, seed: settings.seed),
        source: pictures, weight: Float(weight), settings: critic, isConditional: labels > 0),
      [
        ("gan", .number(weight)),
        ("features", .array(features.map { .string($0.identity) })),
      ]
    )
  }

  private static func teacher(at path: String) throws -> NetworkFile {
    let teacher = try NetworkFile(contentsOf: path)
    guard !teacher.isOneStep else {
      throw UserError(
        "is a one-step generator, which cannot teach", at: path,
        remedy: "give a snapshot of onestep pretrain")
    }
    return teacher
  }

  /// `data` as the teacher was trained on them.
  private static func pictures(
    _ data: ImageDataset, for teacher: NetworkFile, at path: String
  ) throws -> any PictureSource {
    let network = teacher.denoiser.network.configuration
    let shape = ImageShape(
      channels: network.imageChannels, height: network.resolution, width: network.resolution)
    guard data.shape == shape else {
      throw UserError(
        "draws images of \(shape), the preset's are \(data.shape)", at: path,
        remedy: "choose the preset that the network was trained with")
    }
    guard network.labels > 0 else { return data }
    guard data.labels != nil, data.classCount == network.labels else {
      throw UserError(
        "knows \(network.labels) classes, the data have \(data.labels == nil ? 0 : data.classCount)",
        at: path, remedy: "give the data that the network was trained on")
    }
    return LabelledPictures(data)
  }

  /// The teacher's pictures, those computed already and the others. They lie beside the run's folder:
  /// runs with other rates take the same ones.
  private static func pairs(
    of teacher: NetworkFile, at path: String, steps: Int, count: Int, seed: UInt64,
    beside directory: TrainingDirectory
  ) throws -> TeacherPool {
    let root = Files.folder(of: directory.path)
    let digest = try SHA256.hash(ofFile: path).prefix(8)
    let name = "teacher-\(digest)-\(steps)-steps-\(count)-seed-\(seed)"
    Interruption.watch()
    let progress = Progress(unit: "images")
    defer { progress.finish() }
    return try TeacherPool(
      of: teacher, sampler: Sampler(steps: steps), count: count, seed: seed,
      folder: "\(root)/\(name)"
    ) { done in
      progress.update(done: done, total: count, label: "teacher's pictures")
      if Interruption.isRequested {
        throw UserError(
          "stopped at \(done) of the teacher's \(count) pictures", at: directory.path,
          remedy: "the same command continues")
      }
    }
  }
}
