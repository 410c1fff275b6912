import Reports
import TensorCore

/// Training of a classifier on labelled pictures.
///
/// Sample *k* of a run, its picture and its shift, depends on the seed and on *k* alone, so a run that
/// is resumed continues to the same bits.
public struct ClassifierTraining: ResumableTraining, Sendable {
  /// What does not change during a run.
  public struct Settings: Sendable, Equatable {
    public var seed: UInt64 = 0
    public var batch: Int = 64
    /// Samples of the whole run; 0 for four times the data.
    public var total: Int = 0
    public var learningRate: Float = 3e-3
    /// Samples over which the learning rate rises to its value, a tenth of the run at most, and the share of the
    /// run, at its end, over which it decays to 0.
    public var rampUp: Int = 3_200
    public var decay: Double = 2.0 / 3
    public var adam = Adam.Settings()
    /// Pictures are moved by up to so many pixels along both axes; what enters is black. Within a few
    /// passes over the data it costs accuracy.
    public var shift: Int = 0

    var schedule: LearningRate {
      LearningRate(learningRate, rampUp: min(rampUp, total / 10), decay: decay, of: total)
    }
  }

  public let network: ClassifierNetwork
  public let settings: Settings
  public internal(set) var learner: Learner
  public internal(set) var seen = 0
  private let data: ImageDataset
  private let labels: [Int]
  private let test: ImageDataset?
  private var order: ShuffledOrder

  /// A run that has not begun.
  ///
  /// - Parameters:
  ///   - data: pictures of the network's shape with labels.
  ///   - test: pictures whose labels are predicted at every snapshot.
  /// - Throws: `UserError` for data that do not fit the network.
  public init(
    _ network: ClassifierNetwork, settings: Settings, on data: ImageDataset,
    test: ImageDataset? = nil
  ) throws {
    self.network = network
    var settings = settings
    if settings.total == 0 { settings.total = 4 * data.count }
    self.settings = settings
    learner = Learner(
      network.initialParameters(seed: settings.seed), settings: settings.adam)
    self.data = data
    labels = data.labels ?? []
    self.test = test
    order = ShuffledOrder(count: data.count, seed: settings.seed)
    for part in [data] + (test.map { [$0] } ?? []) {
      guard part.labels != nil else {
        throw UserError(
          "a classifier needs labels, the data have none", at: part.name,
          remedy: "give labelled data")
      }
      guard part.classCount <= network.configuration.classes else {
        throw UserError(
          "\(part.classCount) classes, the classifier knows \(network.configuration.classes)",
          at: part.name, remedy: "train another classifier")
      }
      try classifier.check(part.shape)
    }
  }

  /// The classifier so far.
  public var classifier: Classifier { Classifier(network, weights: learner.weights) }

  public var remedy: String { Divergence.lookAtData }

  public mutating func step() throws -> [TrainingFigure] {
    let positions = seen..<seen + settings.batch
    // Shuffles for all parts and for the next step.
    _ = order.samples(positions)
    let found = try batchLoss(at: learner.weights, over: positions) {
      [self] weights, part -> PartLoss<Void> in
      let numbers = order.numbers(at: part.positions)
      let logits = network(shifted(data.tensor(at: numbers), part.positions), weights).logits
      let wanted = numbers.map { labels[$0] }
      let right = zip(Classifier.labels(logits.detached()), wanted).count { $0 == $1 }
      return PartLoss(
        logits.crossEntropy(labels: wanted), figures: [Float(right) / Float(numbers.count)],
        extra: ())
    }
    let step = try learner.step(
      found, rate: settings.schedule.value(seen: seen), seen: seen,
      advice: remedy)
    seen += settings.batch
    return [
      TrainingFigure("loss", step.loss),
      TrainingFigure("accuracy", found.figures[0]),
      TrainingFigure("learning_rate", step.rate),
    ]
  }

  public mutating func exchange(with state: inout TrainingState) throws {
    let configuration = network.configuration
    try state.exchange(
      seed: settings.seed, network: Classifier.metadata(network), of: "classifier"
    ) { try Classifier.configuration(of: $0) == configuration }
    try state.exchange("seen", &seen)
    try state.exchange(&learner)
  }

  /// The classifier so far, as metrics and discriminators load it.
  public func writeSnapshot(in directory: TrainingDirectory) throws {
    try classifier.write(to: directory.file("snapshot", seen: seen, "safetensors"))
  }

  /// Accuracy on the test split, with Wilson's interval.
  public func measureSnapshot() throws -> [TrainingFigure] {
    guard let test else { return [] }
    let found = try ImageFeatures(of: test, by: classifier).labels ?? []
    let right = zip(found, test.labels ?? []).count { $0 == $1 }
    let interval = Wilson.interval(successes: right, trials: test.count)
    return [
      TrainingFigure("test_accuracy", interval.estimate),
      TrainingFigure("test_accuracy_low", interval.low),
      TrainingFigure("test_accuracy_high", interval.high),
    ]
  }

  /// Each picture moved as its sample's random stream says.
  private func shifted(_ pictures: Tensor, _ positions: Range<Int>) -> Tensor {
    guard settings.shift > 0 else { return pictures }
    let moves = positions.map { position in
      var stream = RandomPurpose.shift.stream(seed: settings.seed, position)
      let choices = 2 * settings.shift + 1
      return (
        row: stream.integer(below: choices) - settings.shift,
        column: stream.integer(below: choices) - settings.shift
      )
    }
    let (channels, height, width) = (pictures.shape[1], pictures.shape[2], pictures.shape[3])
    return Tensor(shape: pictures.shape) { out in
      pictures.withPointer { source in
        for plane in 0..<moves.count * channels {
          let move = moves[plane / channels]
          for row in 0..<height {
            for column in 0..<width {
              let (from, at) = (row - move.row, column - move.column)
              let isInside = (0..<height).contains(from) && (0..<width).contains(at)
              out[(plane * height + row) * width + column] =
                isInside ? source[(plane * height + from) * width + at] : -1
            }
          }
        }
      }
    }
  }
}

extension ClassifierTraining.Settings: ScheduledSettings {
  public static let all: [Setting<Self>] =
    scheduled + [
      .integer(
        "shift", \.shift, in: 0...64,
        "Most pixels that images are moved by at random; for long runs.", defaultText: "0")
    ]
}
