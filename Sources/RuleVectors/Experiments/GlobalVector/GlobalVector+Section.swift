import Reports
import TensorCore

extension GlobalVector {
  /// What one recipient of one task shows.
  private struct Result {
    let task: String
    let recipient: Recipient
    /// Whether effects are half the difference between the vectors of both rules.
    let comparesRules: Bool
    let curves: [(form: Form, curve: LayerCurve)]
    /// Chosen on development episodes; nil where these are not there yet.
    let choice: (form: Form, point: LayerCurve.Point)?
    /// The recipient without a vector, and the prompt with demonstrations, over the same episodes.
    let unpatched: [Outcome]
    let demonstrated: [Outcome]

    var finding: VectorFinding? {
      choice.map {
        VectorFinding(
          task: task, recipient: (recipient.rawValue, recipient.words),
          comparesRules: comparesRules,
          choice: "layer \($0.point.layer), form \($0.form.rawValue)", point: $0.point,
          unpatched: unpatched, demonstrated: demonstrated)
      }
    }
  }

  func section(_ records: [Record<GlobalVectorRow>], _ findings: Findings) throws -> Section {
    var section = Section(heading: findings.title)
    let tasks =
      [findings.task]
      + records.map(\.key.task).reduce(into: []) {
        if $1 != findings.task, !$0.contains($1) { $0.append($1) }
      }
    let results = tasks.flatMap { task in
      recipients.compactMap { result(task, $0, records.filter { $0.key.task == task }) }
    }
    let vectorClaims = VectorClaims(
      topic: Self.kind, probe: findings.probe, vector: "One global vector", margin: margin,
      seed: findings.seed)
    let claims = recipients.flatMap { recipient in
      vectorClaims(
        results.filter { $0.recipient == recipient }.compactMap(\.finding), task: findings.task)
    }
    section.answers = results.filter { $0.task == findings.task }.compactMap { result in
      result.choice.map {
        "One global vector in \(result.recipient.words) brings \($0.point.recovery.text) of the rule."
      }
    }
    if !claims.isEmpty { section.elements.append(.claims(claims)) }
    section.elements.append(.paragraph(method))
    for recipient in recipients {
      let own = results.filter { $0.recipient == recipient }
      let figures = RecoveryFigures(
        stem: "\(findings.stem)-\(recipient.rawValue)",
        curves: own.flatMap { result in
          result.curves.map { ("\(result.task), \($0.form.rawValue)", $0.curve) }
        },
        title: "One global vector at the last position of \(recipient.words)",
        zero: "no rule", one: "with demonstrations", marker: nil,
        caption:
          "Mean last-position residual of \(donors) donor episodes, put at the last position of "
          + "\(recipient.words).",
        // Positive controls have two candidates.
        candidates: findings.candidates == 2 ? 2 : nil)
      section.elements += figures.all.map { .figure($0) }
    }
    section.elements.append(.table(table(results)))
    section.charts = [
      Section.Chart(
        title: "\(findings.probe): recovery by layer", xTitle: "layer",
        series: results.compactMap { result in
          result.choice.flatMap { choice in
            result.curves.first { $0.form == choice.form }.map {
              ("\(result.task), \(result.recipient.rawValue)", $0.curve.points(\.recovery))
            }
          }
        }, reference: 0)
    ]
    section.headers = ["one vector into", "layer", "recovery", "first of all", "n"]
    section.rows = results.compactMap { result in
      result.choice.map { choice in
        [
          "\(result.task), \(result.recipient.rawValue)", String(choice.point.layer),
          choice.point.recovery.text, choice.point.accuracy.text,
          String(choice.point.outcomes.count),
        ]
      }
    }
    section.results = results.flatMap { flat($0, findings) }
    section.summary = [("results", .array(results.map(json)))]
    return section
  }

