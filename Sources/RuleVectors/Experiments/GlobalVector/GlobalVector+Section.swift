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
    let claims = recipients.flatMap { self.claims($0, results, findings) }
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
    func cells(isDevelopment: Bool, _ form: Form)
      -> [(episode: Int, layer: Int, outcome: Outcome)]
    {
      let rows = records.filter {
        ($0.key.split == .development) == isDevelopment && $0.row.recipient == recipient
          && $0.row.form == form
      }
      var flipped: [[Int]: Outcome] = [:]
      for record in rows where record.row.isFlipped {
        flipped[[record.episode, record.row.layer ?? -1]] = record.row.outcome
      }
      return rows.filter { !$0.row.isFlipped }.compactMap { record in
        guard let layer = record.row.layer else { return nil }
        var outcome = record.row.outcome
        outcome.flipped = flipped[[record.episode, layer]].map {
          Outcome.Counterpart(patched: $0.patched.logitDifference, donor: $0.donor)
        }
        return (record.episode, layer, outcome)
      }
    }
    func reported(_ isWanted: (GlobalVectorRow) -> Bool) -> [Outcome] {
      records.filter { $0.key.split != .development && $0.row.layer == nil && isWanted($0.row) }
        .sorted { $0.episode < $1.episode }.map(\.row.outcome)
    }
    let curves = forms.map { (form: $0, curve: LayerCurve(cells(isDevelopment: false, $0))) }
      .filter { !$0.curve.episodes.isEmpty }
    guard !curves.isEmpty else { return nil }
    var choice: (form: Form, point: LayerCurve.Point)?
    var largest = -Double.infinity
    if Set(records.filter { $0.key.split == .development }.map(\.key)).count == development {
      for (form, curve) in curves {
        for point in LayerCurve(cells(isDevelopment: true, form)).points {
          let effect = point.outcomes.reduce(0) { $0 + $1.effect }
          guard effect > largest, let own = curve.point(point.layer) else { continue }
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

  private func claims(_ recipient: Recipient, _ results: [Result], _ findings: Findings) -> [Claim]
  {
    let here = results.filter { $0.recipient == recipient && $0.choice != nil }
    guard let own = here.first(where: { $0.task == findings.task }), let mine = own.choice else {
      return []
    }
    let share = formattedPercent(margin)
    func claim(
      _ name: String, _ sentence: String, _ evidence: String, _ differences: [Double], _ paper: Int?
    ) -> Claim {
      Claim(
        Self.kind, name: "\(findings.probe).\(name).\(recipient.rawValue)", sentence: sentence,
        evidence: evidence, differences: differences, resolution: Measurement.resolution,
        unit: "logits", paperClaim: paper,
        seed: findings.seed)
    }
    let controls = here.filter { $0.task != findings.task }
    // What a method cannot find where it is known to be says nothing where it is not found.
    let works = controls.contains { control in
      guard let point = control.choice?.point else { return false }
      let test = PermutationTest.paired(
        point.outcomes.map { $0.effect - margin * $0.gap }, seed: findings.seed)
      return test.meanDifference > 0 && test.pValue < Claim.level
    }
    var claims: [Claim] = []
    for control in controls {
      guard let choice = control.choice else { continue }
      claims.append(
        claim(
          "control.\(control.task)",
          "Positive control: on \(control.task) one global vector brings more than \(share) of what "
            + "demonstrations bring, into \(recipient.words).",
          evidence(control, choice),
          choice.point.outcomes.map { $0.effect - margin * $0.gap }, nil))
    }
    let gap = MeanInterval.student(mine.point.outcomes.map(\.gap))
    if own.comparesRules {
      claims.append(
        claim(
          "little",
          "One global vector brings less than \(share) of the rule of \(findings.task), into "
            + "\(recipient.words).",
          evidence(own, mine)
            + (gap.low > 0 ? "" : " The demonstrations themselves have no clear effect.")
            + (works
              ? ""
              : " No positive control reaches the margin into these prompts, so this is not counted for "
                + "the paper's claim."),
          mine.point.outcomes.map { margin * $0.gap - $0.effect }, works ? 1 : nil))
    } else {
      claims.append(
        claim(
          "carries",
          "On \(findings.task) one global vector brings more than \(share) of what demonstrations "
            + "bring, into \(recipient.words).",
          evidence(own, mine), mine.point.outcomes.map { $0.effect - margin * $0.gap }, nil))
    }
    guard own.comparesRules else { return claims }
    for control in controls {
      guard let choice = control.choice else { continue }
      claims.append(
        comparison(
          of: own, mine.point, with: control, choice.point, recipient, findings,
          paper: works ? 1 : nil))
    }
    return claims
  }

  /// Whether the share that the vector brings is smaller here than on a control. Shares are ratios of
  /// means; each episode stands with its part of the ratio's linear approximation (the delta method),
  /// which needs a denominator that is clearly not zero.
  private func comparison(
    of own: Result, _ mine: LayerCurve.Point, with control: Result, _ best: LayerCurve.Point,
    _ recipient: Recipient, _ findings: Findings, paper: Int?
  ) -> Claim {
    func linearised(_ outcomes: [Outcome]) -> [Double]? {
      let gap = MeanInterval.student(outcomes.map(\.gap))
      guard gap.low > 0 else { return nil }
      let ratio = outcomes.recovery.estimate
      return outcomes.map { ratio + ($0.effect - ratio * $0.gap) / gap.estimate }
    }
    let (a, b) = (linearised(best.outcomes), linearised(mine.outcomes))
    let test = a.flatMap { a in
      b.map { PermutationTest.independent(a, $0, seed: findings.seed) }
    }
    // Welch's interval of the difference, and the spread that one episode of either adds.
    let difference = a.flatMap { a in
      b.map { UncertainValue(values: a) - UncertainValue(values: $0) }
    }
    return Claim(
      Self.kind,
      name: "\(findings.probe).less-than-control.\(control.task).\(recipient.rawValue)",
      sentence:
        "One global vector brings less of the rule of \(own.task) than of \(control.task), into "
        + "\(recipient.words).",
      evidence:
        "Recovery \(mine.recovery.text) here, \(best.recovery.text) there"
        + (test == nil
          ? "; not tested, because the demonstrations' own effect is not clearly above zero."
          : "."),
      difference: test?.meanDifference ?? .nan, pValue: test?.pValue ?? .nan,
      samples: mine.outcomes.count, effect: difference?.interval(), unit: "recovery",
      paperClaim: paper,
      standardDeviation: difference.map {
        $0.standardError * Double(mine.outcomes.count).squareRoot()
      })
  }

  private func evidence(_ result: Result, _ choice: (form: Form, point: LayerCurve.Point)) -> String
  {
    let point = choice.point
    let before = Wilson.interval(
      successes: result.unpatched.count(where: \.patched.isTop), trials: result.unpatched.count)
    let with = Wilson.interval(
      successes: result.demonstrated.count(where: \.patched.isTop),
      trials: result.demonstrated.count)
    return
      "After layer \(point.layer), form \(choice.form.rawValue): recovery \(point.recovery.text); "
      + "accuracy over the vocabulary \(point.accuracy.text), unpatched \(before.text), with "
      + "demonstrations \(with.text)."
  }

  private func table(_ results: [Result]) -> HTMLTable {
    HTMLTable(
      headers: [
        "task", "recipient", "form", "layer", "recovery", "effect, logits",
        "first of two against unpatched", "first of all against unpatched",
      ],
      rows: results.compactMap { result in
        guard let (form, point) = result.choice else { return nil }
        func change(_ isGood: (Measurement) -> Bool) -> String {
          guard result.unpatched.count == point.outcomes.count else { return "" }
          return PairedProportions.difference(
            point.outcomes.map { isGood($0.patched) }, result.unpatched.map { isGood($0.patched) }
          ).text
        }
        return [
          result.task, result.recipient.rawValue, form.rawValue, String(point.layer),
          point.recovery.text, MeanInterval.student(point.outcomes.map(\.effect)).text,
          change(\.isRight), change(\.isTop),
        ]
      },
      caption:
        "At the form and layer that development episodes chose for each row; held-out episodes. The "
        + "last two columns are differences of shares of episodes.")
  }

  private func flat(_ result: Result, _ findings: Findings) -> [[(key: String, value: JSONValue)]] {
    var section = Section(heading: "")
    for (form, curve) in result.curves {
      for point in curve.points {
        let columns: [(key: String, value: JSONValue)] = [
          ("probe", .string(findings.probe)), ("task", .string(result.task)),
          ("donor", .string(form.rawValue)), ("recipient", .string(result.recipient.rawValue)),
          ("positions", "last"), ("layer", .integer(point.layer)),
        ]
        for (metric, interval) in [
          ("recovery", point.recovery), ("accuracy", point.accuracy),
          ("candidate_accuracy", point.candidateAccuracy), ("probability", point.probability),
        ] {
          section.add(result: columns, metric: metric, interval, count: curve.episodes.count)
        }
      }
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
