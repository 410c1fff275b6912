import TensorCore

/// A stage of progressive distillation (Salimans & Ho 2022): one Euler step of the student shall do
/// what two of the teacher do. (Euler's is DDIM's step in this parametrisation.)
///
/// From noise level *t* over *u* to *s*, the teacher's steps are
///
///     x′ = (u/t) x + (1 − u/t) D(x; t),    x″ = (s/u) x′ + (1 − s/u) D(x′; u),
///
/// and the one step `(s/t) x + (1 − s/t) D̂` ends at x″ exactly if
///
///     D̂ = (t x″ − s x) / (t − s) = a D(x; t) + (1 − a) D(x′; u),    a = s (t − u) / (u (t − s)).
///
/// The second form, a mean of two denoised pictures, is the one that is computed: the first subtracts
/// numbers of the size of *t*. The student is regressed onto D̂ with EDM's weight of the level,
/// `(t² + σ_data²) / (t σ_data)²`, which is the paper's SNR + 1 for data of deviation σ_data.
extension Distillation {
  func progressive(
    _ weights: Parameters, _ positions: Range<Int>
  ) throws -> (loss: Tensor, generated: Tensor) {
    let levels = Self.levels(
      Sampler(steps: settings.steps).sigmas, teacherSteps: 2 * stepsOfStudent)
    let (clean, noise, conditions) = try pictures(positions)
    let steps = positions.map {
      var stream = Purpose.level.stream(seed: settings.seed, $0)
      return 2 * stream.integer(below: levels.count / 2)
    }
    let t = steps.map { levels[$0] }
    let x = clean + noise * Tensor(perSample: t)
    let target = Self.progressiveTarget(
      x, from: t, over: steps.map { levels[$0 + 1] }, to: steps.map { levels[$0 + 2] },
      teacher: teacher.denoiser, stageTeacher, conditions)
    let generated = student(x, sigma: t, weights, conditions)
    let weigh = DenoisingLoss()
    let factors = t.map { weigh.weight($0, sigmaData: student.preconditioning.sigmaData) }
    let distance = settings.distance(generated, target)
    return ((distance * Tensor(perSample: factors)).mean(), generated)
  }

  /// The levels of a teacher with `steps` steps, out of a grid of `sigmas.count − 1` steps: falling, with 0 at the end,
  /// an odd number. The student has every second one, so all stages stand on points of the first teacher's grid.
  static func levels(_ sigmas: [Double], teacherSteps steps: Int) -> [Float] {
    stride(from: 0, to: sigmas.count, by: (sigmas.count - 1) / steps).map { Float(sigmas[$0]) }
  }

  /// D̂ of each sample.
  ///
  /// - Parameters:
  ///   - x: `[batch, channels, height, width]` at levels `t`; `t > u > s ≥ 0`, one for each sample.
  static func progressiveTarget(
    _ x: Tensor, from t: [Float], over u: [Float], to s: [Float], teacher: Denoiser,
    _ weights: Parameters, _ conditions: UNet.Conditions? = nil
  ) -> Tensor {
    let first = teacher(x, sigma: t, weights, conditions)
    let middle = Tensor.mixed(x, first, share: zip(u, t).map { $0 / $1 })
    let second = teacher(middle, sigma: u, weights, conditions)
    let shares = t.indices.map { s[$0] * (t[$0] - u[$0]) / (u[$0] * (t[$0] - s[$0])) }
    return .mixed(first, second, share: shares)
  }
}

/// Stages of progressive distillation.
extension Distillation {
  /// Halvings from the teacher's steps to 1; nil for other methods.
  private var stages: Int? {
    settings.method == .progressive ? settings.steps.trailingZeroBitCount : nil
  }

  /// Samples of each stage; nil for other methods.
  var stageLength: Int? { stages.map { settings.total / max($0, 1) } }

  /// Steps that the student learns to sample in.
  public var stepsOfStudent: Int {
    settings.method == .progressive ? max(settings.steps >> (stage + 1), 1) : 1
  }

  /// Makes the averaged student the next teacher when its stage is over. Average and optimiser begin
  /// anew.
  mutating func beginStage() {
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