  private func result(_ task: String, _ recipient: Recipient, _ records: [Record<GlobalVectorRow>])
    -> Result?
  {
    func curve(isDevelopment: Bool, _ form: Form) -> LayerCurve {
      LayerCurve(
        rules: records.filter {
          ($0.key.split == .development) == isDevelopment && $0.row.recipient == recipient
            && $0.row.form == form
        }.compactMap { record in
          record.row.layer.map { (record.episode, $0, record.row.isFlipped, record.row.outcome) }
        })
    }
    func reported(_ isWanted: (GlobalVectorRow) -> Bool) -> [Outcome] {
      records.filter { $0.key.split != .development && $0.row.layer == nil && isWanted($0.row) }
        .sorted { $0.episode < $1.episode }.map(\.row.outcome)
    }
    let curves = forms.map { (form: $0, curve: curve(isDevelopment: false, $0)) }
      .filter { !$0.curve.episodes.isEmpty }
    guard !curves.isEmpty else { return nil }
    var choice: (form: Form, point: LayerCurve.Point)?
    var largest = -Double.infinity
    if Set(records.filter { $0.key.split == .development }.map(\.key)).count == development {
      for (form, reported) in curves {
        for point in curve(isDevelopment: true, form).points {
          let effect = point.outcomes.reduce(0) { $0 + $1.effect }
          guard effect > largest, let own = reported.point(point.layer) else { continue }
          largest = effect
          choice = (form, own)
        }
      }
    }
    return Result(
      task: task, recipient: recipient,
      comparesRules: records.contains { $0.row.isFlipped }, curves: curves, choice: choice,
      unpatched: reported { $0.recipient == recipient && $0.form == nil },
      demonstrated: reported { $0.recipient == nil && !$0.isFlipped })
  }

  private var method: String {
    "The vector is the mean last-position residual of \(donors) donor episodes with other items; form "
      + "and layer are those of the largest mean effect on \(development) development episodes. For "
      + "tasks with two labels the effect is half the difference between the vectors of the rule and "
      + "of the flipped rule, and full recovery half the difference between their demonstrations: a "
      + "preference for a letter, or knowing the letters, counts for nothing. For knowledge tasks it "
      + "is the change against the unpatched prompt. A vector “brings little” if that is less than "
      + "\(formattedPercent(margin)) of full recovery, a margin set in the probe."
  }

  private func table(_ results: [Result]) -> HTMLTable {
    HTMLTable(
      headers: [
        "task", "recipient", "form", "layer", "recovery", "effect, logits",
        "first of two against unpatched", "first of all against unpatched",
      ],
      rows: results.compactMap { result in
        guard let (form, point) = result.choice, let finding = result.finding else { return nil }
        return [
          result.task, result.recipient.rawValue, form.rawValue, String(point.layer),
          point.recovery.text, MeanInterval.student(point.outcomes.map(\.effect)).text,
          finding.change(\.isRight), finding.change(\.isTop),
        ]
      },
      caption:
        "At the form and layer that development episodes chose for each row; held-out episodes. The "
        + "last two columns are differences of shares of episodes.")
  }

  private func flat(_ result: Result, _ findings: Findings) -> [[(key: String, value: JSONValue)]] {
    var section = Section(heading: "")
    for (form, curve) in result.curves {
      section.add(
        results: curve,
        of: [
          ("probe", .string(findings.probe)), ("task", .string(result.task)),
          ("donor", .string(form.rawValue)), ("recipient", .string(result.recipient.rawValue)),
          ("positions", "last"),
        ])
    }
    return section.results
  }

  private func json(_ result: Result) -> JSONValue {
    [
      "task": .string(result.task), "recipient": .string(result.recipient.rawValue),
      "chosen_form": result.choice.map { .string($0.form.rawValue) } ?? .null,
      "chosen_layer": result.choice.map { .integer($0.point.layer) } ?? .null,
      "forms": .array(
        result.curves.map { form, curve in
          [
            "form": .string(form.rawValue), "episodes": .integer(curve.episodes.count),
            "points": .array(curve.points.map(\.json)),
          ]
        }),
    ]
  }
}
