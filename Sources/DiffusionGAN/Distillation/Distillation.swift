import TensorCore

/// Distillation of a diffusion network: everything that changes from step to step, and how.
///
/// The student begins with the teacher's weights. Sample *k* of a run depends on the seed and on *k*
/// alone, so a run that is resumed continues to the same bits.
public struct Distillation: Sendable {
  /// What does not change during a run.
  public struct Settings: Sendable {
    public var seed: UInt64
    public var batch: Int
    /// Samples of the whole run.
    public var total: Int
    /// Constant, but for progressive distillation, which lets it fall to 0 over each stage.
    public var rate: Float
    public var adam: Adam.Settings
    /// Half-life of the average of the weights, in samples, and the largest share of the samples
    /// seen that it may be.
    public var halfLife: Double
    public var halfLifeRampUp: Double?
    /// Half-life of the target network of consistency and trajectory distillation, in samples: 0 is
    /// the student itself, and the default a decay of 0.95 for a batch of 64 (Song et al. 2023).
    public var targetHalfLife: Double
    public var freeze: FreezeLevel
    public var distance: PictureDistance

    public init(
      seed: UInt64 = 0, batch: Int = 64, total: Int, rate: Float = 5e-4,
      adam: Adam.Settings = Adam.Settings(), halfLife: Double = 10_000,
      halfLifeRampUp: Double? = 0.05, targetHalfLife: Double = 865, freeze: FreezeLevel = .none,
      distance: PictureDistance = PictureDistance()
    ) {
      self.seed = seed
      self.batch = batch
      self.total = total
      self.rate = rate
      self.adam = adam
      self.halfLife = halfLife
      self.halfLifeRampUp = halfLifeRampUp
      self.targetHalfLife = targetHalfLife
      self.freeze = freeze
      self.distance = distance
    }
  }

  public let teacher: NetworkFile
  public let task: DistillationTask
  public let settings: Settings
  /// The student's network and preconditioning.
  public let student: Denoiser
  public internal(set) var weights: Parameters
  public internal(set) var average: MovingAverage
  public internal(set) var optimiser: Adam
  /// Samples seen: the position in every random sequence.
  public internal(set) var seen = 0
  /// The discriminator beside the loss, if any.
  var adversary: DistillationAdversary?
  /// θ⁻ of consistency and trajectory distillation.
  var target: MovingAverage?
  /// Halvings of the steps that are done, in progressive distillation.
  var stage = 0
  /// Samples seen when the stage began, and the weights of its teacher.
  var stageStart = 0
  var stageTeacher: Parameters
  private var order: ShuffledOrder

  /// A run that has not begun.
  ///
  /// - Precondition: regression's latents have classes of their own: no conditional adversary.
  public init(
    of teacher: NetworkFile, task: DistillationTask, settings: Settings,
    adversary: DistillationAdversary? = nil
  ) {
    precondition(
      task.method != .regression || adversary?.isConditional != true,
      "an adversary that is told classes of pictures, not of latents")
    self.teacher = teacher
    self.task = task
    self.adversary = adversary
    self.settings = settings
    var preconditioning = teacher.denoiser.preconditioning
    switch task.method {
    case .regression, .consistency: preconditioning.epsilon = Preconditioning.d2o.epsilon
    case .progressive, .trajectory: break
    }
    student = Denoiser(teacher.denoiser.network, preconditioning: preconditioning)
    let isTrajectory = task.method == .trajectory
    weights = isTrajectory ? TrajectoryJumps.extended(teacher.weights) : teacher.weights
    average = MovingAverage(
      weights, halfLife: settings.halfLife, rampUp: settings.halfLifeRampUp)
    let constant = Set(student.network.specifications.filter { !$0.isTrainable }.map(\.name))
    optimiser = Adam(
      weights.filter { !constant.contains($0) && !settings.freeze.freezes($0) },
      settings: settings.adam)
    if isTrajectory || task.method == .consistency {
      target = MovingAverage(weights, halfLife: settings.targetHalfLife, rampUp: nil)
    }
    stageTeacher = teacher.weights
    order = ShuffledOrder(count: task.count, seed: settings.seed)
  }

  /// What a step did.
  public struct Step: Sendable {
    /// The method's loss, without the adversary's term.
    public let loss: Float
    /// Global norm of the gradient.
    public let norm: Float
    /// Learning rate that the step was taken with.
    public let rate: Float
    /// The adversary's term, without its weight, and its own step.
    public internal(set) var adversary: (generatorLoss: Float, critic: Critic.Step)?
  }

