import TensorCore

/// The distillation part of consistency trajectory models (Kim et al. 2024, equation 9, with *u* next
/// to *t*, which they call local consistency): with `t > u ≥ s` levels of the Karras grid and 0,
/// `x = y + t n` of a real picture *y*, `x̂` one Heun step of the teacher from *t* to *u*,
///
///     d(G_θ⁻(G_θ(x, t, s), s, 0), G_θ⁻(G_θ⁻(x̂, u, s), s, 0)),
///
/// θ⁻ a moving average of θ. Not here are their longer solver steps and the denoising loss beside
/// it; their discriminator is the `critic`.
extension Distillation {
  func trajectory(
    _ weights: Parameters, _ positions: Range<Int>
  ) throws -> (loss: Tensor, generated: Tensor) {
    let levels = levels
    let places = positions.map {
      var stream = Purpose.level.stream(seed: settings.seed, $0)
      // Not the last level before 0: the solver does not go to 0.
      let start = stream.integer(below: levels.count - 2)
      return (start, start + 1 + stream.integer(below: levels.count - start - 1))
    }
    let (t, u) = (places.map { levels[$0.0] }, places.map { levels[$0.0 + 1] })
    let s = places.map { levels[$0.1] }
    let zero = [Float](repeating: 0, count: s.count)
    let (x, next, conditions) = try teacherStep(positions, from: t, to: u)
    let end = jumps(next, from: u, to: s, targetWeights, conditions)
    let target = jumps(end, from: s, to: zero, targetWeights, conditions)
    let reached = jumps(x, from: t, to: s, weights, conditions)
    let generated = jumps(reached, from: s, to: zero, targetWeights, conditions)
    return (settings.distance(generated, target).mean(), generated)
  }

  var jumps: TrajectoryJumps {
    TrajectoryJumps(denoiser: student, lowest: Float(Sampler.sigmaMin))
  }
}
