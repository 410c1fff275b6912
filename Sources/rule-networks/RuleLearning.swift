import RuleVectors
import TensorCore
import Transformer

/// Training of a network on fresh episodes of a categorization: no episode is seen twice.
///
/// Every label of a prompt is predicted from what stands before it, so a prompt of n demonstrations
/// teaches following the rule after 0 to n − 1. Classes of demonstrations are drawn one by one: where
/// they come in equal numbers, the last one could be told by counting. Words come from all of the task's;
/// a class can be known only by its words, so no word is held out. Episodes are.
struct RuleLearning {
  /// What does not change during a run.
  struct Settings: Sendable {
    var seed: UInt64 = 1
    /// Prompts of a step.
    var batch = 32
    var steps = 20_000
    var rate: Float = 1e-3
    var adam = Adam.Settings()
    /// Largest global norm of a gradient.
    var clip: Float = 1

    init() {}
  }

  let network: LearnedNetwork
  let settings: Settings
  private(set) var weights: Parameters
  private var optimiser: Adam
  /// Steps taken.
  private(set) var steps = 0
  private let words: [[Int]]
  private let labels: [Int]
  private let arrow: Int
  private let lineBreak: Int
  private let rate: LearningRate

  /// - Parameter tokenizer: of the network's vocabulary, in which words and labels are single tokens.
  init(
    _ network: LearnedNetwork, on task: RuleTask, tokenizer: any Tokenizer,
    settings: Settings = Settings()
  ) throws {
    guard case .categorization(let classes, let names) = task.items else {
      throw UserError("a mapping has no classes", at: task.place)
    }
    func token(_ text: String) throws -> Int {
      let ids = try tokenizer.encode(text)
      guard ids.count == 1 else {
        throw UserError("\"\(text)\" is \(ids.count) tokens", at: task.place)
      }
      return ids[0]
    }
    self.network = network
    self.settings = settings
    weights = network.initialWeights(seed: settings.seed)
    optimiser = Adam(weights, settings: settings.adam)
    words = try classes.map { try $0.words.map(token) }
    labels = try names.map { try token(" " + $0) }
    arrow = try token(" ->")
    lineBreak = try token("\n")
    rate = LearningRate(
      settings.rate, rampUp: 100, decay: (settings.steps, settings.steps / 2))
  }

  /// What a step tells.
  struct Figures: Sendable {
    /// Mean loss over labels, in nats.
    let loss: Float
    /// Share of labels in a prompt's second half, shown before, that are first of all tokens.
    let accuracy: Double
  }

  /// How many words of a class a prompt may draw from, nil for all, each once; and its demonstrations.
  ///
  /// At first words return within a short prompt, so that following the rule begins as finding the same
  /// word again; then fewer do, and words must be known by their class. A stage ends as it is learned.
  private static let stages: [(pool: Int?, demonstrations: Int)] = [
    (1, 5), (2, 9), (3, 17), (6, 17), (12, 17), (nil, 17),
  ]
  private(set) var stage = 0
  private var recent = 0.5
  private var poolSize: Int? { Self.stages[stage].pool }
  private var demonstrations: Int { Self.stages[stage].demonstrations }

  /// Prompt `index` of the run: its tokens up to the last arrow, and the label behind each arrow.
  private func prompt(_ index: Int) -> (tokens: [Int], labels: [Int]) {
    var random = RandomStream(seed: settings.seed, path: [0x1EA3, UInt64(index)])
    let categories = random.sample(2, of: Array(words.indices))
    let names = random.sample(2, of: labels)
    var pools = categories.map { words[$0] }
    for side in pools.indices {
      random.shuffle(&pools[side])
      if let size = poolSize { pools[side] = Array(pools[side].prefix(size)) }
    }
    var tokens: [Int] = []
    var answers: [Int] = []
    for _ in 0..<demonstrations {
      let side = random.integer(below: 2)
      if let last = answers.last { tokens += [last, lineBreak] }
      // A small pool is drawn from again and again.
      let word =
        poolSize == nil
        ? pools[side].removeLast() : pools[side][random.integer(below: pools[side].count)]
      tokens += [word, arrow]
      answers.append(names[side])
    }
    return (tokens, answers)
  }

  mutating func step() throws -> Figures {
    let demonstrations = demonstrations
    let prompts = (0..<settings.batch).map { prompt(steps * settings.batch + $0) }
    let rows = SequenceRows(prompts.map(\.tokens), network.architecture)
    let length = prompts[0].tokens.count
    let asked = prompts.indices.flatMap { prompt in
      (0..<demonstrations).map { prompt * length + 4 * $0 + 1 }
    }
    let wanted = prompts.flatMap(\.labels)
    let (loss, logits, gradients) = valueWithGradient(at: weights) { weights in
      let transformer = network.transformer(weights)
      var stream = transformer.embedding(rows)
      var watch = BlockWatch()
      for layer in 0..<network.architecture.layers {
        let isLast = layer == network.architecture.layers - 1
        stream = transformer.block(
          layer, stream, rows, only: isLast ? asked : nil, watch: &watch)
      }
      let logits = transformer.logits(transformer.finalNormalised(stream))
      return (logits.crossEntropy(labels: wanted), logits.detached())
    }
    try gradients.checkFinite("the gradient")
    optimiser.step(
      &weights, gradients: gradients.clipped(toNorm: settings.clip).gradients,
      rate: rate.value(seen: steps))
    steps += 1
    let late = wanted.indices.filter { index in
      let number = index % demonstrations
      return number >= demonstrations / 2
        && wanted[index - number..<index].contains(wanted[index])
    }
    let right = late.count { index in
      let row = logits.row(index)
      return row.max() == row[wanted[index]]
    }
    let accuracy = Double(right) / Double(max(late.count, 1))
    recent += (accuracy - recent) * 0.02
    if recent > 0.9, stage + 1 < Self.stages.count {
      stage += 1
      recent = 0.5
    }
    return Figures(loss: loss[0], accuracy: accuracy)
  }
}
