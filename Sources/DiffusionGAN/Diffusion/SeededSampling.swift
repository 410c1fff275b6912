import TensorCore

/// Pictures drawn from a diffusion network or a one-step generator, one for each seed.
///
/// A seed's picture has the same bits whichever others are drawn with it, and however many at a
/// time: its latent and its noise come from random streams of its own, and no kernel of the network
/// mixes or counts pictures. The latent is the same for any number of steps, so a student's picture
/// can be held against its teacher's.
public struct SeededSampling: Sendable {
  /// How a latent becomes a picture.
  public enum Method: Sendable, Equatable {
    /// One call, `D(σ z; σ)`.
    case oneStep(sigma: Float)
    /// Along the probability flow.
    case flow(Sampler)

    /// Of a single step without noise nothing is left but the one call.
    init(_ sampler: Sampler) {
      self =
        sampler.steps == 1 && sampler.churn == nil
        ? .oneStep(sigma: Denoiser.highestSigma) : .flow(sampler)
    }

    /// Network calls that a picture takes.
    public var evaluations: Int {
      switch self {
      case .oneStep: 1
      case .flow(let sampler): sampler.evaluations
      }
    }
  }

  public let denoiser: Denoiser
  public let weights: Parameters
  public let method: Method
  /// The class of all pictures; nil for networks without classes, or one drawn by each seed.
  public var label: Int?
  /// Pictures drawn at a time.
  public var batch: Int

  /// - Parameter sampler: of diffusion networks; nil for EDM's 18 steps. A one-step generator is called once, at its
  ///   own noise level.
  /// - Throws: `UserError` for a class that the network does not have.
  public init(
    _ network: NetworkFile, sampler: Sampler? = nil, label: Int? = nil, batch: Int = 64
  ) throws {
    denoiser = network.denoiser
    weights = network.weights
    method = network.startSigma.map { .oneStep(sigma: $0) } ?? Method(sampler ?? Sampler(steps: 18))
    self.label = label
    self.batch = batch
    let labels = denoiser.network.configuration.labels
    if let label, !(0..<labels).contains(label) {
      throw UserError(
        labels == 0 ? "the network has no classes" : "there is no class \(label)",
        remedy: labels == 0 ? "leave out --class" : "choose one of 0 to \(labels - 1)",
        status: .usage)
    }
  }

  /// Shape of the pictures.
  public var shape: ImageShape { denoiser.network.configuration.imageShape }

  private enum Purpose: UInt64 {
    case latent = 0x11
    case label = 0x12
    case churn = 0x13
  }

  /// Pictures `[seeds, channels, height, width]` in −1…1; what lies outside is cut off, as the EDM code
  /// does when it stores pictures.
  ///
  /// - Parameter watch: told the number of pictures done after each batch; may throw to stop.
  public func callAsFunction(_ seeds: [UInt64], watch: (Int) throws -> Void = { _ in }) throws
    -> Tensor
  {
    var values: [Float] = []
    values.reserveCapacity(seeds.count * shape.count)
    for start in stride(from: 0, to: seeds.count, by: batch) {
      let part = Array(seeds[start..<min(start + batch, seeds.count)])
      // Written so that NaN stays and is found.
      values += draw(part).values.map { $0 > 1 ? 1 : $0 < -1 ? -1 : $0 }
      try watch(start + part.count)
    }
    return Tensor(values, shape: [seeds.count] + shape.extents)
  }

  /// The class that each seed's picture is drawn for; nil for networks without classes.
  public func classes(of seeds: [UInt64]) -> [Int]? {
    let count = denoiser.network.configuration.labels
    guard count > 0 else { return nil }
    return seeds.map { seed in
      var stream = RandomStream(seed: seed, path: [Purpose.label.rawValue])
      return label ?? stream.integer(below: count)
    }
  }

  private func draw(_ seeds: [UInt64]) -> Tensor {
    let shape = shape.extents
    func streams(_ purpose: Purpose, _ rest: UInt64...) -> [RandomStream] {
      seeds.map { RandomStream(seed: $0, path: [purpose.rawValue] + rest) }
    }
    let count = denoiser.network.configuration.labels
    let conditions = UNet.Conditions(
      noise: [], labels: classes(of: seeds).map { Tensor(oneHot: $0, classes: count) })
    let latents = Tensor(normal: shape, from: streams(.latent))
    switch method {
    case .oneStep(let sigma):
      return denoiser.generated(latents, weights, conditions, sigma: sigma)
    case .flow(let sampler):
      return sampler(
        latents,
        noise: { step in Tensor(normal: shape, from: streams(.churn, UInt64(step))) }
      ) { x, sigma in
        denoiser(x, sigma: [sigma], weights, conditions)
      }
    }
  }
}
