import TensorCore

/// Plain regression: `d(D(σ z; σ), Heun_N(z))`, with σ the highest noise level or a lower one, `Heun_N` the teacher's deterministic N-step
/// sampler and *z* the latents of a pool that was computed once.
extension Distillation {
  func regression(
    _ weights: Parameters, _ positions: Range<Int>
  ) -> (loss: Tensor, generated: Tensor) {
    guard let pool, let order = poolOrder else { preconditionFailure("regression without a pool") }
    let indices = order.numbers(at: positions)
    let generated = student.generated(
      pool.latents(at: indices), weights, pool.conditions(at: indices), sigma: settings.startSigma)
    func seen(_ pictures: Tensor) -> Tensor {
      settings.clipsPictures ? pictures.clipped(to: 1) : pictures
    }
    let targets = pool.targets(at: indices)
    return (settings.distance(seen(generated), seen(targets)).mean(), generated)
  }
}
