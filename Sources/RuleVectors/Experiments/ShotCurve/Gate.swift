import Reports
import TensorCore

/// Whether the model does the task at all: without that, nothing that a patch does is interpreted.
public struct Gate: Sendable {
  public let task: String
  public let model: String
  public let demonstrations: Int
  public let episodes: Int
  /// Answers of an episode; guessing finds one in as many.
  public let candidates: Int
  /// Share of held-out episodes in which the right answer beats all other candidates.
  public let candidateAccuracy: Interval
  /// Share in which it is first over the whole vocabulary.
  public let accuracy: Interval

  /// Episodes in which the right answer beats the others.
  private let successes: Int

  /// Better than guessing among the candidates: guesses would do as well with a chance of at most 2.5 %
  /// (exact binomial test).
  public var passed: Bool {
    Self.passes(successes: successes, trials: episodes, candidates: candidates)
  }

  /// Whether guessing among `candidates` would do as well with a chance of at most 2.5 %.
  static func passes(successes: Int, trials: Int, candidates: Int) -> Bool {
    BinomialTest.upperTail(
      successes: successes, trials: trials, chance: 1 / Double(candidates)) <= 0.025
  }

  /// The kind of experiment whose rows it is of.
  public static var experiment: String { ShotCurve.kind }

  /// The gate of the rows of one task at `demonstrations`; nil where there are none.
  public init?(_ rows: [StoredRow], task: String, demonstrations: Int) throws {
    let own = try rows.filter { $0.experiment == ShotCurve.kind && $0.key.task == task }
      .map { try ShotCurveRow($0.columns) }.filter { $0.shots == demonstrations }
    // Several probes may have run the same episodes.
    let unique = Dictionary(own.map { ($0.episode, $0) }, uniquingKeysWith: { first, _ in first })
    guard let model = rows.first?.model, !unique.isEmpty else { return nil }
    self.task = task
    self.model = model
    self.demonstrations = demonstrations
    episodes = unique.count
    let measured = unique.values.map(\.measurement)
    candidates = unique.values.map(\.candidates).max() ?? 2
    successes = measured.count(where: \.isRight)
    candidateAccuracy = Wilson.interval(successes: successes, trials: measured.count)
    accuracy = Wilson.interval(successes: measured.count(where: \.isTop), trials: measured.count)
  }

  /// What the model does not do better than, where it does not pass.
  public var chanceWords: String { Self.chanceWords(candidates) }

  static func chanceWords(_ candidates: Int) -> String {
    candidates == 2 ? "a coin toss" : "a guess among \(candidates)"
  }

  public var json: JSONValue {
    func interval(_ value: Interval) -> JSONValue {
      [
        "estimate": .number(value.estimate), "low": .number(value.low),
        "high": .number(value.high),
      ]
    }
    return [
      "task": .string(task), "model": .string(model), "shots": .integer(demonstrations),
      "episodes": .integer(episodes), "candidates": .integer(candidates),
      "accuracy": interval(accuracy),
      "candidate_accuracy": interval(candidateAccuracy), "passed": .bool(passed),
    ]
  }

  /// For the first page.
  var sentence: String {
    let counts =
      "With \(demonstrations) demonstrations the right answer beats "
      + (candidates == 2 ? "the other one" : "the \(candidates - 1) others") + " in "
      + "\(candidateAccuracy.text) of \(episodes) episodes and is first of all tokens in "
      + "\(accuracy.text)."
    return passed
      ? counts
      : counts + " That is not better than \(chanceWords), so nothing below is interpreted."
  }
}
