import Reports

/// What a vector that is put into one kind of recipient did on one task, at the layer that development
/// episodes chose.
struct VectorFinding {
  let task: String
  /// Name, and words for sentences: "zero-shot prompts".
  let recipient: (name: String, words: String)
  /// Whether effects are half the difference between the vectors of both rules.
  let comparesRules: Bool
  /// The choice, for evidence: "layer 12, form mean".
  let choice: String
  let point: LayerCurve.Point
  /// The recipient without a vector, and the prompt with demonstrations, over the same episodes.
  let unpatched: [Outcome]
  let demonstrated: [Outcome]

  var evidence: String {
    func accuracy(_ outcomes: [Outcome]) -> String {
      Wilson.interval(successes: outcomes.count(where: \.patched.isTop), trials: outcomes.count)
        .text
    }
    return
      "After \(choice): recovery \(point.recovery.text); accuracy over the vocabulary "
      + "\(point.accuracy.text), unpatched \(accuracy(unpatched)), with demonstrations "
      + "\(accuracy(demonstrated))."
  }

  /// Change of a share of episodes against the unpatched recipient; empty where these are not all
  /// there.
  func change(_ isGood: (Measurement) -> Bool) -> String {
    guard unpatched.count == point.outcomes.count else { return "" }
    return PairedProportions.difference(
      point.outcomes.map { isGood($0.patched) }, unpatched.map { isGood($0.patched) }
    ).text
  }
}

/// Sentences on whether a vector brings a rule into prompts that do not have it, with knowledge tasks
/// as positive controls.
struct VectorClaims {
  /// Kind of the experiment.
  let topic: String
  let probe: String
  /// "One global vector".
  let vector: String
  /// The share of the demonstrations' effect below which a vector is said to bring little.
  let margin: Double
  let seed: UInt64

  /// - Parameter findings: of one kind of recipient: the task's own and the controls'.
  func callAsFunction(_ findings: [VectorFinding], task: String) -> [Claim] {
    guard let own = findings.first(where: { $0.task == task }) else { return [] }
    let controls = findings.filter { $0.task != task }
    let share = formattedPercent(margin)
    // What a method cannot find where it is known to be says nothing where it is not found.
    let works = controls.contains(where: isThere)
    let (vector, words) = (lowercased, own.recipient.words)
    var claims = controls.map { control in
      claim(
        "control.\(control.task)", control,
        "Positive control: on \(control.task) \(vector) brings more than \(share) of what "
          + "demonstrations bring, into \(words).",
        control.evidence, beyondMargin(control), nil)
    }
    guard own.comparesRules else {
      return claims + [
        claim(
          "carries", own,
          "On \(task) \(vector) brings more than \(share) of what demonstrations bring, into "
            + "\(words).", own.evidence, beyondMargin(own), nil)
      ]
    }
    let gap = MeanInterval.student(own.point.outcomes.map(\.gap))
    claims.append(
      claim(
        "little", own,
        "\(self.vector) brings less than \(share) of the rule of \(task), into \(words).",
        own.evidence
          + (gap.low > 0 ? "" : " The demonstrations themselves have no clear effect.")
          + (works
            ? ""
            : " No positive control reaches the margin into these prompts, so that absence is not counted "
              + "for the paper's claim."),
        beyondMargin(own).map { -$0 }, works || isThere(own) ? 1 : nil))
    return claims + controls.map { comparison(of: own, with: $0) }
  }

  private var lowercased: String { vector.prefix(1).lowercased() + vector.dropFirst() }

  private func beyondMargin(_ finding: VectorFinding) -> [Double] {
    finding.point.outcomes.map { $0.effect - margin * $0.gap }
  }

  /// A vector that is there needs no control.
  private func isThere(_ finding: VectorFinding) -> Bool {
    let test = PermutationTest.paired(beyondMargin(finding), seed: seed)
    return test.meanDifference > 0 && test.pValue < Claim.level
  }

  private func claim(
    _ name: String, _ finding: VectorFinding, _ sentence: String, _ evidence: String,
    _ differences: [Double], _ paper: Int?
  ) -> Claim {
    Claim(
      topic, name: "\(probe).\(name).\(finding.recipient.name)", sentence: sentence,
      evidence: evidence, differences: differences, resolution: Measurement.resolution,
      unit: "logits", paperClaim: paper, seed: seed)
  }

  /// Whether the share that the vector brings is smaller here than on a control. Shares are ratios of
  /// means; each episode stands with its part of the ratio's linear approximation (the delta method),
  /// which needs a denominator that is clearly not zero.
  /// No claim of the paper: less than of a control may still be much.
  private func comparison(of own: VectorFinding, with control: VectorFinding) -> Claim {
    func linearised(_ outcomes: [Outcome]) -> [Double]? {
      let gap = MeanInterval.student(outcomes.map(\.gap))
      guard gap.low > 0 else { return nil }
      let ratio = outcomes.recovery.estimate
      return outcomes.map { ratio + ($0.effect - ratio * $0.gap) / gap.estimate }
    }
    let (a, b) = (linearised(control.point.outcomes), linearised(own.point.outcomes))
    let test = a.flatMap { a in
      b.map { PermutationTest.independent(a, $0, seed: seed) }
    }
    // Welch's interval of the difference, and the spread that one episode of either adds.
    let difference = a.flatMap { a in
      b.map { UncertainValue(values: a) - UncertainValue(values: $0) }
    }
    return Claim(
      topic, name: "\(probe).less-than-control.\(control.task).\(own.recipient.name)",
      sentence:
        "\(vector) brings less of the rule of \(own.task) than of \(control.task), into "
        + "\(own.recipient.words).",
      evidence:
        "Recovery \(own.point.recovery.text) here, \(control.point.recovery.text) there"
        + (test == nil
          ? "; not tested, because the demonstrations' own effect is not clearly above zero."
          : "."),
      difference: test?.meanDifference ?? .nan, pValue: test?.pValue ?? .nan,
      samples: own.point.outcomes.count, effect: difference?.interval(), unit: "recovery",
      standardDeviation: difference.map {
        $0.standardError * Double(own.point.outcomes.count).squareRoot()
      })
  }
}
