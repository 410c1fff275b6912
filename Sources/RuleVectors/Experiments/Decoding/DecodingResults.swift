import Reports
import TensorCore

/// The rows of a decoding probe, by what they are of.
struct DecodingResults {
  /// Of reported episodes.
  let figures: [DecodingFigure]
  /// Of the development episodes that choose a layer.
  let choosing: [DecodingFigure]
  let patches: [(episode: Int, row: LayerSweepRow)]
  /// Surface forms in which the labels are other texts than in the first.
  let relabelled: Set<String>

  init(_ records: [Record<DecodingRow>]) {
    var figures: [DecodingFigure] = []
    var choosing: [DecodingFigure] = []
    var patches: [(episode: Int, row: LayerSweepRow)] = []
    var labels: [String: [Int: Set<String>]] = [:]
    for record in records {
      switch record.row {
      case .figure(let figure):
        if record.key.split == .development {
          choosing.append(figure)
        } else {
          figures.append(figure)
        }
      case .patch(let patch):
        patches.append((record.episode, patch))
      case .slot(let slot) where record.key.split != .development:
        labels[slot.form, default: [:]][record.episode, default: []].insert(slot.label)
      case .slot: break
      }
    }
    self.figures = figures
    self.choosing = choosing
    self.patches = patches
    let first = figures.first?.trained
    relabelled = Set(
      labels.filter { form, episodes in
        first.map { episodes != labels[$0] } ?? false
      }.keys)
  }

  /// Where decoders are trained, and whose name comes first.
  var firstForm: String { figures.first?.trained ?? "" }
  var layers: [Int] { Set(figures.map(\.layer)).sorted() }

  /// Other surface forms, sorted.
  var otherForms: [String] {
    Set(figures.map(\.tested)).filter { $0 != firstForm }.sorted()
  }

  /// The strictest that decoders were tested on.
  var strictest: DecodingDesign.HeldOut? {
    DecodingDesign.HeldOut.allCases.last { heldOut in
      figures.contains { $0.heldOut == heldOut }
    }
  }

  /// The layer at which development episodes' rules are decoded best, the earliest of equals; nil where
  /// they are not all there, or cannot be tested.
  var chosenLayer: Int? {
    let own = choosing.filter {
      $0.measure == .accuracy && $0.target == DecodingTarget.rule.rawValue && $0.slot == nil
        && $0.layer >= 0 && $0.interval.estimate.isFinite
    }
    guard Set(own.map(\.layer)) == Set(layers.filter { $0 >= 0 }) else { return nil }
    return own.min { a, b in
      (-a.interval.estimate, a.layer) < (-b.interval.estimate, b.layer)
    }?.layer
  }

  func accuracy(
    _ target: DecodingTarget, _ positions: PositionGroup, _ heldOut: DecodingDesign.HeldOut?,
    decoder: String = "ridge", trained: String? = nil, tested: String? = nil
  ) -> [DecodingFigure] {
    figures.filter {
      $0.measure == .accuracy && $0.target == target.rawValue && $0.positions == positions
        && $0.heldOut == heldOut && $0.decoder == decoder && $0.slot == nil
        && $0.trained == trained ?? firstForm && $0.tested == tested ?? firstForm
    }.sorted { $0.layer < $1.layer }
  }

  /// Of another measure, by layer.
  func figures(_ measure: DecodingFigure.Measure, _ target: String, tested: String? = nil)
    -> [DecodingFigure]
  {
    figures.filter {
      $0.measure == measure && $0.target == target && $0.tested == tested ?? firstForm
    }.sorted { $0.layer < $1.layer }
  }

  /// The rule at one layer, slot by slot.
  func slots(_ positions: PositionGroup, layer: Int) -> [DecodingFigure] {
    figures.filter {
      $0.measure == .accuracy && $0.positions == positions && $0.heldOut == strictest
        && $0.layer == layer && $0.slot != nil
    }.sorted { ($0.slot ?? 0) < ($1.slot ?? 0) }
  }

  func curve(_ donor: Donor) -> LayerCurve {
    LayerCurve(
      patches.filter { $0.row.donor == donor }
        .map { ($0.episode, $0.row.layer, $0.row.outcome) })
  }
}

extension [DecodingFigure] {
  func at(_ layer: Int) -> DecodingFigure? { first { $0.layer == layer } }

  func series(_ name: String, _ value: (Double) -> Double = { $0 }) -> LineChart.Series {
    LineChart.Series(
      name: name,
      points: map {
        LineChart.Point(
          x: Double($0.layer), y: value($0.interval.estimate), low: value($0.interval.low),
          high: value($0.interval.high))
      })
  }

  /// What permutations lie between.
  func chance(_ name: String) -> LineChart.Series {
    LineChart.Series(
      name: name,
      points: compactMap { figure in
        guard let low = figure.chanceLow, let high = figure.chanceHigh else { return nil }
        return LineChart.Point(
          x: Double(figure.layer), y: (low + high) / 2, low: low, high: high)
      })
  }
}
