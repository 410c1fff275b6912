import TensorCore

/// Distillation of a diffusion network: everything that changes from step to step, and how.
///
/// The student begins with the teacher's weights. Sample *k* of a run depends on the seed and on *k*
/// alone, so a run that is resumed continues to the same bits.
public struct Distillation: GeneratorTraining, Sendable {
  enum Purpose: UInt64, StreamPurpose {
    case noise = 0x21
    case level = 0x22
    case poolLatent = 0x23
    case poolLabel = 0x24
  }

  public let teacher: NetworkFile
  public let settings: Settings
  /// The student's network and preconditioning.
  public let student: Denoiser
  public internal(set) var learner: Learner
  public internal(set) var average: MovingAverage
  public internal(set) var seen = 0
  /// A discriminator's term beside the loss, if any (Kim et al. 2024, section 4, there with an adaptive weight): the
  /// student's pictures, those that the loss is about, have to look real too. Its own step follows the student's, on the
  /// pictures of that step and as many real ones.
  var critic: Critic?
  /// θ⁻ of consistency and trajectory distillation.
  var target: MovingAverage?
  /// Halvings of the steps that are done, in progressive distillation.
  var stage = 0
  /// Samples seen when the stage began, and the weights of its teacher.
  var stageStart = 0
  var stageTeacher: Parameters
  /// Real pictures, and their order.
  private let source: any PictureSource
  private var order: ShuffledOrder
  /// What regression learns, the teacher's pictures of known latents, and their order.
  let pool: TeacherPool?
  private(set) var poolOrder: ShuffledOrder?

  /// A run that has not begun.
  ///
  /// - Parameters:
  ///   - source: real pictures, with labels where the teacher has classes.
  ///   - pool: what regression learns.
  ///   - critic: a discriminator with settings of `criticSettings`.
  /// - Precondition: regression has a pool, whose latents have classes of their own: no critic with classes; the other
  ///   methods have none.
  public init(
    of teacher: NetworkFile, settings: Settings, on source: any PictureSource,
    pool: TeacherPool? = nil, critic: Critic? = nil
  ) {
    let method = settings.method
    precondition((pool != nil) == (method == .regression), "a pool is what regression learns")
    precondition(
      pool == nil || critic == nil || teacher.denoiser.network.configuration.labels == 0,
      "the critic of a regression knows no classes")
    self.teacher = teacher
    self.source = source
    self.pool = pool
    self.critic = critic
    self.settings = settings
    var preconditioning = teacher.denoiser.preconditioning
    if method == .regression || method == .consistency {
      preconditioning.epsilon = Preconditioning.d2o.epsilon
    }
    student = Denoiser(teacher.denoiser.network, preconditioning: preconditioning)
    let weights =
      method == .trajectory ? TrajectoryJumps.extended(teacher.weights) : teacher.weights
    let constant = Set(student.network.specifications.filter { !$0.isTrainable }.map(\.name))
    learner = Learner(weights, settings: settings.adam) {
      !constant.contains($0) && !settings.freezing.freezes($0)
    }
    average = MovingAverage(
      weights, halfLife: settings.halfLife, rampUp: settings.halfLifeRampUp)
    if method.hasTarget {
      target = MovingAverage(weights, halfLife: settings.targetHalfLife, rampUp: nil)
    }
    stageTeacher = teacher.weights
    order = ShuffledOrder(count: source.count, seed: settings.seed)
    poolOrder = pool.map { ShuffledOrder(count: $0.count, seed: settings.seed) }
  }

  /// One step on the next `batch` samples.
  ///
  /// - Throws: `Divergence` for a loss or a gradient that is not finite; whatever the pictures'
  ///   source throws. Without a critic the run is then as before.
  public mutating func step() throws -> [TrainingFigure] {
    let positions = seen..<seen + settings.batch
    // Shuffles for all parts and for the next step.
    _ = order.samples(positions)
    _ = poolOrder?.samples(positions)
    let found = try batchLoss(at: learner.trainable, over: positions) {
      [self] trainable, part -> PartLoss<(state: Parameters, generated: Tensor)?> in
      let (loss, generated) = try loss(trainable, batch: part.positions)
      let own = loss.detached()[0]
      guard var critic else { return PartLoss(loss, figures: [own, 0], extra: nil) }
      let real = try source.samples(at: order.numbers(at: part.positions))
      let added = critic.generatorLoss(
        of: generated, real: real.pictures, labels: real.labels, part.positions)
      return PartLoss(
        loss + added.scaled(by: settings.adversaryWeight), figures: [own, added.detached()[0]],
        extra: (critic.state, generated.detached()))
    }
    let step = try learner.step(found, rate: rate, seen: seen)
    // The method's own loss, without the critic's term.
    var figures = [
      TrainingFigure("loss", found.figures[0]), TrainingFigure("gradient", step.norm),
      TrainingFigure("learning_rate", step.rate),
    ]
    if settings.method == .progressive {
      figures.append(TrainingFigure("student_steps", Double(stepsOfStudent)))
    }
    let weights = learner.weights
    average.update(weights, seen: seen - stageStart, batch: settings.batch)
    target?.update(weights, seen: positions.lowerBound, batch: positions.count)
    seen += settings.batch
    beginStage()
    if var critic, let beside = found.extras[0] {
      critic.state = beside.state
      // The pictures of the student's step.
      let generated = found.extras.compactMap { $0?.generated }
      figures.append(TrainingFigure("generator_loss", found.figures[1]))
      figures += try critic.step(positions) { [self] part in
        let real = try source.samples(at: order.numbers(at: part.positions))
        return (generated[part.index], real.pictures, real.labels)
      }
      self.critic = critic
    }
    return figures
  }

