import TensorCore
import Transformer

/// Whether the vectors at answer positions of an episode become alike, and like the global vector, in
/// later layers: cosines by layer, within a rule and between rules, on knowledge tasks beside the
/// run's own.
struct Convergence: Experiment {
  typealias Row = ConvergenceRow
  static let kind = "convergence"
  static let version = 1

  /// Which vectors are compared.
  enum Pairs: String, Sendable, CaseIterable {
    /// Local vectors of one episode whose slots hold different answers: a copied answer makes them
    /// unlike.
    case otherAnswers = "local-other-answers"
    /// Local vectors of one episode with the same label: a copied label makes them alike.
    case sameAnswers = "local-same-answers"
    /// A local vector and the global one.
    case global = "local-global"
  }

  /// Donor episodes that a global vector is the mean of; even.
  let donors: Int
  let layers: LayerList
  /// Knowledge tasks, and their demonstrations.
  let controls: ControlTasks
  /// Development episodes that choose the layer.
  let development: Int
  /// Coordinates that cosines are also taken without.
  let leftOut: Int

  init(_ keys: ProbeKeys) throws {
    donors = try keys.integer("donors", 2...1000, or: 4)
    guard donors.isMultiple(of: 2) else {
      throw UserError(
        "found \(donors), allowed is an even number: half of the donors ask for the other class",
        at: "\(keys.place), donors", remedy: "use \(donors + 1)")
    }
    layers = try keys.layers()
    controls = try ControlTasks(keys)
    development = try keys.integer("development", 1...1000, or: 8)
    leftOut = try keys.integer("coordinates_left_out", 0...10_000, or: 8)
  }

  /// A task with the one whose rule its own is held against.
  private struct Subject: Sendable {
    let task: RuleTask
    /// Another knowledge task; nil for a categorization, which has the flipped rule, and where there
    /// is none.
    let other: RuleTask?
    let demonstrations: Int
  }

  func plan(_ probe: String, _ setting: Setting) throws -> Plan {
    guard let task = setting.subject.task else {
      return .skipped("pairs of prompts have no episodes to average over; use a grid")
    }
    guard setting.demonstrations > 1 else {
      return .skipped("one demonstration has no other to converge with")
    }
    let width = setting.architecture.width
    guard leftOut < width else {
      throw UserError(
        "found \(leftOut) coordinates to leave out, allowed are fewer than the model's \(width)",
        at: "probe \(probe), coordinates_left_out", remedy: "leave out fewer")
    }
    let layers = try layers.resolved(setting.architecture.layers, probe: probe)
    let tasks = try controls.with(task, setting)
    let known = tasks.map(\.task).filter { !$0.hasOtherRules }
    // Of two knowledge tasks each would be held against the other, which is one comparison, not two.
    let subjects = known.count == 2 ? tasks.filter { $0.task.name != known[1].name } : tasks
    return .units(
      subjects.flatMap { task, demonstrations -> [Unit] in
        let others = known.filter { $0.name != task.name }
        // The one that comes next, so that each is held against another where there are three.
        let place = known.firstIndex { $0.name == task.name }
        let subject = Subject(
          task: task,
          other: others.isEmpty ? nil : place.map { others[$0 % others.count] },
          demonstrations: demonstrations)
        let tokens = setting.tokens * subject.demonstrations / setting.demonstrations
        let rules = task.hasOtherRules || subject.other != nil ? 2 : 1
        let cost = rules * (donors + 1) * tokens * setting.architecture.layers
        return [(Split.development, development), (setting.split, setting.episodes)].flatMap {
          split, count in
          (0..<count).map { index in
            Unit(
              Self.self, UnitKey(probe: probe, task: task.name, split: split, episode: index),
              cost: cost,
              check: { laboratory in
                for drawn in try draw(laboratory, subject, index, split) {
                  for episode in [drawn.episode] + drawn.donors {
                    _ = try laboratory.prompt(episode, drawn.task)
                  }
                }
              },
              compute: { laboratory, _ in
                try rows(laboratory, draw(laboratory, subject, index, split), layers)
              })
          }
        }
      })
  }

  /// An episode of one rule and the donors of its global vector.
  private struct Drawn {
    let task: RuleTask
    let episode: Episode
    let donors: [Episode]
  }

