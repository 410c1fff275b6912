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
  /// Between noise levels that fall to ε.
  let steps: TeacherSteps
  let distance: PictureDistance

  func callAsFunction(
    _ weights: Parameters, _ positions: Range<Int>
  ) throws -> (loss: Tensor, generated: Tensor) {
    let places = positions.map {
      var stream = steps.samples.stream(.level, $0)
      return stream.integer(below: steps.levels.count - 1)
    }
    let batch = try steps(positions, at: places)
    let target = student(batch.next, sigma: batch.u, targetWeights, batch.conditions)
    let generated = student(batch.x, sigma: batch.t, weights, batch.conditions)
    return (distance(generated, target).mean(), generated)
  }
}
