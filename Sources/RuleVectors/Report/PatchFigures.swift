import Reports
import TensorCore

/// The figures of one patch run.
struct PatchFigures {
  let analysis: PatchAnalysis
  /// Where the task has several runs in one report, what tells their files apart.
  let prefix: String

  private static let interval = "Bands: 95 % bootstrap intervals over episodes."
  private static let wilson = "Bands: 95 % Wilson intervals over episodes."

  private func series(
    _ name: String, _ curve: LayerCurve, _ value: (LayerCurve.Point) -> Interval
  ) -> LineChart.Series {
    LineChart.Series(
      name: name,
      points: curve.points.map { point in
        let interval = value(point)
        return LineChart.Point(
          x: Double(point.layer), y: interval.estimate, low: interval.low, high: interval.high)
      })
  }

  private var marker: [LineChart.VerticalLine] {
    analysis.chosenLayer.map {
      [LineChart.VerticalLine(x: Double($0), label: "chosen on development: \($0)")]
    } ?? []
  }

  /// The local curves with their names.
  private var local: [(String, LayerCurve)] {
    let wanted: [(String, String, Probe.Donor)] = [
      ("all answer positions", "answers", .clean), ("last position", "last", .clean),
      ("as many input positions", "inputs", .clean),
      ("answer positions, donor with the same labels", "answers", .swappedSlots),
    ]
    return wanted.compactMap { name, positions, donor in
      analysis.curve(positions: positions, donor: donor).map { (name, $0) }
    }
  }

  var layerRecovery: Figure? {
    guard !local.isEmpty else { return nil }
    return Figure(
      name: prefix + "recovery-by-layer",
      chart: LineChart(
        title: "Recovery of the clean answer in the flipped prompt", xTitle: "layer (block output)",
        yTitle: "recovery", series: local.map { series($0, $1, \.recovery) },
        horizontalLines: [
          LineChart.HorizontalLine(y: 0, label: "flipped run"),
          LineChart.HorizontalLine(y: 1, label: "donor run"),
        ], verticalLines: marker, intervalNote: Self.interval),
      caption:
        "Residual stream after each layer, from the donor run into the same prompt under the "
        + "flipped rule. "
        + "Recovery is the share of the way from the flipped run's to the donor run's mean "
        + "logit difference; it is not clipped."
    )
  }

  /// Accuracy between the candidates, and over the vocabulary.
  var layerAccuracies: [Figure] {
    guard !local.isEmpty else { return [] }
    func figure(
      _ name: String, _ title: String, _ lines: [LineChart.HorizontalLine], _ caption: String,
      _ value: (LayerCurve.Point) -> Interval
    ) -> Figure {
      Figure(
        name: prefix + name,
        chart: LineChart(
          title: title, xTitle: "layer (block output)", yTitle: "share of episodes",
          series: local.map { series($0, $1, value) }, horizontalLines: lines,
          verticalLines: marker, yRange: 0...1, intervalNote: Self.wilson),
        caption: caption)
    }
    return [
      figure(
        "candidate-accuracy-by-layer", "How often the donor's answer beats the other one",
        [LineChart.HorizontalLine(y: 0.5, label: "coin toss")],
        "Accuracy between the two candidate answers after patching.", { $0.candidateAccuracy }),
      figure(
        "accuracy-by-layer", "How often the donor's answer is first of all tokens", [],
        "Accuracy over the whole vocabulary after patching.", { $0.accuracy }),
    ]
  }

  private var global: [(String, LayerCurve)] {
    analysis.curves.filter { $0.key.donor == "global" && $0.key.split == .heldOut }
      .map { ("\($0.key.task), \($0.key.recipient)", $0) }
  }

  var globalRecovery: Figure? {
    guard !global.isEmpty else { return nil }
    return Figure(
      name: prefix + "global-vector",
      chart: LineChart(
        title: "One global vector at the last position", xTitle: "layer (block output)",
        yTitle: "recovery", series: global.map { series($0, $1, \.recovery) },
        horizontalLines: [
          LineChart.HorizontalLine(y: 0, label: "no demonstrations"),
          LineChart.HorizontalLine(y: 1, label: "with demonstrations"),
        ], intervalNote: Self.interval),
      caption:
        "Mean last-position residual of donor episodes with other items and other queries, "
        + "half of them asking for each class, put at the last position of prompts without the "
        + "rule."
    )
  }