  /// By rule, the own one first.
  private func draw(_ laboratory: Laboratory, _ subject: Subject, _ index: Int, _ split: Split)
    throws -> [Drawn]
  {
    func draw(_ task: RuleTask) throws -> Drawn {
      let episode = try laboratory.episode(
        task, index, split, demonstrations: subject.demonstrations)
      return Drawn(
        task: task, episode: episode,
        donors: try laboratory.sampler(task).vectorDonors(of: episode, donors))
    }
    let own = try draw(subject.task)
    if subject.task.hasOtherRules {
      return [
        own,
        Drawn(
          task: own.task, episode: try own.episode.flippedRule(),
          donors: try own.donors.map { try $0.flippedRule() }),
      ]
    }
    return [own] + (try subject.other.map { [try draw($0)] } ?? [])
  }

  private func rows(_ laboratory: Laboratory, _ drawn: [Drawn], _ layers: [Int]) throws
    -> [ConvergenceRow]
  {
    var locals: [ForwardResult] = []
    var globals: [[Tensor]] = []
    for drawn in drawn {
      let prompt = try laboratory.prompt(drawn.episode, drawn.task)
      locals += try laboratory.engine.forward([
        ForwardRequest(
          tokens: prompt.tokens,
          recordings: layers.map {
            Recording(HookPoint(.residualPost, layer: $0), positions: prompt.answerPositions)
          }, logits: .none)
      ])
      globals += try laboratory.meansAtLast(
        [drawn.donors], drawn.task, layers.map { HookPoint(.residualPost, layer: $0) })
    }
    let pairs = Self.pairs(of: drawn.first?.episode.demonstrations.map(\.answer) ?? [])
    let other = drawn.count > 1 ? drawn[1] : nil
    return layers.indices.flatMap { layer in
      Self.rows(
        layers[layer], pairs,
        otherRule: other.map { $0.task.name == drawn[0].task.name ? "flipped" : $0.task.name },
        local: locals.map { $0.recorded[layer].rowValues },
        global: globals.map { $0[layer].rowValues }, leftOut: leftOut)
    }
  }

  /// Which slots, and which of them with the only global vector, are compared.
  static func pairs(of answers: [String]) -> [(Pairs, [(Int, Int)])] {
    let all = answers.indices.flatMap { i in answers.indices.dropFirst(i + 1).map { (i, $0) } }
    return [
      (.otherAnswers, all.filter { answers[$0.0] != answers[$0.1] }),
      (.sameAnswers, all.filter { answers[$0.0] == answers[$0.1] }),
      (.global, answers.indices.map { ($0, 0) }),
    ].filter { !$0.1.isEmpty }
  }

  /// - Parameters:
  ///   - otherRule: "flipped" or the name of another task.
  ///   - local: by rule and slot.
  ///   - global: by rule, one vector each.
  static func rows(
    _ layer: Int, _ pairs: [(Pairs, [(Int, Int)])], otherRule: String?, local: [[[Double]]],
    global: [[[Double]]], leftOut: Int
  ) -> [ConvergenceRow] {
    let largest = VectorCosines.largestCoordinates(
      leftOut, of: (local + global).flatMap { $0 })
    let (localRest, globalRest) = (
      VectorCosines.leavingOut(largest, of: local), VectorCosines.leavingOut(largest, of: global)
    )
    func squared(_ vectors: [[[Double]]]) -> Double {
      vectors.reduce(0) { $0 + $1.reduce(0) { $0 + $1.reduce(0) { $0 + $1 * $1 } } }
    }
    let whole = squared(local)
    return pairs.map { kind, pairs in
      ConvergenceRow(
        pairs: kind, otherRule: otherRule, layer: layer,
        whole: VectorCosines(pairs, left: local, right: kind == .global ? global : local),
        rest: VectorCosines(
          pairs, left: localRest, right: kind == .global ? globalRest : localRest),
        largestShare: whole > 0 ? 1 - squared(localRest) / whole : 0)
    }
  }
}

extension Tensor {
  /// The rows of a matrix in double precision.
  var rowValues: [[Double]] {
    let width = shape.last ?? 0
    let values = values
    return stride(from: 0, to: values.count, by: max(width, 1)).map { start in
      values[start..<start + width].map(Double.init)
    }
  }
}
