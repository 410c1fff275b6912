import Reports
import TensorCore

/// Recovery and accuracy by layer, for one way of patching.
struct LayerCurve: Sendable {
  struct Point: Sendable {
    let layer: Int
    /// (mean patched − mean recipient) / (mean donor − mean recipient) of logit differences: over
    /// means, because single episodes can have denominators near zero (Fieller 1954).
    let recovery: Interval
    /// Share of episodes in which the right answer has the largest logit of all (Wilson).
    let accuracy: Interval
    /// Share of episodes in which the right answer beats the other candidates (Wilson).
    let candidateAccuracy: Interval
    /// Mean probability of the right answer.
    let probability: Interval
    /// Mean KL(donor ‖ patched), in nats.
    let divergence: Interval?
    /// Episode by episode.
    let outcomes: [Outcome]

    init(layer: Int, outcomes: [Outcome]) {
      self.layer = layer
      self.outcomes = outcomes
      recovery = outcomes.recovery
      let patched = outcomes.map(\.patched)
      accuracy = Wilson.interval(successes: patched.count(where: \.isTop), trials: patched.count)
      candidateAccuracy = Wilson.interval(
        successes: patched.count(where: \.isRight), trials: patched.count)
      probability = MeanInterval.student(patched.map { Double($0.probability) })
      let divergences = patched.compactMap { $0.divergence.map(Double.init) }
      divergence =
        divergences.count == patched.count ? MeanInterval.student(divergences) : nil
    }

    var json: JSONValue {
      [
        "layer": .integer(layer), "recovery": recovery.json, "accuracy": accuracy.json,
        "candidate_accuracy": candidateAccuracy.json, "probability": probability.json,
        "divergence": divergence.map(\.json) ?? .null,
      ]
    }
  }

  /// Ascending; as many outcomes has each point.
  let episodes: [Int]
  let points: [Point]

  /// Episodes that lack a layer are left out.
  init(_ cells: [(episode: Int, layer: Int, outcome: Outcome)]) {
    var byLayer: [Int: [Int: Outcome]] = [:]
    for cell in cells { byLayer[cell.layer, default: [:]][cell.episode] = cell.outcome }
    let complete = byLayer.values.reduce(into: nil as Set<Int>?) { common, rows in
      common = common.map { $0.intersection(rows.keys) } ?? Set(rows.keys)
    }
    let episodes = (complete ?? []).sorted()
    self.episodes = episodes
    points = byLayer.keys.sorted().map { layer in
      Point(layer: layer, outcomes: episodes.compactMap { byLayer[layer]?[$0] })
    }
  }

  /// The curve of a rule's own vectors, each with its counterpart, the vector of the flipped rule, where
  /// there is one.
  init(rules cells: [(episode: Int, layer: Int, isFlipped: Bool, outcome: Outcome)]) {
    var flipped: [[Int]: Outcome] = [:]
    for cell in cells where cell.isFlipped { flipped[[cell.episode, cell.layer]] = cell.outcome }
    self.init(
      cells.filter { !$0.isFlipped }.map { cell in
        var outcome = cell.outcome
        outcome.flipped = flipped[[cell.episode, cell.layer]].map {
          Outcome.Counterpart(patched: $0.patched.logitDifference, donor: $0.donor)
        }
        return (cell.episode, cell.layer, outcome)
      })
  }

  func point(_ layer: Int?) -> Point? { points.first { $0.layer == layer } }

  /// A line of a chart.
  func series(_ name: String, _ value: (Point) -> Interval) -> LineChart.Series {
    LineChart.Series(
      name: name,
      points: points.map { point in
        let interval = value(point)
        return LineChart.Point(
          x: Double(point.layer), y: interval.estimate, low: interval.low, high: interval.high)
      })
  }

  /// Points for the terminal.
  func points(_ value: (Point) -> Interval) -> [(x: Double, y: Double)] {
    points.map { (Double($0.layer), value($0).estimate) }
  }

  /// Layers at which the mean logit difference exceeds that of `other`, by paired permutation tests
  /// with Holm's correction for the number of layers.
  func layersWhereGreater(than other: LayerCurve, seed: UInt64) -> [Int] {
    guard episodes == other.episodes else { return [] }
    let common = points.compactMap { point in other.point(point.layer).map { (point, $0) } }
    let tests = common.map { a, b in
      PermutationTest.paired(
        zip(a.outcomes, b.outcomes).map { $0.effect - $1.effect }, seed: seed)
    }
    let adjusted = Holm.adjusted(tests.map(\.pValue))
    return common.indices.filter { adjusted[$0] < Claim.level && tests[$0].meanDifference > 0 }
      .map { common[$0].0.layer }
  }
}

extension [Outcome] {
  /// Change of the logit difference as a share of the distance between the two runs.
  var recovery: Interval { RatioInterval.fieller(map(\.effect), over: map(\.gap)) }
}

extension Section {
  /// Adds a curve's metrics as flat results, layer by layer.
  ///
  /// - Parameter columns: what they are of, without the layer.
  mutating func add(results curve: LayerCurve, of columns: [(key: String, value: JSONValue)]) {
    for point in curve.points {
      for (metric, interval) in [
        ("recovery", point.recovery), ("accuracy", point.accuracy),
        ("candidate_accuracy", point.candidateAccuracy), ("probability", point.probability),
      ] {
        add(
          result: columns + [("layer", .integer(point.layer))], metric: metric, interval,
          count: curve.episodes.count)
      }
    }
  }
}
