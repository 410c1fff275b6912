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
struct ProgressiveObjective: DistillationObjective {
  let student: Denoiser
  let teacher: Denoiser
  let teacherWeights: Parameters
  /// The teacher's noise levels, falling, with 0 at the end: an odd number. The student has every
  /// second one, so all stages stand on points of the first teacher's grid.
  let levels: [Float]
  let samples: DistillationSamples
  let distance: PictureDistance

  /// The levels of a teacher with `steps` steps, out of a grid of `sigmas.count − 1` steps.
  static func levels(_ sigmas: [Double], teacherSteps steps: Int) -> [Float] {
    stride(from: 0, to: sigmas.count, by: (sigmas.count - 1) / steps).map { Float(sigmas[$0]) }
  }

  /// D̂ of each sample.
  ///
  /// - Parameters:
  ///   - x: `[batch, channels, height, width]` at levels `t`; `t > u > s ≥ 0`, one for each sample.
  static func target(
    _ x: Tensor, from t: [Float], over u: [Float], to s: [Float], teacher: Denoiser,
    _ weights: Parameters, _ conditions: UNet.Conditions? = nil
  ) -> Tensor {
    let first = teacher(x, sigma: t, weights, conditions)
    let middle = Tensor.mixed(x, first, share: zip(u, t).map { $0 / $1 })
    let second = teacher(middle, sigma: u, weights, conditions)
    let shares = t.indices.map { s[$0] * (t[$0] - u[$0]) / (u[$0] * (t[$0] - s[$0])) }
    return .mixed(first, second, share: shares)
  }

  func callAsFunction(
    _ weights: Parameters, _ positions: Range<Int>
  ) throws -> (loss: Tensor, generated: Tensor) {
    let (clean, noise, conditions) = try samples.pictures(positions)
    let steps = positions.map {
      var stream = samples.stream(.level, $0)
      return 2 * stream.integer(below: levels.count / 2)
    }
    let t = steps.map { levels[$0] }
    let x = clean + noise * Tensor(perSample: t)
    let target = Self.target(
      x, from: t, over: steps.map { levels[$0 + 1] }, to: steps.map { levels[$0 + 2] },
      teacher: teacher, teacherWeights, conditions)
    let generated = student(x, sigma: t, weights, conditions)
    let weigh = DenoisingLoss()
    let factors = t.map { weigh.weight($0, sigmaData: student.preconditioning.sigmaData) }
    return ((distance(generated, target) * Tensor(perSample: factors)).mean(), generated)
  }
}
