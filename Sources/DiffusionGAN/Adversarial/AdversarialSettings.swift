import Glibc
import TensorCore

extension AdversarialTraining {
  /// What does not change during a run.
  public struct Settings: Sendable, Equatable {
    public var seed: UInt64 = 0
    public var batch: Int = 64
    /// Samples of a step from the middle of the run on, in place of rates that fall; nil for as many as before.
    public var lateBatch: Int? = nil
    /// Samples of the whole run.
    public var total: Int = 40_000
    public var freezing = Freezing.convolutions
    /// Noise level of the generator's one call, and deviation of what it begins with.
    public var startSigma: Float = Denoiser.highestSigma
    /// Learning rates: the generator's, and with nothing frozen `unfrozenRate` in its place, where that is not nil; the
    /// discriminator's, the same as the generator's where it is nil.
    public var generatorRate: Float = 1e-3
    public var unfrozenRate: Float? = nil
    public var discriminatorRate: Float? = nil
    /// Share of the run, at its end, over which both decay to 0.
    public var decay: Double = 0
    /// Of both optimisers, before the correction for lazy regularisation.
    public var adam: Adam.Settings = Adam.Settings(beta1: 0, beta2: 0.99)
    public var loss: AdversarialLoss = .nonSaturating
    public var penalty: GradientPenalty? = GradientPenalty()
    public var augmentation: Augmentation? = nil
    /// Whether the discriminator sees pictures cut off at −1 and 1, as they are stored and as real ones are; the
    /// published code shows them as they are drawn. Where data have a background of exactly −1, the generator may then
    /// go beyond it. Otherwise it has to hit it, and what it misses on one side stays as faint noise
    /// (docs/onestep/levers.md).
    public var clipsPictures: Bool = false
    /// Half-life of the average of the generator's weights, in samples, and the largest share of the
    /// samples seen that it may be.
    public var halfLife: Double = 500_000
    public var halfLifeRampUp: Double = 0.05
    public var discriminator = DiscriminatorKind.projected
    /// Of a projected discriminator.
    public var style: ProjectedDiscriminator.Style = .init()

    /// Samples before the first step of `lateBatch`.
    private var early: Int { (total / 2 + batch - 1) / batch * batch }

    /// Samples of the step after so many.
    func batch(after seen: Int) -> Int { seen < early ? batch : lateBatch ?? batch }

    /// Steps that so many samples took.
    func iterations(before seen: Int) -> Int {
      min(seen, early) / batch + max(seen - early, 0) / (lateBatch ?? batch)
    }

    /// These with the learning rates that belong to `freezing`.
    public var settled: Settings {
      var settings = self
      if freezing == .none, let rate = unfrozenRate { settings.generatorRate = rate }
      settings.discriminatorRate = discriminatorRate ?? settings.generatorRate
      settings.unfrozenRate = nil
      return settings
    }

    /// What both learning rates are multiplied by.
    var schedule: LearningRate {
      LearningRate(1, decay: decay, of: total)
    }

    /// Interval of lazy regularisation; 1 where the penalty, if any, belongs to every step.
    var interval: Int { penalty?.interval ?? 1 }

    /// With a step of its own for the penalty every n-th iteration, rate and decay are corrected by
    /// n / (n + 1) (Karras et al. 2020, StyleGAN2).
    private var correction: Double {
      interval > 1 ? Double(interval) / Double(interval + 1) : 1
    }

    var correctedDiscriminatorRate: Float {
      (discriminatorRate ?? generatorRate) * Float(correction)
    }

    var discriminatorAdam: Adam.Settings {
      var result = adam
      result.beta1 = pow(adam.beta1, correction)
      result.beta2 = pow(adam.beta2, correction)
      return result
    }
  }
}

extension AdversarialTraining.Settings {
  /// - Parameter labels: classes that the network knows; 0 for none.
  /// - Throws: `UserError` where pictures cannot be judged in packs: of different classes, by a discriminator that
  ///   knows none, or where the parts of a batch do not come out even.
  public func checkPacking(labels: Int) throws {
    guard style.packing > 1 else { return }
    for batch in [batch, lateBatch].compactMap(\.self) { try checkPacking(batch, labels: labels) }
  }

