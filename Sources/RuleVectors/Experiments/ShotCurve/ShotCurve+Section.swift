import Reports
import TensorCore

extension ShotCurve {
  /// All episodes at one number of demonstrations.
  private struct Point {
    let shots: Int
    let episodes: Int
    /// Right answer has the largest logit of all (Wilson).
    let accuracy: Interval
    /// Right answer beats the other candidates (Wilson).
    let candidateAccuracy: Interval
    let logitDifference: Interval
    let probability: Interval

    init(_ shots: Int, _ rows: [ShotCurveRow]) {
      self.shots = shots
      episodes = rows.count
      accuracy = Wilson.interval(
        successes: rows.count(where: \.measurement.isTop), trials: rows.count)
      candidateAccuracy = Wilson.interval(
        successes: rows.count(where: \.measurement.isRight), trials: rows.count)
      logitDifference = MeanInterval.student(rows.map { Double($0.measurement.logitDifference) })
      probability = MeanInterval.student(rows.map { Double($0.measurement.probability) })
    }
  }

  func section(_ records: [Record<ShotCurveRow>], _ findings: Findings) throws -> Section {
    var section = Section(heading: findings.title)
    let candidates = findings.candidates
    let ofAll = candidates == 2 ? "of two" : "of \(candidates)"
    let grouped = Dictionary(grouping: records.map(\.row), by: \.shots)
    let points = grouped.keys.sorted().map { Point($0, grouped[$0] ?? []) }
    func line(_ name: String, _ value: (Point) -> Interval) -> LineChart.Series {
      LineChart.Series(
        name: name,
        points: points.map { point in
          let interval = value(point)
          return LineChart.Point(
            x: Double(point.shots), y: interval.estimate, low: interval.low, high: interval.high)
        })
    }
    if points.count > 1 {
      section.elements.append(
        .figure(
          Figure(
            name: "\(findings.stem)-accuracy-by-shots",
            chart: LineChart(
              title: "Is the rule defined by one demonstration or by many?",
              xTitle: "demonstrations", yTitle: "share of episodes",
              series: [line("all tokens", \.accuracy), line(ofAll, \.candidateAccuracy)],
              horizontalLines: [
                LineChart.HorizontalLine(
                  y: 1 / Double(candidates),
                  label: candidates == 2 ? "coin toss of two" : Gate.chanceWords(candidates))
              ],
              yRange: 0...1, intervalNote: "Bands: 95 % Wilson intervals over episodes."),
            caption:
              "Right answer first over the whole vocabulary, and (\(ofAll)) ahead of the "
              + (candidates == 2 ? "one other candidate." : "\(candidates - 1) other candidates.")))
      )
      section.charts = [
        Section.Chart(
          title: "\(findings.task): accuracy by demonstrations", xTitle: "demonstrations",
          series: [
            ("all tokens", points.map { (Double($0.shots), $0.accuracy.estimate) }),
            (ofAll, points.map { (Double($0.shots), $0.candidateAccuracy.estimate) }),
          ], reference: nil)
      ]
    }
    section.headers = [
      "shots", "accuracy, all tokens", "accuracy, \(ofAll)", "logit difference", "n",
    ]
    section.rows = points.map {
      [
        String($0.shots), $0.accuracy.text, $0.candidateAccuracy.text, $0.logitDifference.text,
        String($0.episodes),
      ]
    }
    section.elements.append(
      .table(HTMLTable(headers: section.headers, rows: section.rows, caption: "Unpatched prompts."))
    )
    for point in points {
      for (metric, interval) in [
        ("accuracy", point.accuracy), ("candidate_accuracy", point.candidateAccuracy),
        ("logit_difference", point.logitDifference), ("probability", point.probability),
      ] {
        section.add(
          result: [
            ("probe", .string(findings.probe)), ("task", .string(findings.task)),
            ("shots", .integer(point.shots)),
          ], metric: metric, interval, count: point.episodes)
      }
    }
    section.summary = [
      (
        "shots",
        .array(
          points.map { point in
            [
              "shots": .integer(point.shots), "episodes": .integer(point.episodes),
              "accuracy": point.accuracy.json, "candidate_accuracy": point.candidateAccuracy.json,
              "logit_difference": point.logitDifference.json,
              "probability": point.probability.json,
            ]
          })
      )
    ]
    return section
  }
}
