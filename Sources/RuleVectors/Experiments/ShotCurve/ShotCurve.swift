import TensorCore
import Transformer

/// Accuracy against the number of demonstrations: is the rule defined by one demonstration or by many?
/// At the run's own number it is the gate: a task that the model does not do is not interpreted.
struct ShotCurve: Experiment {
  typealias Row = ShotCurveRow
  static let kind = "shot-curve"
  static let version = 1

  /// Episodes that are run together.
  static let batch = 16

  /// Numbers of demonstrations; empty for the run's own.
  let shots: [Int]

  init(_ keys: ProbeKeys) throws {
    shots = try keys.reader("shots")?.list().map { try $0.integer(in: 0...1000) } ?? []
    guard Set(shots).count == shots.count else {
      throw UserError(
        "a number of demonstrations is named twice", at: "\(keys.place), shots",
        remedy: "name each once", status: .usage)
    }
  }

  func plan(_ probe: String, _ setting: Setting) throws -> Plan {
    guard let task = setting.subject.task else {
      return .skipped("pairs of prompts have no demonstrations to count")
    }
    let split = setting.split
    let shots = shots.isEmpty ? [setting.demonstrations] : shots
    let starts = stride(from: 0, to: setting.episodes, by: Self.batch)
    return .units(
      shots.flatMap { count in
        starts.map { start in
          let episodes = start..<min(setting.episodes, start + Self.batch)
          let tokens = setting.tokens * (count + 1) / (setting.demonstrations + 1)
          return Unit(
            Self.self,
            UnitKey(
              probe: probe, task: task.name, split: split, episode: start,
              part: "\(count)-shots"),
            cost: episodes.count * max(tokens, 1) * setting.architecture.layers,
            check: { _ = try $0.questions(task, episodes, split, demonstrations: count) },
            compute: { laboratory, _ in
              try laboratory.answers(
                laboratory.questions(task, episodes, split, demonstrations: count))
            })
        }
      })
  }
}

/// An unpatched prompt and the answers that it is asked for.
struct Question {
  let prompt: Prompt
  let contrast: Contrast
}

extension Laboratory {
  /// The prompts of some episodes, drawn and not run.
  ///
  /// - Throws: `UserError` where the task has too few items, or answers that cannot be told apart.
  func questions(_ task: RuleTask, _ episodes: Range<Int>, _ split: Split, demonstrations: Int)
    throws -> [Question]
  {
    try episodes.map { index in
      let prompt = try prompt(
        try episode(task, index, split, demonstrations: demonstrations), task)
      return Question(prompt: prompt, contrast: try prompt.contrast())
    }
  }

  /// What the model answers, all at once.
  func answers(_ questions: [Question]) throws -> [ShotCurveRow] {
    let results = try engine.forward(
      questions.map { question in
        request(question.prompt.tokens + question.contrast.prefix, contrast: question.contrast)
      })
    return try zip(questions, results).map { question, result in
      ShotCurveRow(
        episode: question.prompt.episode.index,
        shots: question.prompt.episode.demonstrations.count,
        candidates: question.contrast.others.count + 2,
        measurement: try measure(result, question.contrast))
    }
  }
}

/// One episode at one number of demonstrations.
public struct ShotCurveRow: ResultRow, Equatable {
  let episode: Int
  let shots: Int
  /// Answers among which the right one is to be first.
  let candidates: Int
  let measurement: Measurement

  init(episode: Int, shots: Int, candidates: Int = 2, measurement: Measurement) {
    self.episode = episode
    self.shots = shots
    self.candidates = candidates
    self.measurement = measurement
  }

  public var ownEpisode: Int? { episode }

  public init(_ columns: Columns) throws {
    self.init(
      episode: try columns.integer("episode"), shots: try columns.integer("shots"),
      candidates: try columns.integerIfThere("candidates") ?? 2,
      measurement: try Measurement(columns))
  }

  public var columns: [(key: String, value: JSONValue)] {
    [
      ("episode", .integer(episode)), ("shots", .integer(shots)),
      ("candidates", .integer(candidates)),
    ] + measurement.columns
  }
}
