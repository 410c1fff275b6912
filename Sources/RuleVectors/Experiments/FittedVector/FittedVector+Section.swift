import Reports
import TensorCore

extension FittedVector {
  /// What one form shows on one task: rules in ascending order.
  private struct Result {
    let task: String
    let form: Form
    let source: FittedVectorRow.Source
    /// Chosen on development rules.
    let layer: Int
    let patched: [FittedVectorRow]
    let unpatched: [FittedVectorRow]
    let demonstrated: [FittedVectorRow]

    /// Change of the mean logit difference against the prompts as they are, and that by demonstrations.
    var effects: [Double] {
      zip(patched, unpatched).map { $0.logitDifference - $1.logitDifference }
    }
    var gaps: [Double] {
      zip(demonstrated, unpatched).map { $0.logitDifference - $1.logitDifference }
    }
    var recovery: Interval { RatioInterval.fieller(effects, over: gaps) }
    var accuracy: Interval { MeanInterval.student(patched.map(\.accuracy)) }
    var name: String { "\(task), \(source.rawValue), \(form.rawValue)" }

    /// Mean over rules of what the vector brings beyond `share` of the demonstrations' effect.
    func beyond(_ share: Double) -> [Double] { zip(effects, gaps).map { $0 - share * $1 } }
  }

  func section(_ records: [Record<FittedVectorRow>], _ findings: Findings) throws -> Section {
    var section = Section(heading: findings.title)
    let tasks =
      [findings.task]
      + records.map(\.key.task).reduce(into: []) {
        if $1 != findings.task, !$0.contains($1) { $0.append($1) }
      }
    let results = try tasks.flatMap { task in
      try forms.flatMap { form in
        try [FittedVectorRow.Source.fitted, .mean].compactMap {
          try result(records.filter { $0.key.task == task }, task, form, $0)
        }
      }
    }
    let claims = claims(results, findings)
    if !claims.isEmpty { section.elements.append(.claims(claims)) }
    section.answers = results.filter { $0.task == findings.task && $0.source == .fitted }.map {
      "The best found for \($0.form.words) brings \($0.recovery.text) of what demonstrations bring."
    }
    section.elements.append(
      .paragraph(
        "Vectors are added after a block and fitted by Adam (\(steps) steps, from nothing or from the mean, whichever loses less) to the cross entropy of the right answer in "
          + "\(fitted) prompts of a rule that ask for development items; they are tested on \(tested) prompts that ask for "
          + "held-out items of the same rule, of its classes by turns, so that a preference for a label counts for "
          + "nothing. \(development) development rules, whose test prompts ask for further development items, chose "
          + "each form's layer. The mean is that of \(donors) prompts with demonstrations, in place of the last position's "
          + "residual stream, at a layer chosen alike. Full recovery is what demonstrations bring to the test prompts; a "
          + "vector “brings little” below \(formattedPercent(margin)) of that, a margin set in the probe."
      ))
    let curves = curves(records.filter { $0.key.task == findings.task })
    if !curves.isEmpty {
      section.elements.append(
        .figure(
          Figure(
            name: "\(findings.stem)-development",
            chart: LineChart(
              title: "Recovery on development rules", xTitle: "layer", yTitle: "recovery",
              series: curves,
              horizontalLines: [
                LineChart.HorizontalLine(y: 0, label: "no rule"),
                LineChart.HorizontalLine(y: 1, label: "with demonstrations"),
              ],
              intervalNote: "Bands: Fieller intervals over \(development) development rules."),
            caption:
              "What chose the layers of \(findings.task). Sentences are about the other rules, at these layers."
          )))
    }
    section.headers = [
      "task", "vector", "layer", "recovery", "right of the candidates", "as they are",
      "with demonstrations", "fit, nats", "n",
    ]
    section.rows = results.map { result in
      let fits = result.patched.compactMap(\.fit)
      return [
        result.task, "\(result.source.rawValue), \(result.form.rawValue)", String(result.layer),
        result.recovery.text, result.accuracy.text,
        MeanInterval.student(result.unpatched.map(\.accuracy)).text,
        MeanInterval.student(result.demonstrated.map(\.accuracy)).text,
        fits.isEmpty
          ? ""
          : "\(formatted(fits.map(\.before).mean, digits: 2)) → "
            + formatted(fits.map(\.after).mean, digits: 2),
        String(result.patched.count),
      ]
    }
    section.elements.append(
      .table(
        HTMLTable(
          headers: section.headers, rows: section.rows,
          caption:
            "Held-out items, n rules. “fit” is the cross entropy of the prompts that the vectors were fitted to, before "
            + "and after: where it falls and recovery does not rise, a vector learned its items.")))
    for result in results {
      let columns: [(key: String, value: JSONValue)] = [
        ("probe", .string(findings.probe)), ("task", .string(result.task)),
        ("donor", .string(result.source.rawValue)),
        ("recipient", .string(result.form.rawValue)),
        ("positions", .string(result.form == .eachLabelDummy ? "answers" : "last")),
        ("layer", .integer(result.layer)),
      ]
      section.add(
        result: columns, metric: "recovery", result.recovery, count: result.patched.count)
      section.add(
        result: columns, metric: "candidate_accuracy", result.accuracy,
        count: result.patched.count)
    }
    section.summary = [
      (
        "vectors",
        .array(
          results.map {
            [
              "task": .string($0.task), "vector": .string($0.source.rawValue),
              "form": .string($0.form.rawValue), "chosen_layer": .integer($0.layer),
              "recovery": $0.recovery.json, "candidate_accuracy": $0.accuracy.json,
            ]
          })
      )
    ]
    return section
  }

