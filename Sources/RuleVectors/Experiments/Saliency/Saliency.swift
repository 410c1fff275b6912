import TensorCore
import Transformer

/// How much the answer's loss depends on each attention edge, |Σ over heads A · ∂L/∂A| (Wang et al. 2023), by
/// the roles of the edge's ends and by layer; and what gradients say that cutting such edges costs, beside
/// what it does cost.
struct Saliency: Experiment {
  typealias Row = SaliencyRow
  static let kind = "saliency"
  static let version = 1

  let classes: [EdgeClass]
  /// Layers of a window in which edges are cut, and from one window's beginning to the next.
  let window: Int
  let step: Int

  init(_ keys: ProbeKeys) throws {
    classes = try keys.words("edges", or: [.inputToOwnAnswer, .answerToLaterAnswers, .answerToLast])
    window = try keys.integer("window", 1...1000, or: 5)
    step = try keys.integer("step", 1...1000, or: window)
  }

  func plan(_ probe: String, _ setting: Setting) throws -> Plan {
    guard let task = setting.subject.task else {
      return .skipped("pairs of prompts have no roles")
    }
    guard setting.demonstrations > 1 else {
      return .skipped("one demonstration has no later answers")
    }
    let windows = Knockout.windows(of: window, step: step, layers: setting.architecture.layers)
    let variants = windows.reduce(0) { $0 + setting.above($1.lowerBound) + setting.tokens }
    return .units(
      (0..<setting.episodes).map { index in
        let split = setting.split
        return Unit(
          Self.self, UnitKey(probe: probe, task: task.name, split: split, episode: index),
          cost: 6 * setting.wholeRun + classes.count * variants,
          check: { laboratory in
            let episode = try laboratory.episode(task, index, split)
            _ = try laboratory.prompt(episode, task).contrast()
          },
          compute: { laboratory, _ in
            try rows(laboratory, task, try laboratory.episode(task, index, split), windows)
          })
      })
  }

  private func rows(
    _ laboratory: Laboratory, _ task: RuleTask, _ episode: Episode, _ windows: [ClosedRange<Int>]
  ) throws -> [SaliencyRow] {
    let clean = try laboratory.record([episode], task, question: episode)[0]
    let layers = 0..<laboratory.engine.model.architecture.layers
    let flows = try laboratory.flows(of: clean, layers: layers)
    let length = clean.tokens.count
    let named = classes.map { $0.edges(in: clean.prompt, last: clean.lastPosition) }
    let all = named.reduce(into: Set<Edge>()) { $0.formUnion($1) }
    let rest = Set(
      (0..<length).flatMap { query in (0..<query).map { Edge(query: query, key: $0) } }
    ).subtracting(all)

    var rows: [SaliencyRow] = []
    for (edges, set) in zip(classes.map(Optional.some) + [nil], named + [rest]) where !set.isEmpty {
      for layer in layers {
        rows.append(
          SaliencyRow(
            edges: edges, layers: layer...layer, saliency: flows[layer].saliency(of: set),
            estimate: edges == nil ? nil : flows[layer].estimatedLoss(byCutting: set), loss: nil,
            clean: Double(clean.measurement.logitDifference)))
      }
    }
    var requests: [ForwardRequest] = []
    let first = rows.count
    for (edges, set) in zip(classes, named) where !set.isEmpty {
      for layers in windows {
        rows.append(
          SaliencyRow(
            edges: edges, layers: layers,
            saliency: layers.reduce(0) { $0 + flows[$1].saliency(of: set) } / Double(layers.count),
            estimate: layers.reduce(0) { $0 + flows[$1].estimatedLoss(byCutting: set) }, loss: 0,
            clean: Double(clean.measurement.logitDifference)))
        requests.append(
          laboratory.request(
            clean.tokens, base: clean.run, interventions: set.knockouts(layers: layers),
            contrast: clean.contrast))
      }
    }
    for (number, result) in try laboratory.run(requests).enumerated() {
      let cut = try laboratory.measure(result, clean.contrast)
      rows[first + number].loss =
        Double(clean.measurement.logitDifference) - Double(cut.logitDifference)
    }
    return rows
  }
}

/// The attention of one layer in a run, with derivatives by each of its weights, all others held.
struct AttentionFlow {
  let heads: Int
  let length: Int
  /// `[length, heads, length]`: query, head, key.
  let pattern: Tensor
  /// Of the answer's log probability, `[heads, length, length]`: head, query, key.
  let probabilityGradient: Tensor
  /// Of the logit difference, as above.
  let differenceGradient: Tensor

  private func weight(_ edge: Edge, _ head: Int) -> Double {
    Double(pattern[(edge.query * heads + head) * length + edge.key])
  }

  private func gradient(_ tensor: Tensor, _ edge: Edge, _ head: Int) -> Double {
    Double(tensor[(head * length + edge.query) * length + edge.key])
  }

  /// Mean over `edges` of |Σ over heads A · ∂L/∂A| (Wang et al. 2023, equation 1), in nats.
  func saliency(of edges: Set<Edge>) -> Double {
    let total = edges.sorted().reduce(0.0) { sum, edge in
      sum
        + abs(
          (0..<heads).reduce(0) {
            $0 + weight(edge, $1) * gradient(probabilityGradient, edge, $1)
          })
    }
    return total / Double(max(edges.count, 1))
  }

  /// How far the logit difference falls, to first order in the weights, when `edges` are cut before the softmax,
  /// which spreads their weight over the query's other keys.
  func estimatedLoss(byCutting edges: Set<Edge>) -> Double {
    var loss = 0.0
    for (query, own) in Dictionary(grouping: edges, by: \.query).sorted(by: { $0.key < $1.key }) {
      let cut = Set(own.map(\.key))
      for head in 0..<heads {
        let taken = own.reduce(0) { $0 + weight($1, head) }
        // A query that reads nothing else attends to nothing.
        let factor = taken < 1 - 1e-6 ? taken / (1 - taken) : 0
        for key in 0...query {
          let edge = Edge(query: query, key: key)
          let change = weight(edge, head) * (cut.contains(key) ? -1 : factor)
          loss -= change * gradient(differenceGradient, edge, head)
        }
      }
    }
    return loss
  }
}

extension Laboratory {
  /// The attention of `layers` in a run of a prompt.
  func flows(of recorded: RecordedPrompt, layers: Range<Int>) throws -> [AttentionFlow] {
    let hooks = layers.map { HookPoint(.pattern, layer: $0) }
    let objectives: [GradientRequest.Objective] = [
      .logProbability(recorded.contrast.right),
      .logitDifference(right: recorded.contrast.right, wrong: recorded.contrast.wrong),
    ]
    let gradients = try engine.gradients(
      objectives.map {
        GradientRequest(
          tokens: recorded.tokens, objective: $0, base: recorded.run, hooks: hooks)
      })
    let patterns = try engine.forward(
      ForwardRequest(
        tokens: recorded.tokens, recordings: hooks.map { Recording($0) }, logits: .none)
    ).recorded
    return layers.indices.map { index in
      AttentionFlow(
        heads: engine.model.architecture.heads, length: recorded.tokens.count,
        pattern: patterns[index], probabilityGradient: gradients[0].gradients[index],
        differenceGradient: gradients[1].gradients[index])
    }
  }
}

extension Set<Edge> {
  /// In a fixed order: sums of floats depend on it.
  fileprivate func sorted() -> [Edge] { sorted { ($0.query, $0.key) < ($1.query, $1.key) } }
}
