import Reports
import RuleVectors
import TensorCore
import Terminal

/// What a run's rows say at a glance.
struct PatchSummary {
  let analysis: PatchAnalysis

  init(_ effects: [Effect], task: String) {
    analysis = PatchAnalysis(effects, task: task, seed: 0)
  }

  private var curves: [LayerCurve] { analysis.curves.filter { $0.key.split == .heldOut } }

  func json(run: String) -> JSONValue {
    [
      "run": .string(run),
      "rows": .array(
        curves.flatMap { curve in
          curve.points.flatMap { point in
            [
              ("recovery", point.recovery), ("accuracy", point.accuracy),
              ("candidate_accuracy", point.candidateAccuracy),
              ("probability", point.probability),
            ].map { metric, interval in
              [
                "probe": .string(curve.key.probe), "task": .string(curve.key.task),
                "donor": .string(curve.key.donor), "recipient": .string(curve.key.recipient),
                "positions": .string(curve.key.positions), "layer": .integer(point.layer),
                "metric": .string(metric), "mean": .number(interval.estimate),
                "low": .number(interval.low), "high": .number(interval.high),
                "n": .integer(curve.episodes),
              ]
            }
          }
        }
          + analysis.subsets.flatMap { curve in
            curve.doses.map { dose in
              [
                "probe": .string(curve.key.probe), "task": .string(curve.key.task),
                "donor": .string(curve.key.donor),
                "direction": .string(curve.key.direction.rawValue),
                "positions": .string("\(dose.count) of \(curve.demonstrations) answers"),
                "layer": .integer(curve.key.layer), "metric": "recovery",
                "mean": .number(dose.recovery.estimate), "low": .number(dose.recovery.low),
                "high": .number(dose.recovery.high), "n": .integer(curve.episodes),
              ]
            }
          }),
    ]
  }

  func text(device: TerminalDevice) -> String {
    let width = min(device.width, 100)
    var text = ""
    for probe in orderedProbes {
      text += TextChart(
        title: "\(probe): recovery by layer", xTitle: "layer",
        series: curves.filter { $0.key.probe == probe }.map { curve in
          TextChart.Series(
            name: curve.key.label,
            points: curve.points.map { (Double($0.layer), $0.recovery.estimate) })
        }, reference: 0
      ).text(width: width, usesUnicode: device.usesUnicode, style: device.style)
      text += "\n"
    }
    text += table.text(on: device)
    return text
  }

  private var orderedProbes: [String] {
    curves.map(\.key.probe).reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
  }

  /// One row a group of positions, at the layer that development episodes chose; where none did, at
  /// the layer of the largest recovery, marked as such.
  private var table: TextTable {
    TextTable(
      headers: ["patched", "layer", "recovery", "first of all", "n"],
      rows: curves.compactMap { curve in
        let global = PatchAnalysis.GlobalKey(
          task: curve.key.task, recipient: curve.key.recipient)
        let isGlobal = curve.key.donor == "global"
        let chosen = isGlobal ? analysis.globalLayers[global] : analysis.chosenLayer
        let best = curve.points.max { $0.recovery.estimate < $1.recovery.estimate }
        guard let point = curve.points.first(where: { $0.layer == chosen }) ?? best else {
          return nil
        }
        return [
          (isGlobal ? "vector: " : "") + curve.key.label,
          "\(point.layer)" + (chosen == nil ? " (best)" : ""), interval(point.recovery),
          interval(point.accuracy), String(curve.episodes),
        ]
      }
        + analysis.subsets.filter { $0.key.direction == .recipientIntoDonor }.map { curve in
          [
            "answers, flipped into clean", String(curve.key.layer),
            interval(curve.doses[curve.demonstrations].recovery), "", String(curve.episodes),
          ]
        })
  }

  private func interval(_ value: Interval) -> String {
    formattedInterval(value.estimate, value.low, value.high, digits: 2)
  }
}
