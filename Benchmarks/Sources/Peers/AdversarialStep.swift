import DiffusionGAN
import TensorCore

/// An iteration of `onestep train`: a step of the generator, one of the discriminator, and every 16th
/// time one of R1.
struct AdversarialStep: ComparedStep {
  static let kind = "gan_step"
  /// The same as `kind` with nothing frozen.
  static let unfrozen = "\(kind)_unfrozen"

  private static let variants: [(work: String, preset: String, freezing: Freezing)] = [
    (kind, "fashion16", .convolutions), (unfrozen, "fashion16", .none),
    ("\(kind)_fashion28", "fashion28", .convolutions),
  ]

  static let works = variants.map(\.work)
  /// First steps agree to 1e-6, third ones at 28×28 to two thousandths: a pixel's gradient ends where it is cut off, and
  /// rounding may bring one to the other side of ±1.
  static let tolerance = 5e-3

  /// Iterations of the check: the second judges what two steps of the generator drew, the third has a penalty.
  private static let checked = 3
  private static let checkedInterval = 2
  /// Share of the rates that the check is done with. Without momentum Adam's first steps are the
  /// gradient's signs, about; the larger they are, the more the rounding of small gradients matters.
  private static let checkedRate = 0.02

  /// The pretrained generator.
  private let file: NetworkFile
  private let denoiser: Denoiser
  private let trainable: [String]
  private let features: Classifier
  private let discriminator: ProjectedDiscriminator
  private let settings: AdversarialTraining.Settings
  private let pictures: TrainingStep.Noise

  /// The preset's pretrained network, its discriminator over the plain classifier and the pixels.
  init(_ work: String) throws {
    let (_, preset, freezing) = Self.variants.first { $0.work == work } ?? Self.variants[0]
    file = try NetworkFile(contentsOf: "networks/\(preset).safetensors")
    features = try Classifier(contentsOf: "networks/\(preset)-plain.safetensors")
    var preconditioning = file.denoiser.preconditioning
    preconditioning.epsilon = Preconditioning.d2o.epsilon
    let network = file.denoiser.network
    denoiser = Denoiser(network, preconditioning: preconditioning)
    trainable = try freezing.trainableNames(of: network)
    var adversarial = try Preset(preset).adversarial
    adversarial.freezing = freezing
    settings = adversarial.settled
    let (channels, side) = (network.configuration.imageChannels, network.configuration.resolution)
    discriminator = ProjectedDiscriminator(
      [features], shape: ImageShape(channels: channels, height: side, width: side),
      style: settings.style, seed: settings.seed)
    pictures = TrainingStep.Noise(shape: [channels, side, side])
  }

  var batch: Int { settings.batch }

  /// One of them has a penalty.
  var stepsOfTurn: Int { settings.penalty?.interval ?? 16 }

  var operations: Double? { nil }

  var description: [(key: String, value: JSONValue)] {
    [
      ("batch", .integer(batch)), ("network", denoiser.network.configuration.jsonValue),
      ("sigma_data", .number(denoiser.preconditioning.sigmaData)),
      ("epsilon", .number(denoiser.preconditioning.epsilon)),
      ("trainable", .array(trainable.map { .string($0) })),
      ("classifier", features.network.configuration.jsonValue),
      ("rate", .number(Double(settings.generatorRate))),
      ("discriminator_rate", .number(Double(settings.discriminatorRate ?? settings.generatorRate))),
      ("gamma", .number(Double(settings.penalty?.gamma ?? 0))),
      ("interval", .integer(stepsOfTurn)), ("half_life", .number(settings.halfLife)),
      ("start_sigma", .number(Double(settings.startSigma))),
      ("clip_pictures", .bool(settings.clipsPictures)),
      ("checked_rate", .number(Self.checkedRate)),
      ("checked_interval", .integer(Self.checkedInterval)),
    ]
  }

  /// All networks' weights, and latents and real pictures of the check,
  /// `[checked · batch, channels, height, width]`.
  func arrays() throws -> Parameters {
    var all: [(String, Tensor)] = []
    func add(_ prefix: String, _ parameters: Parameters) {
      all += parameters.pairs.map { ("\(prefix)/\($0.name)", $0.tensor) }
    }
    add("generator", file.weights)
    add("classifier", features.weights)
    add("discriminator", discriminator.initialParameters(seed: settings.seed))
    add("state", discriminator.initialState(seed: settings.seed))
    add("mixing", discriminator.mixingWeights)
    let positions = 0..<Self.checked * batch
    let latents = run().latents(positions)
    var order = ShuffledOrder(count: pictures.count, seed: settings.seed)
    all += [
      ("input.generator", latents.generator), ("input.discriminator", latents.discriminator),
      ("input.real", pictures.images(at: order.samples(positions))),
    ]
    return Parameters(all)
  }

  /// A run that has not begun, with a share of the preset's rates.
  private func run(
    rate share: Double = 1, penaltyInterval: Int? = nil
  ) -> AdversarialTraining {
    var settings = settings
    settings.generatorRate *= Float(share)
    settings.discriminatorRate = settings.discriminatorRate.map { $0 * Float(share) }
    if let penaltyInterval { settings.penalty?.interval = penaltyInterval }
    return AdversarialTraining(
      denoiser, weights: file.weights, trainable: trainable, discriminator: discriminator,
      settings: settings, on: pictures)
  }

  /// Of each iteration the two losses, each with the norm of its gradient, and the penalty, 0 without.
  func check() throws -> [Double] {
    var run = run(rate: Self.checkedRate, penaltyInterval: Self.checkedInterval)
    return try (0..<Self.checked).flatMap { _ in
      let figures = try run.iterate()
      return [
        "generator_loss", "generator_gradient", "discriminator_loss", "discriminator_gradient",
        "penalty",
      ].map { figures[$0] ?? 0 }
    }
  }

  func begun() -> () throws -> Double {
    var run = run()
    return { try run.iterate()[0].value }
  }
}
