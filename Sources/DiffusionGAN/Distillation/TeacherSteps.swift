import TensorCore

/// Single steps on the teacher's trajectories, which consistency and trajectory distillation learn from:
/// `x = y + t n` of a real picture *y*, and where one Heun step of the teacher leads it, from *t* to the
/// next level *u*.
struct TeacherSteps: Sendable {
  let teacher: Denoiser
  let weights: Parameters
  /// Noise levels, falling.
  let levels: [Float]
  let samples: DistillationSamples

  /// The steps of some samples.
  struct Batch {
    /// Pictures at *t*, and after the step.
    let x: Tensor
    let next: Tensor
    let t: [Float]
    let u: [Float]
    let conditions: UNet.Conditions
  }

  /// - Parameter places: in `levels`, of the *t* of each sample; the last has no next one.
  func callAsFunction(_ positions: Range<Int>, at places: [Int]) throws -> Batch {
    let (clean, noise, conditions) = try samples.pictures(positions)
    let (t, u) = (places.map { levels[$0] }, places.map { levels[$0 + 1] })
    let x = clean + noise * Tensor(perSample: t)
    let next = teacher.heunStep(x, from: t, to: u, weights, conditions)
    return Batch(x: x, next: next, t: t, u: u, conditions: conditions)
  }
}
