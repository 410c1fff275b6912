import TensorCore

/// Consistency distillation (Song et al. 2023, algorithm 2): with `t > u` neighbouring levels of the
/// Karras grid, `x = y + t n` of a real picture *y*, and `x̂` one Heun step of the teacher from *t* to
/// *u*,
///
///     d(D_θ(x; t), D_θ⁻(x̂; u)),
///
/// θ⁻ a moving average of θ, weight 1. The student's preconditioning makes `D(x; ε)` the identity
/// (ε = 0.002, the lowest level), which is what keeps the solution from being constant.
struct ConsistencyObjective: DistillationObjective {
  let student: Denoiser
  /// θ⁻.
  let targetWeights: Parameters
  let teacher: Denoiser
  let teacherWeights: Parameters
  /// Noise levels, falling to ε.
  let levels: [Float]
  let samples: DistillationSamples
  let distance: PictureDistance

  func callAsFunction(
    _ weights: Parameters, _ positions: Range<Int>
  ) throws -> (loss: Tensor, generated: Tensor) {
    let (clean, noise, conditions) = try samples.pictures(positions)
    let places = positions.map {
      var stream = samples.stream(.level, $0)
      return stream.integer(below: levels.count - 1)
    }
    let (t, u) = (places.map { levels[$0] }, places.map { levels[$0 + 1] })
    let x = clean + noise * Tensor(perSample: t)
    let next = teacher.heunStep(x, from: t, to: u, teacherWeights, conditions)
    let target = student(next, sigma: u, targetWeights, conditions)
    let generated = student(x, sigma: t, weights, conditions)
    return (distance(generated, target).mean(), generated)
  }
}
