import TensorCore

/// Plain regression: `d(D(σ z; σ), Heun_N(z))`, with σ the highest noise level or a lower one, `Heun_N` the teacher's deterministic N-step
/// sampler and *z* the latents of a pool that was computed once.
struct RegressionObjective: DistillationObjective {
  let student: Denoiser
  let pool: TeacherPool
  let order: ShuffledOrder
  let distance: PictureDistance
  /// σ.
  let startSigma: Float
  /// Whether both pictures are compared as they are stored, cut off at −1 and 1.
  let clipsPictures: Bool

  func callAsFunction(
    _ weights: Parameters, _ positions: Range<Int>
  ) throws -> (loss: Tensor, generated: Tensor) {
    var order = order
    let indices = order.samples(positions)
    let generated = student.generated(
      pool.latents(at: indices), weights, pool.conditions(at: indices), sigma: startSigma)
    func seen(_ pictures: Tensor) -> Tensor {
      clipsPictures ? pictures.clipped(to: 1) : pictures
    }
    let targets = pool.targets(at: indices)
    return (distance(seen(generated), seen(targets)).mean(), generated)
  }
}
