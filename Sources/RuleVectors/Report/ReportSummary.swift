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
              "accuracy": Self.json(point.accuracy),
              "candidate_accuracy": Self.json(point.candidateAccuracy),
              "logit_difference": Self.json(point.logitDifference),
              "probability": Self.json(point.probability),
            ]
          })
      ]
    case .patch:
      guard let analysis = analysis(of: record) else { return .null }
      return [
        "chosen_layer": analysis.chosenLayer.map(JSONValue.integer) ?? .null,
        "claims": .array(analysis.claims.map(Self.json)),
        "curves": .array(analysis.curves.map(Self.json)),
        "doses": .array(analysis.subsets.map(Self.json)),
      ]
    }
  }

  private static func json(_ interval: Interval) -> JSONValue {
    [
      "mean": .number(interval.estimate), "low": .number(interval.low),
      "high": .number(interval.high),
    ]
  }

  private static func json(_ claim: Claim) -> JSONValue {
    [
      "name": .string(claim.name), "topic": .string(claim.topic.rawValue),
      "sentence": .string(claim.sentence),
      "verdict": .string(claim.verdict.rawValue), "evidence": .string(claim.evidence),
      "difference": .number(claim.difference), "p": .number(claim.pValue),
      "p_adjusted": .number(claim.adjustedPValue), "episodes": .integer(claim.episodes),
    ]
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
            "layer": .integer(point.layer), "recovery": json(point.recovery),
            "accuracy": json(point.accuracy),
            "candidate_accuracy": json(point.candidateAccuracy),
            "probability": json(point.probability),
            "divergence": point.divergence.map(json) ?? .null,
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
            "count": .integer(dose.count), "recovery": json(dose.recovery),
            "candidate_accuracy": json(dose.candidateAccuracy),
            "additive": .number(dose.additive),
          ]
        }),
      "alone": .array(curve.alone.map(json)), "left_out": .array(curve.leftOut.map(json)),
      "participation_ratio": json(curve.participationRatio), "gini": json(curve.gini),
      "additive_r_squared": json(curve.additiveFit),
    ]
  }
}