  public mutating func exchange(with state: inout TrainingState) throws {
    try state.exchange(seed: settings.seed, of: student)
    try state.exchange("seen", &seen)
    try state.exchange(&learner)
    try state.exchange("average", &average)
    if var average = target {
      try state.exchange("target", &average)
      target = average
    }
    if settings.method == .progressive { try state.exchange("teacher", &stageTeacher) }
    try critic?.exchange(with: &state)
    try state.exchange("stage", &stage)
    try state.exchange("stage_start", &stageStart)
  }

  /// Learning rate of the next step.
  public var rate: Float {
    guard let length = stageLength else {
      return LearningRate(settings.learningRate, decay: settings.decay, of: settings.total)
        .value(seen: seen)
    }
    return LearningRate(settings.learningRate, decay: (length, length))
      .value(seen: seen - stageStart)
  }

  /// The method's loss at the present state.
  ///
  /// - Parameters:
  ///   - trainable: the weights that are differentiated; those that are frozen count too.
  ///   - positions: samples, by their position in the run.
  /// - Returns: the mean loss of the samples, a single number, and the student's pictures that the
  ///   loss is about, `[positions, channels, height, width]`, both differentiable: the one-step
  ///   outputs for regression, the estimates of the clean picture from each sample's noise level for
  ///   the other methods.
  /// - Throws: whatever the pictures' source throws.
  public func loss(
    _ trainable: Parameters, batch positions: Range<Int>
  ) throws -> (loss: Tensor, generated: Tensor) {
    let weights = learner.weights.replacing(trainable)
    return switch settings.method {
    case .regression: regression(weights, positions)
    case .progressive: try progressive(weights, positions)
    case .consistency: try consistency(weights, positions)
    case .trajectory: try trajectory(weights, positions)
    }
  }

  /// Real pictures, standard normal numbers of their shape, and labels where the network has them.
  func pictures(
    _ positions: Range<Int>
  ) throws -> (clean: Tensor, noise: Tensor, conditions: UNet.Conditions) {
    let (clean, labels) = try source.samples(at: order.numbers(at: positions))
    let noise = Tensor(
      normal: Array(clean.shape.dropFirst()),
      from: positions.map { Purpose.noise.stream(seed: settings.seed, $0) })
    return (clean, noise, UNet.Conditions(noise: [], labels: labels))
  }

  /// Single steps on the teacher's trajectories: `x = y + t n` of a real picture *y*, and where one Heun step of the
  /// teacher leads it, from *t* to *u*.
  func teacherStep(
    _ positions: Range<Int>, from t: [Float], to u: [Float]
  ) throws -> (x: Tensor, next: Tensor, conditions: UNet.Conditions) {
    let (clean, noise, conditions) = try pictures(positions)
    let x = clean + noise * Tensor(perSample: t)
    let next = teacher.denoiser.heunStep(x, from: t, to: u, teacher.weights, conditions)
    return (x, next, conditions)
  }

  /// Noise levels of the Karras grid, falling, with 0 at the end.
  var levels: [Float] { Sampler(steps: settings.steps).sigmas.map { Float($0) } }

  /// Those of θ⁻.
  var targetWeights: Parameters { target?.weights ?? learner.weights }

  /// The student as it would be used: the averaged weights, for one call.
  ///
  /// Before its last stage a progressive student is not a one-step generator and not called one.
  public var generator: NetworkFile {
    let weights = average.weights
    let startSigma = settings.method == .regression ? settings.startSigma : Denoiser.highestSigma
    return NetworkFile(
      student, weights: settings.method == .trajectory ? jumps.folded(weights) : weights,
      startSigma: isOneStep ? startSigma : nil)
  }

  private var isOneStep: Bool {
    stageLength == nil || (stepsOfStudent == 1 && seen > stageStart)
  }

  public var sampler: Sampler { Sampler(steps: 1) }

  /// Before its last stage a progressive student was not taught to draw in one step.
  public var collapseRemedy: String? { isOneStep ? remedy : nil }
}
