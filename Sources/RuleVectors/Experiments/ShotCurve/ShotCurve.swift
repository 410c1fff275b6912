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
            check: { laboratory in
              for index in episodes {
                let episode = try laboratory.episode(task, index, split, demonstrations: count)
                _ = try laboratory.prompt(episode, task).contrast()
              }
            },
            compute: { laboratory, _ in try rows(laboratory, task, count, split, episodes) })
        }
      })
  }

  private func rows(
    _ laboratory: Laboratory, _ task: RuleTask, _ count: Int, _ split: Split, _ episodes: Range<Int>
  ) throws -> [ShotCurveRow] {
    let prompts = try episodes.map { index in
      try laboratory.prompt(
        try laboratory.episode(task, index, split, demonstrations: count), task)
    }
    let contrasts = try prompts.map { try $0.contrast() }
    let results = try laboratory.engine.forward(
      zip(prompts, contrasts).map { prompt, contrast in
        laboratory.request(prompt.tokens + contrast.prefix, contrast: contrast)
      })
    return try episodes.enumerated().map { number, index in
      ShotCurveRow(
        episode: index, shots: count, candidates: contrasts[number].others.count + 2,
        measurement: try laboratory.measure(results[number], contrasts[number]))
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
