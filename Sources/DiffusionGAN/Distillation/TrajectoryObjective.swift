import TensorCore

/// The distillation part of consistency trajectory models (Kim et al. 2024, equation 9, with *u* next
/// to *t*, which they call local consistency): with `t > u ≥ s` levels of the Karras grid and 0,
/// `x = y + t n` of a real picture *y*, `x̂` one Heun step of the teacher from *t* to *u*,
///
///     d(G_θ⁻(G_θ(x, t, s), s, 0), G_θ⁻(G_θ⁻(x̂, u, s), s, 0)),
///
/// θ⁻ a moving average of θ. Not here are their longer solver steps and the denoising loss beside
/// it; their discriminator is a `DistillationAdversary`.
struct TrajectoryObjective: DistillationObjective {
  let jumps: TrajectoryJumps
  /// θ⁻.
  let targetWeights: Parameters
  /// Between noise levels that fall, with 0 at the end.
  let steps: TeacherSteps
  let distance: PictureDistance

  func callAsFunction(
    _ weights: Parameters, _ positions: Range<Int>
  ) throws -> (loss: Tensor, generated: Tensor) {
    let levels = steps.levels
    let places = positions.map {
      var stream = steps.samples.stream(.level, $0)
      // Not the last level before 0: the solver does not go to 0.
      let start = stream.integer(below: levels.count - 2)
      return (start, start + 1 + stream.integer(below: levels.count - start - 1))
    }
    let batch = try steps(positions, at: places.map(\.0))
    let s = places.map { levels[$0.1] }
    let zero = [Float](repeating: 0, count: s.count)
    let end = jumps(batch.next, from: batch.u, to: s, targetWeights, batch.conditions)
    let target = jumps(end, from: s, to: zero, targetWeights, batch.conditions)
    let reached = jumps(batch.x, from: batch.t, to: s, weights, batch.conditions)
    let generated = jumps(reached, from: s, to: zero, targetWeights, batch.conditions)
    return (distance(generated, target).mean(), generated)
  }
}
