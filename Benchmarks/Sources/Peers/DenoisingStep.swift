import DiffusionGAN
import TensorCore

/// A step of pretraining: forward, backward, Adam and the average of the weights.
struct DenoisingStep: ComparedStep {
  static let kind = "train_step"
  static let tolerance = 1e-3
  /// The first network has the short name.
  static let works = TrainingStep.all.map {
    $0.name == TrainingStep.all[0].name ? kind : "\(kind)_\($0.name)"
  }

  /// Operations of a turn, about, and the fewest steps of one.
  private static let turn = (operations: 2e11, steps: 3)

  private let step: TrainingStep
  private let network: UNet
  private let settings: Pretraining.Settings
  private let weights: Parameters
  /// Inputs of the check: pictures and noise `[batch, channels, height, width]`, noise levels `[batch]`.
  private let clean: Tensor
  private let noise: Tensor
  private let sigma: [Float]

  init(_ work: String) throws {
    step = TrainingStep.all[Self.works.firstIndex(of: work) ?? 0]
    network = try UNet(step.configuration)
    settings = step.pretraining(network).settings
    weights = network.initialParameters(seed: settings.seed)
    clean = step.pictures.images(at: Array(0..<TrainingStep.batch))
    var streams = (0..<TrainingStep.batch).map { RandomStream(seed: 2, path: [UInt64($0)]) }
    let loss = settings.loss
    sigma = streams.indices.map { loss.sigma(streams[$0].normal()) }
    noise = Tensor(normal: step.pictures.shape, from: streams)
  }

  var batch: Int { TrainingStep.batch }

  var stepsOfTurn: Int {
    max(Int(Self.turn.operations / step.operations(network)), Self.turn.steps)
  }

  var operations: Double? { step.operations(network) }

  var description: [(key: String, value: JSONValue)] {
    [
      ("network", network.configuration.jsonValue),
      ("sigma_data", .number(Denoiser(network).preconditioning.sigmaData)),
      ("noise_mean", .number(settings.loss.mean)),
      ("noise_deviation", .number(settings.loss.deviation)),
      ("rate", .number(Double(settings.learningRate))), ("half_life", .number(settings.halfLife)),
    ]
  }

  func arrays() -> Parameters {
    var arrays = weights
    arrays["input.clean"] = clean
    arrays["input.noise"] = noise
    arrays["input.sigma"] = Tensor(sigma, shape: [sigma.count])
    return arrays
  }

  /// The norm of the gradient, then the losses of three steps on the same inputs.
  func check() -> [Double] {
    let denoiser = Denoiser(network)
    let noisy = clean + noise * Tensor(sigma, shape: [sigma.count, 1, 1, 1])
    var weights = weights
    var optimiser = Adam(weights, settings: settings.adam)
    var norms: [Double] = []
    var losses: [Double] = []
    for _ in 0..<3 {
      let (loss, gradient) = valueWithGradient(at: weights) {
        settings.loss(denoiser, $0, clean: clean, noisy: noisy, sigma: sigma)
      }
      losses.append(Double(loss[0]))
      norms.append(Double(gradient.globalNorm))
      optimiser.step(&weights, gradients: gradient, rate: settings.learningRate)
    }
    return [norms[0]] + losses
  }

  func begun() -> () throws -> Double {
    var run = step.pretraining(network)
    return { try run.step()[0].value }
  }
}