  /// One step on the next `batch` samples.
  ///
  /// - Throws: `Divergence` for a loss or a gradient that is not finite; whatever the pictures'
  ///   source throws. Without an adversary the state is then as before.
  public mutating func step() throws -> Step {
    let positions = seen..<seen + settings.batch
    let function = loss
    let real = try adversary?.real(positions)
    let weight = adversary?.weight ?? 0
    var (own, term, pictures): (Tensor?, Tensor?, Tensor?)
    let (value, gradients) = try valueWithGradient(at: trainable) { trainable in
      let (loss, generated) = try function(trainable, batch: positions)
      own = loss.detached()
      guard let real,
        let added = adversary?.critic.generatorLoss(
          of: generated, real: real.pictures, labels: real.labels, positions)
      else { return loss }
      (term, pictures) = (added.detached(), generated.detached())
      return loss + added.scaled(by: weight)
    }
    try Divergence.check(loss: value[0], seen: seen)
    try Divergence.check(gradients: gradients, seen: seen)
    var step = Step(loss: own?[0] ?? value[0], norm: gradients.globalNorm, rate: rate)
    update(gradients)
    if let real, let term, let pictures,
      let found = try adversary?.critic.step(
        generated: pictures, real: real.pictures, labels: real.labels, positions)
    {
      step.adversary = (term[0], found)
    }
    return step
  }

  /// The weights that training changes.
  public var trainable: Parameters { weights.filter(optimiser.means.contains) }

  /// Learning rate of the next step.
  public var rate: Float {
    guard let length = stageLength else { return settings.rate }
    return LearningRate(settings.rate, descent: (length, length)).value(seen: seen - stageStart)
  }

  /// One step of the optimiser and of all averages; `gradients` are of the next `batch` samples.
  public mutating func update(_ gradients: Parameters) {
    optimiser.step(&weights, gradients: gradients, rate: rate)
    let (weights, batch) = (weights, settings.batch)
    average.update(weights, seen: seen - stageStart, batch: batch)
    target?.update(weights, seen: seen, batch: batch)
    // Keeps the permutation of the epoch for the next step.
    _ = order.samples(seen..<seen + batch)
    seen += batch
    beginStage()
  }

  /// The method's loss at the present state.
  public var loss: DistillationLoss {
    DistillationLoss(objective: objective, weights: weights)
  }

  private var objective: any DistillationObjective {
    func samples(_ source: any PictureSource) -> DistillationSamples {
      DistillationSamples(
        source: source, order: order, seed: settings.seed,
        isConditional: student.network.configuration.labels > 0)
    }
    func steps(_ source: any PictureSource, _ sigmas: [Double]) -> TeacherSteps {
      TeacherSteps(
        teacher: teacher.denoiser, weights: teacher.weights, levels: sigmas.map { Float($0) },
        samples: samples(source))
    }
    let sigmas = Sampler(steps: max(points, 1)).sigmas
    let distance = settings.distance
    switch task {
    case .regression(let pool):
      return RegressionObjective(student: student, pool: pool, order: order, distance: distance)
    case .progressive(let source, _):
      return ProgressiveObjective(
        student: student, teacher: teacher.denoiser, teacherWeights: stageTeacher,
        levels: ProgressiveObjective.levels(sigmas, teacherSteps: 2 * stepsOfStudent),
        samples: samples(source), distance: distance)
    case .consistency(let source, _):
      return ConsistencyObjective(
        student: student, targetWeights: target?.weights ?? weights,
        steps: steps(source, sigmas.dropLast()), distance: distance)
    case .trajectory(let source, _):
      return TrajectoryObjective(
        jumps: jumps, targetWeights: target?.weights ?? weights,
        steps: steps(source, sigmas), distance: distance)
    }
  }

  private var jumps: TrajectoryJumps {
    TrajectoryJumps(denoiser: student, lowest: Float(Sampler().sigmaMin))
  }

  /// Noise levels above 0 of the teacher's grid, for methods that have one.
  private var points: Int {
    switch task {
    case .regression: 0
    case .progressive(_, let points), .consistency(_, let points), .trajectory(_, let points):
      points
    }
  }

  /// The student as it would be used: the averaged weights, for one call.
  ///
  /// Before its last stage a progressive student is not a one-step generator and not called one.
  public var generator: NetworkFile {
    let isLast = stageLength == nil || (stepsOfStudent == 1 && seen > stageStart)
    let weights = average.weights
    return NetworkFile(
      student, weights: task.method == .trajectory ? jumps.folded(weights) : weights,
      startSigma: isLast ? Denoiser.highestSigma : nil)
  }
}

/// Stages of progressive distillation.
extension Distillation {
  /// Halvings from the teacher's steps to 1; nil for other methods.
  private var stages: Int? {
    guard case .progressive(_, let steps) = task else { return nil }
    return steps.trailingZeroBitCount
  }

  /// Samples of each stage; nil for other methods.
  private var stageLength: Int? { stages.map { settings.total / max($0, 1) } }

  /// Steps that the student learns to sample in.
  public var stepsOfStudent: Int {
    guard case .progressive(_, let steps) = task else { return 1 }
    return max(steps >> (stage + 1), 1)
  }

  /// Makes the averaged student the next teacher when its stage is over. Average and optimiser begin
  /// anew.
  private mutating func beginStage() {
    guard let stages, stage < stages - 1, seen >= (stage + 1) * settings.total / stages else {
      return
    }
    stage += 1
    stageStart = seen
    stageTeacher = average.weights
    weights = average.weights
    optimiser = Adam(trainable, settings: settings.adam)
  }
}
