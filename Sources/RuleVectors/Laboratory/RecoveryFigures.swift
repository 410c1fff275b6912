import Reports

/// The three figures of curves by layer.
struct RecoveryFigures {
  /// Begins the names of the files.
  let stem: String
  let curves: [(name: String, curve: LayerCurve)]
  let title: String
  /// What 0 and 1 are.
  let zero: String
  let one: String
  /// The layer that was chosen elsewhere, with its label.
  let marker: (layer: Int, label: String)?
  let caption: String
  /// Answers of an episode; nil where panels differ.
  var candidates: Int? = 2

  private static let ratio = "Bands: 95 % intervals of the ratio of means (Fieller) over episodes."
  private static let wilson = "Bands: 95 % Wilson intervals over episodes."

  private var markers: [LineChart.VerticalLine] {
    marker.map { [LineChart.VerticalLine(x: Double($0.layer), label: $0.label)] } ?? []
  }

  var all: [Figure] {
    let wanted = curves.filter { !$0.curve.episodes.isEmpty }
    guard !wanted.isEmpty else { return [] }
    func figure(
      _ name: String, _ title: String, _ yTitle: String, _ lines: [LineChart.HorizontalLine],
      _ range: ClosedRange<Double>?, _ note: String, _ caption: String,
      _ value: (LayerCurve.Point) -> Interval
    ) -> Figure {
      Figure(
        name: "\(stem)-\(name)",
        chart: LineChart(
          title: title, xTitle: "layer (block output)", yTitle: yTitle,
          series: wanted.map { $0.curve.series($0.name, value) }, horizontalLines: lines,
          verticalLines: markers, yRange: range, intervalNote: note),
        caption: caption)
    }
    return [
      figure(
        "recovery-by-layer", title, "recovery",
        [
          LineChart.HorizontalLine(y: 0, label: zero), LineChart.HorizontalLine(y: 1, label: one),
        ], nil, Self.ratio, caption, \.recovery),
      figure(
        "candidate-accuracy-by-layer",
        "How often the donor's answer beats the other \(candidates == 2 ? "one" : "ones")",
        "share of episodes",
        candidates.map { count in
          let label = count == 2 ? "coin toss" : Gate.chanceWords(count)
          return [LineChart.HorizontalLine(y: 1 / Double(count), label: label)]
        } ?? [], 0...1, Self.wilson,
        "Accuracy between the \(candidates == 2 ? "two " : "")candidate answers after patching.",
        \.candidateAccuracy),
      figure(
        "accuracy-by-layer", "How often the donor's answer is first of all tokens",
        "share of episodes", [], 0...1, Self.wilson,
        "Accuracy over the whole vocabulary after patching.", \.accuracy),
    ]
  }
}
