import TensorCore

/// Distillation of a diffusion network: everything that changes from step to step, and how.
///
/// The student begins with the teacher's weights. Sample *k* of a run depends on the seed and on *k*
/// alone, so a run that is resumed continues to the same bits.
public struct Distillation: Sendable {
  public let teacher: NetworkFile
  public let data: DistillationData
  public let settings: Settings
  /// The student's network and preconditioning.
  public let student: Denoiser
  public internal(set) var learner: Learner
  public internal(set) var average: MovingAverage
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
  /// - Precondition: regression has pairs, whose latents have classes of their own: no conditional adversary; the
  ///   other methods have pictures.
  public init(
    of teacher: NetworkFile, learningFrom data: DistillationData, settings: Settings,
    adversary: DistillationAdversary? = nil
  ) {
    let method = settings.method
    if case .pairs = data {
      precondition(
        method == .regression && adversary?.isConditional != true,
        "pairs are for regression, whose adversary knows no classes")
    } else {
      precondition(method != .regression, "regression learns from pairs")
    }
    self.teacher = teacher
    self.data = data
    self.adversary = adversary
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
    order = ShuffledOrder(count: data.count, seed: settings.seed)
  }

  /// What a step did.
  public struct Step: Sendable {
    /// With the method's loss, without the adversary's term.
    public let learner: Learner.Step
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
    let weight = settings.adversaryWeight
    let pictures = adversary?.pictures(positions)
    let found = try batchLoss(at: learner.trainable, over: positions) {
      [adversary] trainable, part -> PartLoss<(state: Parameters, generated: Tensor)?> in
      let (loss, generated) = try function(trainable, batch: part.positions)
      let own = loss.detached()[0]
      guard let adversary, let pictures else {
        return PartLoss(loss, figures: [own, 0], extra: nil)
      }
      let real = try adversary.real(part, of: pictures)
      var critic = adversary.critic
      let added = critic.generatorLoss(
        of: generated, real: real.pictures, labels: real.labels, part.positions)
      return PartLoss(
        loss + added.scaled(by: weight), figures: [own, added.detached()[0]],
        extra: (critic.state, generated.detached()))
    }
    let all = try learner.step(found, rate: rate, seen: seen)
    var step = Step(
      learner: Learner.Step(loss: found.figures[0], norm: all.norm, rate: all.rate))
    let (weights, batch) = (learner.weights, settings.batch)
    average.update(weights, seen: seen - stageStart, batch: batch)
    target?.update(weights, seen: seen, batch: batch)
    // Keeps the permutation of the epoch for the next step.
    _ = order.samples(positions)
    seen += settings.batch
    beginStage()
    if let adversary, let pictures, let state = found.extras[0]?.state {
      self.adversary?.critic.state = state
      // The pictures of the student's step.
      let generated = found.extras.compactMap { $0?.generated }
      let taken = try self.adversary?.critic.step(positions) { part in
        let real = try adversary.real(part, of: pictures)
        return Critic.Samples(
          generated: generated[part.index], real: real.pictures, labels: real.labels)
      }
      step.adversary = taken.map { (found.figures[1], $0) }
    }
    return step
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
  public var loss: DistillationLoss {
    DistillationLoss(objective: objective, weights: learner.weights)
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
    let distance = settings.distance
    let source: any PictureSource
    switch data {
    case .pairs(let pool):
      return RegressionObjective(
        student: student, pool: pool, order: order, distance: distance,
        startSigma: settings.startSigma, clipsPictures: settings.clipsPictures)
    case .pictures(let pictures): source = pictures
    }
    let sigmas = Sampler(steps: settings.steps).sigmas
    switch settings.method {
    case .progressive:
      return ProgressiveObjective(
        student: student, teacher: teacher.denoiser, teacherWeights: stageTeacher,
        levels: ProgressiveObjective.levels(sigmas, teacherSteps: 2 * stepsOfStudent),
        samples: samples(source), distance: distance)
    case .trajectory:
      return TrajectoryObjective(
        jumps: jumps, targetWeights: target?.weights ?? learner.weights,
        steps: steps(source, sigmas), distance: distance)
    case .consistency, .regression:
      return ConsistencyObjective(
        student: student, targetWeights: target?.weights ?? learner.weights,
        steps: steps(source, sigmas.dropLast()), distance: distance)
    }
  }

  private var jumps: TrajectoryJumps {
    TrajectoryJumps(denoiser: student, lowest: Float(Sampler.sigmaMin))
  }

  /// The student as it would be used: the averaged weights, for one call.
  ///
  /// Before its last stage a progressive student is not a one-step generator and not called one.
  public var generator: NetworkFile {
    let isLast = stageLength == nil || (stepsOfStudent == 1 && seen > stageStart)
    let weights = average.weights
    let startSigma = settings.method == .regression ? settings.startSigma : Denoiser.highestSigma
    return NetworkFile(
      student, weights: settings.method == .trajectory ? jumps.folded(weights) : weights,
      startSigma: isLast ? startSigma : nil)
  }
}

/// Stages of progressive distillation.
extension Distillation {
  /// Halvings from the teacher's steps to 1; nil for other methods.
  private var stages: Int? {
    settings.method == .progressive ? settings.steps.trailingZeroBitCount : nil
  }

  /// Samples of each stage; nil for other methods.
  private var stageLength: Int? { stages.map { settings.total / max($0, 1) } }

  /// Steps that the student learns to sample in.
  public var stepsOfStudent: Int {
    settings.method == .progressive ? max(settings.steps >> (stage + 1), 1) : 1
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
    let trained = learner.optimiser.means
    learner = Learner(
      average.weights, settings: settings.adam, isTrained: trained.contains)
  }
}