  var globalAccuracy: Figure? {
    guard !global.isEmpty else { return nil }
    return Figure(
      name: prefix + "global-vector-accuracy",
      chart: LineChart(
        title: "Accuracy over the vocabulary with the global vector",
        xTitle: "layer (block output)",
        yTitle: "share of episodes", series: global.map { series($0, $1, \.accuracy) },
        yRange: 0...1, intervalNote: Self.wilson),
      caption: "The first token of the right answer has the largest logit of the whole vocabulary.")
  }

  private func source(_ curve: SubsetCurve) -> String {
    curve.key.donor == Probe.Donor.swappedSlots.rawValue
      ? "the run with the same labels" : "the clean run"
  }

  private func suffix(_ curve: SubsetCurve) -> String {
    curve.key.donor == Probe.Donor.swappedSlots.rawValue ? "-same-labels" : ""
  }

  /// Dose–response curves, one a direction.
  var doses: [Figure] {
    analysis.subsets.map { curve in
      let forward = curve.key.direction == .donorIntoRecipient
      let n = curve.demonstrations
      return Figure(
        name: prefix + "dose-" + curve.key.direction.rawValue + suffix(curve),
        chart: LineChart(
          title: forward
            ? "k of \(n) answer positions from \(source(curve)) into the flipped one"
            : "k of \(n) answer positions from the flipped run into \(source(curve))",
          xTitle: "patched answer positions k, after layer \(curve.key.layer)",
          yTitle: forward ? "recovery" : "loss",
          series: [
            LineChart.Series(
              name: "mean over random subsets",
              points: curve.doses.map {
                LineChart.Point(
                  x: Double($0.count), y: $0.recovery.estimate, low: $0.recovery.low,
                  high: $0.recovery.high)
              })
          ],
          straightLines: [
            LineChart.StraightLine(
              start: (x: 0, y: 0), end: (x: Double(n), y: curve.doses[n].recovery.estimate),
              label: "additive prediction")
          ], intervalNote: Self.interval),
        caption: forward
          ? "Sufficiency: the share of the way to \(source(curve)) that k answer positions bring."
          : "Necessity: the share of the way to the flipped run that k corrupted answer "
            + "positions cost."
      )
    }
  }

  /// What each demonstration's answer position brings alone, and what leaving it out loses.
  var shares: [Figure] {
    analysis.subsets.flatMap { curve -> [Figure] in
      let direction =
        curve.key.direction == .donorIntoRecipient
        ? "\(source(curve)) into the flipped one" : "the flipped run into \(source(curve))"
      let even = curve.doses[curve.demonstrations].recovery.estimate / Double(curve.demonstrations)
      func figure(_ kind: String, _ title: String, _ values: [Interval], _ caption: String)
        -> Figure
      {
        Figure(
          name: prefix + "shares-\(kind)-\(curve.key.direction.rawValue)\(suffix(curve))",
          chart: BarChart(
            title: title, xTitle: "demonstration (order in the prompt)", yTitle: "share of the way",
            bars: values.enumerated().map {
              BarChart.Bar(
                label: String($0.offset + 1), value: $0.element.estimate, low: $0.element.low,
                high: $0.element.high)
            },
            referenceLine: LineChart.HorizontalLine(y: even, label: "even share"), digits: 3,
            intervalNote: "Whiskers: 95 % bootstrap intervals over episodes."),
          caption: caption)
      }
      return [
        figure(
          "alone", "Each alone: \(direction)", curve.alone,
          "Effect of one patched answer position. The even share is an n-th of the joint effect."),
        figure(
          "left-out", "Each left out: \(direction)", curve.leftOut,
          "What the joint effect loses when one answer position is left unpatched."),
      ]
    }
  }
}
