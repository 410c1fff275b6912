import TensorCore
import Transformer

/// Attention edges cut by role, in sliding windows of layers of the clean run, beside as many others of the same
/// queries, drawn anew for every episode: the path that the rule takes (Geva et al. 2023; Wang et al. 2023).
struct Knockout: Experiment {
  typealias Row = KnockoutRow
  static let kind = "knockout"
  static let version = 2

  let classes: [EdgeClass]
  /// Layers of a window, and from the beginning of one window to that of the next.
  let window: Int
  let step: Int
  /// Development episodes that choose each class' window.
  let development: Int

  init(_ keys: ProbeKeys) throws {
    classes = try keys.words("edges", or: EdgeClass.allCases)
    window = try keys.integer("window", 1...1000, or: 5)
    step = try keys.integer("step", 1...1000, or: window)
    development = try keys.integer("development", 1...1000, or: 8)
  }

  /// Windows of a model with `layers` layers; the last one ends with the last layer.
  func windows(_ layers: Int) -> [ClosedRange<Int>] {
    Self.windows(of: window, step: step, layers: layers)
  }

  static func windows(of window: Int, step: Int, layers: Int) -> [ClosedRange<Int>] {
    let width = min(window, layers)
    let starts = Array(stride(from: 0, through: layers - width, by: step))
    return (starts.last == layers - width ? starts : starts + [layers - width])
      .map { $0...($0 + width - 1) }
  }

  func plan(_ probe: String, _ setting: Setting) throws -> Plan {
    guard let task = setting.subject.task else {
      return .skipped("pairs of prompts have no roles")
    }
    guard setting.demonstrations > 1 else {
      return .skipped("one demonstration has no later answers")
    }
    let windows = windows(setting.architecture.layers)
    let variants = windows.reduce(0) { $0 + setting.above($1.lowerBound) + setting.tokens }
    let cost = setting.wholeRun + 2 * classes.count * variants
    return .units(
      [(Split.development, development), (setting.split, setting.episodes)].flatMap {
        split, count in
        (0..<count).map { index in
          let key = UnitKey(probe: probe, task: task.name, split: split, episode: index)
          return Unit(
            Self.self, key, cost: cost,
            check: { laboratory in
              let episode = try laboratory.episode(task, index, split)
              _ = try laboratory.prompt(episode, task).contrast()
            },
            compute: { laboratory, _ in
              try rows(laboratory, task, index, split, key, windows)
            })
        }
      })
  }

  private func rows(
    _ laboratory: Laboratory, _ task: RuleTask, _ index: Int, _ split: Split, _ key: UnitKey,
    _ windows: [ClosedRange<Int>]
  ) throws -> [KnockoutRow] {
    let episode = try laboratory.episode(task, index, split)
    let clean = try laboratory.record([episode], task, question: episode)[0]
    let named = classes.map { $0.edges(in: clean.prompt, last: clean.lastPosition) }
    // Without the question's own tokens nothing can be answered, so that they are in no control.
    let question = clean.prompt.positions(of: .queryInput).map {
      Edge(query: clean.lastPosition, key: $0)
    }
    let excluded = named.reduce(into: Set(question)) { $0.formUnion($1) }
    var random = key.stream(seed: laboratory.seed, purpose: 0xED6E)
    var rows: [KnockoutRow] = []
    var requests: [ForwardRequest] = []
    for (edges, own) in zip(classes, named) where !own.isEmpty {
      let control = own.control(excluding: excluded, random: &random)
      for (isControl, set) in [(false, own), (true, control)] {
        for layers in windows {
          rows.append(
            KnockoutRow(
              edges: edges, isControl: isControl, layers: layers, count: set.count,
              clean: clean.measurement, cut: clean.measurement))
          requests.append(
            laboratory.request(
              clean.tokens, base: clean.run, interventions: set.knockouts(layers: layers),
              contrast: clean.contrast, reference: clean.logProbabilities))
        }
      }
    }
    let results = try laboratory.run(requests)
    for (number, result) in results.enumerated() {
      rows[number].cut = try laboratory.measure(result, clean.contrast)
    }
    return rows
  }
}
