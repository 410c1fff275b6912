import RuleVectors
import TensorCore
import Terminal

/// What a run's rows say at a glance.
struct PatchSummary {
  let curves: [LayerCurve]

  init(_ effects: [Effect], layers: Int) {
    curves = LayerCurve.all(in: effects, seed: 0)
  }

  func json(run: String) -> JSONValue {
    [
      "run": .string(run),
      "rows": .array(
        curves.flatMap { curve in
          curve.points.flatMap { point in
            [("recovery", point.recovery), ("accuracy", point.accuracy)].map { metric, interval in
              [
                "probe": .string(curve.key.probe), "task": .string(curve.key.task),
                "recipient": .string(curve.key.recipient),
                "positions": .string(curve.key.positions), "layer": .integer(point.layer),
                "metric": .string(metric), "mean": .number(interval.estimate),
                "low": .number(interval.low), "high": .number(interval.high),
                "n": .integer(curve.episodes),
              ]
            }
          }
        }),
    ]
  }

  func text(device: TerminalDevice) -> String {
    var text = ""
    for probe in Set(curves.map(\.key.probe)).sorted() {
      let shown = curves.filter { $0.key.probe == probe && $0.key.split == .heldOut }
      guard !shown.isEmpty else { continue }
      text += TextChart(
        title: "\(probe): recovery by layer", xTitle: "layer",
        series: shown.map { curve in
          TextChart.Series(
            name: curve.key.label,
            points: curve.points.map { (Double($0.layer), $0.recovery.estimate) })
        }, reference: 0
      ).text(
        width: min(device.width, 100), usesUnicode: device.usesUnicode, style: device.style)
      text += "\n"
    }
    return text
  }
}