  private func result(
    _ records: [Record<FittedVectorRow>], _ task: String, _ form: Form,
    _ source: FittedVectorRow.Source
  ) throws -> Result? {
    let choice = records.filter { $0.key.split == .development }.map(\.row)
    guard Set(choice.map(\.episode)).count == development,
      choice.contains(where: { $0.form == form && $0.source == source })
    else { return nil }
    let layer = try layer(choice, form, source)
    let rows = records.filter { $0.key.split != .development }.map(\.row)
      .sorted { $0.episode < $1.episode }
    let patched = rows.filter { $0.form == form && $0.source == source && $0.layer == layer }
    guard !patched.isEmpty else { return nil }
    let episodes = Set(patched.map(\.episode))
    let others = rows.filter { episodes.contains($0.episode) }
    return Result(
      task: task, form: form, source: source, layer: layer, patched: patched,
      unpatched: others.filter { $0.form == form && $0.source == .unpatched },
      demonstrated: others.filter { $0.source == .demonstrations })
  }

  private func claims(_ results: [Result], _ findings: Findings) -> [Claim] {
    let share = formattedPercent(margin)
    func claim(
      _ name: String, _ sentence: String, _ result: Result, _ differences: [Double],
      paper: Int? = nil, more: String = ""
    ) -> Claim {
      Claim(
        Self.kind, name: "\(findings.probe).\(name).\(result.form.rawValue)", sentence: sentence,
        evidence:
          "After layer \(result.layer): recovery \(result.recovery.text), accuracy of the candidates "
          + "\(result.accuracy.text)." + more,
        differences: differences, resolution: Measurement.resolution, unit: "logits",
        paperClaim: paper, seed: findings.seed)
    }
    var claims: [Claim] = []
    for result in results where result.source == .fitted {
      let own = result.form != .eachLabelDummy
      guard result.task == findings.task else {
        if own {
          claims.append(
            claim(
              "control.\(result.task)",
              "Positive control: on \(result.task) \(result.form.words), fitted, brings more than \(share) of what "
                + "demonstrations bring.", result, result.beyond(margin)))
        }
        continue
      }
      if own {
        // Where a fitted vector is not found on a task that has one, that it is not found says nothing.
        let works = results.contains {
          $0.task != findings.task && $0.source == .fitted && $0.form == result.form
            && $0.beyond(margin).isClearlyPositive(findings.seed)
        }
        // One that is found needs no control.
        let isThere = result.beyond(margin).isClearlyPositive(findings.seed)
        claims.append(
          result.patched.allSatisfy(\.isDrawn)
            ? claim(
              "little",
              "Even fitted, \(result.form.words) brings less than \(share) of what demonstrations bring on "
                + "\(findings.task).", result, result.beyond(margin).map { -$0 },
              paper: works || isThere ? PaperClaim.noGlobalVector.rawValue : nil,
              more: works
                ? ""
                : " No positive control reaches the margin in this form, so that absence is not counted for the "
                  + "paper's claim.")
            : claim(
              "carries",
              "Fitted, \(result.form.words) brings more than \(share) of what demonstrations bring on "
                + "\(findings.task).", result, result.beyond(margin)))
      }
      if let mean = results.first(where: {
        $0.task == result.task && $0.form == result.form && $0.source == .mean
      }) {
        claims.append(
          claim(
            "beyond-mean", "Fitted, \(result.form.words) brings more than the mean of donors.",
            result,
            zip(result.effects, mean.effects).map { $0 - $1 },
            more: " The mean: recovery \(mean.recovery.text)."))
      }
    }
    func fitted(_ form: Form) -> Result? {
      results.first { $0.task == findings.task && $0.source == .fitted && $0.form == form }
    }
    if let each = fitted(.eachLabelDummy), let one = fitted(.oneDummy) {
      claims.append(
        claim(
          "beyond-one", "A vector for each label brings more than one vector, both fitted.", each,
          zip(each.effects, one.effects).map { $0 - $1 },
          more: " One vector: recovery \(one.recovery.text)."))
    }
    return claims
  }

  private func curves(_ records: [Record<FittedVectorRow>]) -> [LineChart.Series] {
    let rows = records.filter { $0.key.split == .development }.map(\.row)
    let demonstrated = rows.filter { $0.source == .demonstrations }
      .sorted { $0.episode < $1.episode }
    return forms.flatMap { form in
      [FittedVectorRow.Source.fitted, .mean].compactMap { source in
        let unpatched = rows.filter { $0.form == form && $0.source == .unpatched }
          .sorted { $0.episode < $1.episode }
        let own = rows.filter { $0.form == form && $0.source == source }
        let layers = Set(own.compactMap(\.layer)).sorted()
        guard !layers.isEmpty else { return nil }
        return LineChart.Series(
          name: "\(source.rawValue), \(form.rawValue)",
          points: layers.map { layer in
            let patched = own.filter { $0.layer == layer }.sorted { $0.episode < $1.episode }
            let recovery = Result(
              task: "", form: form, source: source, layer: layer, patched: patched,
              unpatched: unpatched, demonstrated: demonstrated
            ).recovery
            return LineChart.Point(
              x: Double(layer), y: recovery.estimate, low: recovery.low, high: recovery.high)
          })
      }
    }
  }
}

extension [Double] {
  fileprivate var mean: Double { reduce(0, +) / Double(count) }

  fileprivate func isClearlyPositive(_ seed: UInt64) -> Bool {
    let test = PermutationTest.paired(self, seed: seed)
    return test.meanDifference > 0 && test.pValue < Claim.level
  }
}
