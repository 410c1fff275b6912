import TensorCore

extension Distillation {
  /// What does not change during a run.
  public struct Settings: Sendable {
    public var method: DistillationMethod = .consistency
    /// Steps of regression's and the first progressive teacher; noise levels of the grid otherwise. The method's own if
    /// nil.
    public var teacherSteps: Int?
    public var seed: UInt64 = 0
    public var batch: Int = 64
    /// Samples of the whole run.
    public var total: Int = 40_000
    public var learningRate: Float = 5e-4
    /// The discriminator's learning rate; the same as the student's if nil.
    public var discriminatorRate: Float?
    /// Share of the run, at its end, over which both decay to 0. Progressive distillation lets its own decay over
    /// each stage instead.
    public var decay: Double = 0
    /// Noise level of regression's one call, and deviation of what it begins with.
    public var startSigma: Float = Denoiser.highestSigma
    /// Whether regression compares pictures cut off at −1 and 1, as they are stored, and not as they are drawn. The other
    /// methods compare estimates that the next step begins from, which must not be left free beyond.
    public var clipsPictures: Bool = false
    public var adam = Adam.Settings()
    /// Half-life of the average of the weights, in samples, and the largest share of the samples
    /// seen that it may be.
    public var halfLife: Double = 10_000
    public var halfLifeRampUp: Double? = 0.05
    /// Half-life of the target network of consistency and trajectory distillation, in samples: 0 is
    /// the student itself, and the default a decay of 0.95 for a batch of 64 (Song et al. 2023).
    public var targetHalfLife: Double = 865
    public var freezing: Freezing = .none
    public var distance: PictureDistance = PictureDistance()
    /// Weight of a discriminator's term beside the loss; 0 for none.
    public var adversaryWeight: Float = 0
    /// Latents of regression's pictures, and their seed where it is not the run's: runs of several seeds may
    /// learn the same pictures.
    public var pool = 10_000
    public var poolSeed: UInt64?

    public var steps: Int { teacherSteps ?? method.teacherSteps }
  }
}

extension Distillation.Settings: TrainingSettings {
  public var isOpenEnded: Bool { method != .progressive && decay == 0 }
  public var idle: Set<String> { method == .regression ? [] : ["clip_pictures"] }

  public static let all: [Setting<Self>] = [
    Setting(
      "teacher_steps", .integer(1...100_000),
      "Steps of the teacher, or levels of its grid; a power of two for progressive.",
      defaultText: "32 for progressive, else 18"
    ) {
      $1.teacherSteps = try $0.integer(in: 1...100_000)
    } write: {
      $0.teacherSteps.map { .integer($0) } ?? .null
    },
    .integer(
      "pool", \.pool, in: 1...100_000_000, "Latents whose pictures regression learns."),
    Setting(
      "pool_seed", .integer(0...Int.max),
      "Seed of those latents: runs of several seeds may learn the same pictures.",
      defaultText: "--seed"
    ) {
      $1.poolSeed = UInt64(try $0.integer(in: 0...Int.max))
    } write: {
      $0.poolSeed.map { .integer(Int($0)) } ?? .null
    },
    .number(
      "target_half_life", \.targetHalfLife, in: 0...1e12,
      """
      Images after which the target network of consistency and trajectory has moved half the way to the \
      student; 0 for the student itself.
      """),
    .choice("distance", \.distance.pixels, "What differences of pixels count."),
    .number(
      "perceptual_weight", \.distance.featureWeight, in: 1e-9...1e9,
      "What the maps of --perceptual count beside the pixels."),
    .number(
      "start_sigma", \.startSigma, in: 0.01...1000, "Noise level of regression's one call."),
    .onOff(
      "clip_pictures", \.clipsPictures,
      "Whether regression compares pictures cut off at −1 and 1, as they are stored."),
    Setting(
      "gan", .number(1e-9...1e9), "A discriminator's term beside the loss, with this weight.",
      valueName: "WEIGHT", defaultText: "none"
    ) {
      $1.adversaryWeight = try $0.setting(in: 1e-9...1e9)
    } write: {
      $0.adversaryWeight > 0 ? .number($0.adversaryWeight.settingValue ?? 0) : .null
    },
    Setting(
      "freeze", .text(choices: []), "What stays as it is, as for train.", valueName: "RULE",
      defaultText: "0, nothing"
    ) {
      $1.freezing = try Freezing(parsing: $0.string())
    } write: {
      .string("\($0.freezing)")
    },
    .integer("batch", \.batch, in: 1...65_536, "Images of a step."),
    .integer("total", \.total, in: 1...10_000_000_000),
    .number(
      "learning_rate", \.learningRate, in: 1e-12...10,
      "The student's learning rate; progressive's decays to 0 over each stage."),
    .number(
      "discriminator_learning_rate", \.discriminatorRate, in: 1e-12...10,
      "That of the discriminator of --gan.", defaultText: "--learning-rate"),
    .number(
      "decay", \.decay, in: 0...1,
      "Share of the run, at its end, over which both learning rates decay to 0."),
    .halfLife(\.halfLife), .halfLifeRampUp(\.halfLifeRampUp),
  ]
}

extension Distillation.Settings {
  /// The settings of a discriminator beside this distillation: `settings` with its seed and batch, so that its
  /// pictures are dealt with those of the same classes, and with its learning rates. The generator's own do nothing.
  public func criticSettings(
    _ settings: AdversarialTraining.Settings
  ) -> AdversarialTraining.Settings {
    var critic = settings
    (critic.seed, critic.batch, critic.total, critic.decay) = (seed, batch, total, decay)
    critic.lateBatch = nil
    (critic.freezing, critic.unfrozenRate, critic.startSigma) = (freezing, nil, startSigma)
    critic.generatorRate = learningRate
    critic.discriminatorRate = discriminatorRate ?? learningRate
    return critic
  }
}
