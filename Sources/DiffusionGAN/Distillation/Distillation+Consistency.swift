import TensorCore

/// Consistency distillation (Song et al. 2023, algorithm 2): with `t > u` neighbouring levels of the
/// Karras grid, `x = y + t n` of a real picture *y*, and `x̂` one Heun step of the teacher from *t* to
/// *u*,
///
///     d(D_θ(x; t), D_θ⁻(x̂; u)),
///
/// θ⁻ a moving average of θ, weight 1. The student's preconditioning makes `D(x; ε)` the identity
/// (ε = 0.002, the lowest level), which is what keeps the solution from being constant.
extension Distillation {
  func consistency(
    _ weights: Parameters, _ positions: Range<Int>
  ) throws -> (loss: Tensor, generated: Tensor) {
    // Down to ε.
    let levels = levels.dropLast()
    let places = positions.map {
      var stream = Purpose.level.stream(seed: settings.seed, $0)
      return stream.integer(below: levels.count - 1)
    }
    let (t, u) = (places.map { levels[$0] }, places.map { levels[$0 + 1] })
    let (x, next, conditions) = try teacherStep(positions, from: t, to: u)
    let target = student(next, sigma: u, targetWeights, conditions)
    let generated = student(x, sigma: t, weights, conditions)
    return (settings.distance(generated, target).mean(), generated)
  }
}