  private func checkPacking(_ batch: Int, labels: Int) throws {
    func refuse(_ problem: String, _ remedy: String) -> UserError {
      UserError(problem, at: "--packing \(style.packing)", remedy: remedy, status: .usage)
    }
    guard discriminator != .convolutional else {
      throw refuse("a plain convolutional discriminator judges pictures one by one", "leave it out")
    }
    guard labels == 0 else {
      throw refuse("pictures of different classes are not judged together", "leave it out")
    }
    let part = BatchPart.samples(ofBatch: batch)
    guard part % style.packing == 0 else {
      throw refuse(
        "a batch of \(batch) is computed in parts of \(part), which are no whole packs",
        "choose a divisor of \(part), or another --batch")
    }
  }
}

/// What a discriminator looks at: features of frozen networks and pixels, pixels alone through the same heads, or
/// pixels through convolutions.
public enum DiscriminatorKind: String, Sendable, CaseIterable {
  case projected
  case pixels
  case convolutional
}

extension AdversarialTraining.Settings: TrainingSettings {
  public var isOpenEnded: Bool { decay == 0 && lateBatch == nil }

  private static let penalties = ["none", "r1", "r1+r2"]
  private static let operations = Augmentation.Operation.allCases.map(\.rawValue)

  public static let all: [Setting<Self>] = [
    Setting(
      "freeze", .text(choices: []),
      """
      What stays as it is: 0 nothing, 1 convolutions and projections of the blocks, 2 qkv too, 3 skips too, \
      norm-affine all but those, or patterns of names such as '*.qkv.*,*.conv0.*'.
      """, valueName: "RULE"
    ) {
      $1.freezing = try Freezing(parsing: $0.string())
    } write: {
      .string("\($0.freezing)")
    },
    .choice(
      "discriminator", \.discriminator,
      "Over features and pixels, over pixels alone, or a plain convolutional one."),
    Setting(
      "loss", .text(choices: AdversarialLoss.allCases.map(\.rawValue)), "What is minimised.",
      valueName: "NAME"
    ) {
      let name = try $0.choice(of: AdversarialLoss.allCases.map(\.rawValue))
      guard let loss = AdversarialLoss(rawValue: name), loss != $1.loss else { return }
      $1.loss = loss
      // It takes R1 and R2 (Huang et al. 2024), here at every step unless something else is said.
      let isRelativistic = loss == .relativistic
      $1.penalty?.interval = isRelativistic ? 1 : 16
      $1.penalty?.includesGenerated = isRelativistic
    } write: {
      .string($0.loss.rawValue)
    },
    Setting(
      "penalty", .text(choices: penalties),
      "On the slope at real pictures, r1, and at generated ones too; the relativistic loss needs both, and has them unless told otherwise.",
      valueName: "NAME"
    ) {
      let name = try $0.choice(of: penalties)
      guard name != penalties[0] else { return $1.penalty = nil }
      $1.penalty = $1.penalty ?? GradientPenalty()
      $1.penalty?.includesGenerated = name == penalties[2]
    } write: {
      .string(penalties[$0.penalty.map { $0.includesGenerated ? 2 : 1 } ?? 0])
    },
    penalty("gamma", .number(0...1e6), "Weight of the penalty.", valueName: "X") {
      $1.gamma = try $0.setting(in: 0...1e6)
    } write: {
      .number($0.gamma.settingValue ?? 0)
    },
    penalty(
      "penalty_interval", .integer(1...1_000_000), "Iterations from penalty to penalty.",
      defaultText: "16, or 1 for the relativistic loss"
    ) {
      $1.interval = try $0.integer(in: 1...1_000_000)
    } write: {
      .integer($0.interval)
    },
    penalty("sums_logits", .flag, nil) {
      $1.sumsLogits = try $0.bool()
    } write: {
      .bool($0.sumsLogits)
    },
    Setting(
      "augment", .text(choices: []),
      "What the discriminator's pictures go through: \(operations.joined(separator: ",")).",
      valueName: "LIST", defaultText: "nothing"
    ) { reader, settings in
      let names = try reader.string().split(separator: ",").map(String.init)
      guard !names.isEmpty else {
        throw UserError(
          "names no augmentation",
          remedy: "name some of \(operations.joined(separator: ", ")), or leave it out",
          status: .usage)
      }
      settings.augmentation = Augmentation(
        try names.map { name in
          guard let operation = Augmentation.Operation(rawValue: name) else {
            throw UserError(
              "unknown augmentation '\(name)'",
              remedy: "choose from \(operations.joined(separator: ", "))", status: .usage)
          }
          return operation
        })
    } write: {
      $0.augmentation.map {
        .string($0.operations.map(\.rawValue).joined(separator: ","))
      } ?? .null
    },
    Setting(
      "adaptive", .number(1e-3...1e9),
      "Steer the augmentation's probability, from 0 to 1 in this many thousand images.",
      valueName: "KIMG", defaultText: "1 throughout"
    ) {
      guard $1.augmentation != nil else {
        throw UserError(
          "there is no augmentation to steer", remedy: "name operations with --augment",
          status: .usage)
      }
      $1.augmentation?.adaptive = try $0.setting(in: 1e-3...1e9) * 1000
    } write: {
      ($0.augmentation?.adaptive).map { .number($0 / 1000) } ?? .null
    },
    .onOff(
      "clip_pictures", \.clipsPictures,
      "Whether the discriminator sees pictures cut off at −1 and 1, as they are stored."),
    Setting(
      "packing", .integer(1...64), "Pictures that the discriminator judges together (PacGAN).",
      defaultText: "1"
    ) {
      $1.style.packing = try $0.integer(in: 1...64)
    } write: {
      $0.style.packing > 1 ? .integer($0.style.packing) : .null
    },
    .number(
      "start_sigma", \.startSigma, in: 0.01...1000,
      "Noise level of the generator's one call; 80 in the papers."),
    .integer("batch", \.batch, in: 2...65_536, "Images of a step."),
    Setting(
      "late_batch", .integer(2...65_536), "Images of a step in the second half of the run.",
      defaultText: "as many as before"
    ) {
      $1.lateBatch = try $0.integer(in: 2...65_536)
    } write: {
      $0.lateBatch.map { .integer($0) } ?? .null
    },
    .integer("total", \.total, in: 1...10_000_000_000),
    Setting(
      "learning_rate", .number(1e-12...10), "The generator's learning rate.", valueName: "X"
    ) {
      $1.generatorRate = try $0.setting(in: 1e-12...10)
      ($1.discriminatorRate, $1.unfrozenRate) = (nil, nil)
    } write: {
      .number($0.generatorRate.settingValue ?? 0)
    },
    .number(
      "discriminator_learning_rate", \.discriminatorRate, in: 1e-12...10,
      "The discriminator's learning rate.", defaultText: "the preset's, or --learning-rate"),
    .number("unfrozen_learning_rate", \.unfrozenRate, in: 1e-12...10),
    .number(
      "decay", \.decay, in: 0...1,
      "Share of the run, at its end, over which both learning rates decay to 0."),
    .halfLife(\.halfLife), .halfLifeRampUp(\.halfLifeRampUp),
    .integer("mixing_channels", \.style.mixingChannels, in: 1...65_536),
    .integer("head_channels", \.style.headChannels, in: 1...65_536),
    .flag("enlarges_maps", \.style.enlargesMaps),
    .flag("halves_by_scale", \.style.halvesByScale),
    .flag("sees_pixels", \.style.seesPixels),
  ]

  /// A setting of the penalty, which is nothing where there is none.
  private static func penalty(
    _ key: String, _ kind: Setting<Self>.Kind, _ help: String?, valueName: String = "N",
    defaultText: String? = nil,
    read: @escaping @Sendable (JSONReader, inout GradientPenalty) throws -> Void,
    write: @escaping @Sendable (GradientPenalty) -> JSONValue
  ) -> Setting<Self> {
    Setting(key, kind, help, valueName: valueName, defaultText: defaultText) {
      guard var penalty = $1.penalty else {
        throw UserError(
          "\(key) is of a penalty that is left out", remedy: "leave it out too, or --penalty none",
          status: .usage)
      }
      try read($0, &penalty)
      $1.penalty = penalty
    } write: {
      $0.penalty.map(write) ?? .null
    }
  }
}
