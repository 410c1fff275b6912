import Reports
import TensorCore
import Transformer

/// Accuracy against the number of demonstrations: is the rule defined by one demonstration or by many?
public struct ShotCurve {
  /// One episode at one number of demonstrations.
  public struct Row: Sendable, Equatable {
    public let task: String
    public let episode: Int
    public let shots: Int
    public let measurement: Measurement
  }

  /// Episodes that are run together.
  static let batch = 16

  let laboratory: Laboratory
  let task: RuleTask

  public init(laboratory: Laboratory, task: RuleTask) {
    self.laboratory = laboratory
    self.task = task
  }

  /// Pieces of `episodes` that are computed together, whatever is already known.
  public static func batches(episodes: Int) -> [Range<Int>] {
    stride(from: 0, to: episodes, by: batch).map { $0..<min(episodes, $0 + batch) }
  }

  /// Held-out episodes with `shots` demonstrations. Rule and query of an episode are the same for
  /// every number.
  public func rows(shots: Int, episodes: Range<Int>) throws -> [Row] {
    let sampler = laboratory.sampler(task)
    let prompts = try episodes.map { index in
      let episode = try sampler.episode(
        index: index, split: .heldOut, demonstrations: shots, seed: laboratory.seed)
      return try laboratory.prompt(episode, task)
    }
    let contrasts = try prompts.map { try $0.contrast() }
    let results = try laboratory.engine.forward(
      zip(prompts, contrasts).map { prompt, contrast in
        laboratory.request(prompt.tokens + contrast.prefix, contrast: contrast)
      })
    return try episodes.enumerated().map { number, index in
      Row(
        task: task.name, episode: index, shots: shots,
        measurement: try laboratory.measure(results[number], contrasts[number]))
    }
  }
}

extension ShotCurve.Row {
  /// The row as it stands in `accuracy.jsonl`.
  public var json: JSONValue {
    [
      "task": .string(task), "episode": .integer(episode), "shots": .integer(shots),
      "logit_difference": .number(Double(measurement.logitDifference)),
      "probability": .number(Double(measurement.probability)),
      "top": .bool(measurement.isTop), "right": .bool(measurement.isRight),
    ]
  }

  public init(_ reader: JSONReader) throws {
    let keys = try reader.object(required: [
      "task", "episode", "shots", "logit_difference", "probability", "top", "right",
    ])
    guard let task = try keys["task"]?.string(), let episode = try keys["episode"]?.integer(),
      let shots = try keys["shots"]?.integer(),
      let difference = try keys["logit_difference"]?.number(),
      let probability = try keys["probability"]?.number(), let top = try keys["top"]?.bool()
    else { throw UserError("a key is missing", at: reader.place) }
    self.init(
      task: task, episode: episode, shots: shots,
      measurement: Measurement(
        logitDifference: Float(difference), probability: Float(probability), isTop: top))
  }
}

/// A `ShotCurve`'s rows, put together.
public struct ShotSummary: Sendable {
  public struct Point: Sendable {
    public let shots: Int
    public let episodes: Int
    /// Right answer has the largest logit of all (Wilson).
    public let accuracy: Interval
    /// Right answer beats the wrong one (Wilson).
    public let candidateAccuracy: Interval
    /// Mean of logit(right) − logit(wrong) (bootstrap).
    public let logitDifference: Interval
    /// Mean probability of the right answer (bootstrap).
    public let probability: Interval
  }

  public let task: String
  public let points: [Point]

  public init(task: String, rows: [ShotCurve.Row], seed: UInt64) {
    self.task = task
    let grouped = Dictionary(grouping: rows.filter { $0.task == task }, by: \.shots)
    points = grouped.keys.sorted().map { shots in
      let rows = (grouped[shots] ?? []).sorted { $0.episode < $1.episode }
      let bootstrap = Bootstrap(samples: rows.count, seed: seed)
      return Point(
        shots: shots, episodes: rows.count,
        accuracy: Wilson.interval(
          successes: rows.filter(\.measurement.isTop).count, trials: rows.count),
        candidateAccuracy: Wilson.interval(
          successes: rows.filter(\.measurement.isRight).count, trials: rows.count),
        logitDifference: bootstrap.mean(rows.map { Double($0.measurement.logitDifference) }),
        probability: bootstrap.mean(rows.map { Double($0.measurement.probability) }))
    }
  }
}
