import TensorCore

extension Pretraining {
  /// What does not change during a run.
  public struct Settings: Sendable, Equatable {
    public var seed: UInt64 = 0
    public var batch: Int = 64
    /// Samples of the whole run.
    public var total: Int = 400_000
    public var learningRate: Float = 1e-3
    /// Samples over which the learning rate rises to its value, and the share of the run, at its end, over which
    /// it decays to 0.
    public var rampUp: Int = 0
    public var decay: Double = 0
    public var adam: Adam.Settings = Adam.Settings()
    public var loss: DenoisingLoss = DenoisingLoss()
    /// Probability of each operation of `GeometricTransform`, whose labels the network sees; 0 for none.
    public var augmentation: Double = 0
    /// Half-life of the average of the weights, in samples, and the largest share of the samples
    /// seen that it may be.
    public var halfLife: Double = 500_000
    public var halfLifeRampUp: Double? = 0.05
    /// Largest global norm of the gradients; none if nil.
    public var gradientNorm: Float? = nil
    /// Whether NaN and infinities among the gradients are replaced, as in the EDM code, or end the run.
    public var replacesNotFinite: Bool = true

    var schedule: LearningRate {
      LearningRate(learningRate, rampUp: rampUp, decay: decay, of: total)
    }
  }
}

extension Pretraining.Settings: ScheduledSettings {
  public static let all: [Setting<Self>] =
    scheduled + [
      .number(
        "augment", \.augmentation, in: 0...1,
        "Probability of each of EDM's augmentations, whose labels the network sees; 0 for none."),
      .halfLife(\.halfLife), .halfLifeRampUp(\.halfLifeRampUp),
      .number("gradient_norm", \.gradientNorm, in: 1e-12...1e12),
    ]
}
