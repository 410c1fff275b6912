import Reports
import TensorCore

extension ReportBuilder {
  /// What the page says, for scripts: `summary.json`.
  public var summary: JSONValue {
    [
      "runs": .array(
        records.map { record in
          [
            "run": .string(record.path), "task": .string(record.task),
            "finished": .bool(record.isFinished), "manifest": record.manifest,
            "results": results(record),
          ]
        })
    ]
  }

  private func results(_ record: RunRecord) -> JSONValue {
    switch record.rows {
    case .eval(let rows):
      return [
        "shots": .array(
          ShotSummary(task: record.task, rows: rows, seed: 0).points.map { point in
            [
              "shots": .integer(point.shots), "episodes": .integer(point.episodes),
              "accuracy": point.accuracy.json,
              "candidate_accuracy": point.candidateAccuracy.json,
              "logit_difference": point.logitDifference.json,
              "probability": point.probability.json,
            ]
          })
      ]
    case .patch:
      guard let analysis = analysis(of: record) else { return .null }
      return [
        "chosen_layer": analysis.chosenLayer.map(JSONValue.integer) ?? .null,
        "claims": .array(analysis.claims.map { $0.json(samples: "episodes") }),
        "curves": .array(analysis.curves.map(Self.json)),
        "doses": .array(analysis.subsets.map(Self.json)),
      ]
    }
  }

  private static func json(_ curve: LayerCurve) -> JSONValue {
    [
      "probe": .string(curve.key.probe), "task": .string(curve.key.task),
      "split": .string(curve.key.split.rawValue), "donor": .string(curve.key.donor),
      "recipient": .string(curve.key.recipient), "positions": .string(curve.key.positions),
      "episodes": .integer(curve.episodes),
      "points": .array(
        curve.points.map { point in
          [
            "layer": .integer(point.layer), "recovery": point.recovery.json,
            "accuracy": point.accuracy.json,
            "candidate_accuracy": point.candidateAccuracy.json,
            "probability": point.probability.json,
            "divergence": point.divergence.map(\.json) ?? .null,
          ]
        }),
    ]
  }

  private static func json(_ curve: SubsetCurve) -> JSONValue {
    [
      "probe": .string(curve.key.probe), "task": .string(curve.key.task),
      "donor": .string(curve.key.donor), "layer": .integer(curve.key.layer),
      "direction": .string(curve.key.direction.rawValue),
      "episodes": .integer(curve.episodes),
      "doses": .array(
        curve.doses.map { dose in
          [
            "count": .integer(dose.count), "recovery": dose.recovery.json,
            "candidate_accuracy": dose.candidateAccuracy.json,
            "additive": .number(dose.additive),
          ]
        }),
      "alone": .array(curve.alone.map(\.json)), "left_out": .array(curve.leftOut.map(\.json)),
      "participation_ratio": curve.participationRatio.json, "gini": curve.gini.json,
      "additive_r_squared": curve.additiveFit.json,
    ]
  }
}
