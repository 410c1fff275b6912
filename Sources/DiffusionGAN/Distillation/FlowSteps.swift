import TensorCore

extension Tensor {
  /// A number for each sample, `[batch, 1, 1, 1]`, to multiply pictures with.
  init(perSample values: [Float]) { self.init(values, shape: [values.count, 1, 1, 1]) }

  /// Each sample a mean of two, with its own share of the first: `share · a + (1 − share) · b`.
  static func mixed(_ a: Tensor, _ b: Tensor, share: [Float]) -> Tensor {
    a * Tensor(perSample: share) + b * Tensor(perSample: share.map { 1 - $0 })
  }
}

/// Single steps of the probability flow, each sample between noise levels of its own. `Sampler` solves
/// whole trajectories; distillation needs pieces.
extension Denoiser {
  /// Heun's step (Karras et al. 2022, algorithm 1), with x′ where Euler's ends:
  ///
  ///     (s/t) x + (1 − s/t) ((1 − w) D(x; t) + w D(x′; s)),    w = t / 2s,
  ///
  /// which is the mean of both slopes without differences of large numbers. No level may be 0.
  func heunStep(
    _ x: Tensor, from t: [Float], to s: [Float], _ weights: Parameters,
    _ conditions: UNet.Conditions? = nil
  ) -> Tensor {
    let shares = zip(s, t).map { $0 / $1 }
    let first = self(x, sigma: t, weights, conditions)
    let second = self(.mixed(x, first, share: shares), sigma: s, weights, conditions)
    let clean = Tensor.mixed(second, first, share: shares.map { 0.5 / $0 })
    return .mixed(x, clean, share: shares)
  }
}
