import Reports
import TensorCore

extension Convergence {
  /// One kind of pairs on one task.
  private struct Result {
    let task: String
    let pairs: Pairs
    let curve: ConvergenceCurve
    /// Of the largest centred cosine on development episodes; nil where these are not all there, or
    /// where there is no other rule.
    let chosen: Int?
    /// "flipped", or the name of another knowledge task; nil where there is none.
    let otherRule: String?

    var isCategorization: Bool { otherRule == "flipped" }
    var hasOtherRule: Bool { otherRule != nil }
  }

  func section(_ records: [Record<ConvergenceRow>], _ findings: Findings) throws -> Section {
    var section = Section(heading: findings.title)
    let tasks =
      [findings.task]
      + records.map(\.key.task).reduce(into: []) {
        if $1 != findings.task, !$0.contains($1) { $0.append($1) }
      }
    let results = tasks.flatMap { task in
      Pairs.allCases.compactMap { result(task, $0, records.filter { $0.key.task == task }) }
    }
    let claims = claims(results, findings)
    section.answers = answers(results)
    if !claims.isEmpty { section.elements.append(.claims(claims)) }
    section.elements += [.paragraph(method), .paragraph(limits)]
    section.elements += figures(results, findings).map { .figure($0) }
    section.elements.append(.table(table(results)))
    section.charts = [
      Section.Chart(
        title: "\(findings.probe): centred cosine to the global vector", xTitle: "layer",
        series: results.filter { $0.pairs == .global && $0.hasOtherRule }.map { result in
          (
            result.task,
            result.curve.layers.map {
              (Double($0), result.curve.interval($0, \.rest.centred).estimate)
            }
          )
        }, reference: 0)
    ]
    section.headers = ["task", "pairs", "late less early", "layer", "centred cosine", "n"]
    section.rows = results.compactMap { result in
      guard let chosen = result.chosen else { return nil }
      let values = result.curve.values(chosen, \.rest.centred)
      return [
        result.task, result.pairs.rawValue,
        MeanInterval.student(result.curve.lateLessEarly(\.rest.centred)).text, String(chosen),
        MeanInterval.student(values).text, String(values.count),
      ]
    }
    for result in results {
      for layer in result.curve.layers {
        for (metric, value) in Self.metrics {
          let values = result.curve.values(layer, value)
          guard !values.isEmpty else { continue }
          section.add(
            result: [
              ("probe", .string(findings.probe)), ("task", .string(result.task)),
              ("pairs", .string(result.pairs.rawValue)), ("positions", "answers"),
              ("layer", .integer(layer)),
            ], metric: metric, MeanInterval.student(values), count: values.count)
        }
      }
    }
    section.summary = [("results", .array(results.map(json)))]
    return section
  }

  private static let metrics: [(name: String, value: @Sendable (ConvergenceRow) -> Double?)] = [
    ("cosine_within", { $0.rest.within }), ("cosine_between", { $0.rest.between }),
    ("cosine_centred", { $0.rest.centred }), ("cosine_within_whole", { $0.whole.within }),
    ("cosine_between_whole", { $0.whole.between }), ("cosine_centred_whole", { $0.whole.centred }),
    ("largest_coordinates_share", { $0.largestShare }),
  ]

  private func result(_ task: String, _ pairs: Pairs, _ records: [Record<ConvergenceRow>])
    -> Result?
  {
    let own = records.filter { $0.row.pairs == pairs }
    let curve = ConvergenceCurve(own.filter { $0.key.split != .development })
    guard !curve.isEmpty else { return nil }
    let choosing = own.filter { $0.key.split == .development }
    let isChosen = Set(choosing.map(\.key)).count == development
    return Result(
      task: task, pairs: pairs, curve: curve,
      chosen: isChosen ? ConvergenceCurve(choosing).best(\.rest.centred) : nil,
      otherRule: own.first?.row.otherRule)
  }

  private var method: String {
    "A local vector is the residual stream at a demonstration's answer, a global vector the mean "
      + "last-position residual of \(donors) other episodes of the same rule. The other rule is the flipped "
      + "one, with the same items and the labels exchanged, or for a knowledge task another knowledge "
      + "task. Centred cosines are of vectors less the mean over both rules in their place: plain ones "
      + "are dominated by what all residual streams share. \(leftOut) coordinates with the largest "
      + "mean square, of every episode and layer, are left out of all cosines in sentences and figures; "
      + "the table has both. Early and late are the first and the last third of the layers; layers "
      + "are those of the largest centred cosine on \(development) development episodes."
  }

  private var limits: String {
    "Centred, a copied label points one way where it is shown and the other way where the other label is: "
      + "it alone gives −1 between slots with different labels, 1 between slots with the same, and "
      + "cancels against a global vector whose donors ask for either label equally often. Knowledge "
      + "tasks differ from each other by all their words, so their centred vectors hold more of single "
      + "items, which makes them less alike; levels of tasks are not comparable for that reason, which "
      + "is why what is compared is how they change with the layers. A cosine is no causal evidence."
  }

  /// Of cosines: what differs less is the rounding of f32, which errs alike in every episode.
  private static let resolution = 1e-5

  private func claims(_ results: [Result], _ findings: Findings) -> [Claim] {
    var claims: [Claim] = []
    func add(
      _ name: String, _ sentence: String, _ evidence: String, _ differences: [Double],
      paper: Int? = nil
    ) {
      claims.append(
        Claim(
          Self.kind, name: "\(findings.probe).\(name)", sentence: sentence, evidence: evidence,
          differences: differences, resolution: Self.resolution, unit: "cosine", paperClaim: paper,
          seed: findings.seed))
    }
    for result in results where result.hasOtherRule && result.pairs == .global {
      let rise = result.curve.lateLessEarly(\.rest.centred)
      if !rise.isEmpty, result.task == findings.task, result.isCategorization {
        add(
          "falls.\(result.task)",
          "On \(result.task) local vectors point less towards the global one in the last third of "
            + "the layers than in the first.",
          "Centred cosine, late less early: \(MeanInterval.student(rise).text).", rise.map { -$0 },
          paper: 4)
      } else if !rise.isEmpty {
        add(
          "rise.\(result.task)",
          "On \(result.task) local vectors point more towards the global one in the last third of "
            + "the layers than in the first.",
          "Centred cosine, late less early: \(MeanInterval.student(rise).text).", rise)
      }
      if let layer = result.chosen {
        add(
          "own-global.\(result.task)",
          "On \(result.task) local vectors after layer \(layer) point towards the global vector of "
            + "their rule rather than that of another.",
          evidence(result, layer), result.curve.values(layer, \.rest.centred))
      }
    }
    for result in results where result.task == findings.task && result.pairs == .otherAnswers {
      guard result.hasOtherRule, let layer = result.chosen else { continue }
      add(
        "alike-within-rule",
        "On \(result.task) local vectors of different answers after layer \(layer) are more alike "
          + "within a rule than between rules.",
        evidence(result, layer)
          + (result.isCategorization
            ? " Their labels differ within a rule and agree between rules: a copied label alone predicts −1."
            : ""),
        result.curve.values(layer, \.rest.centred))
      // Where answers are not labels, two slots have the same one by chance.
      let same = results.first { $0.task == result.task && $0.pairs == .sameAnswers }
      guard
        result.isCategorization,
        let balanced = same.map({ result.curve.means(with: $0.curve, layer, \.rest.centred) }),
        !balanced.isEmpty
      else { continue }
      add(
        "more-than-labels",
        "On \(result.task) local vectors after layer \(layer) share more of the rule than their "
          + "labels.",
        "Centred cosine \(MeanInterval.student(balanced).text) where pairs with the same and with "
          + "different labels count alike, so that copied labels cancel; what a label is to one class "
          + "alone counts too.", balanced)
    }
    return claims + comparisons(results, findings)
  }

  private func evidence(_ result: Result, _ layer: Int) -> String {
    func text(_ value: (ConvergenceRow) -> Double?) -> String {
      result.curve.interval(layer, value).text
    }
    let other = result.isCategorization ? "the flipped rule" : result.otherRule ?? "nothing"
    return
      "Held against \(other): centred cosine \(text(\.rest.centred)), with all coordinates \(text(\.whole.centred)); "
      + "uncentred \(text(\.rest.within)) within and \(text(\.rest.between)) between rules."
  }

  /// Whether local vectors converge more on a knowledge task than on the run's categorization.
  private func comparisons(_ results: [Result], _ findings: Findings) -> [Claim] {
    let global = results.filter { $0.pairs == .global && $0.hasOtherRule }
    guard let own = global.first(where: { $0.task == findings.task && $0.isCategorization }) else {
      return []
    }
    func change(_ result: Result) -> [Double] {
      result.curve.lateLessEarly(\.rest.centred).map { abs($0) < Self.resolution ? 0 : $0 }
    }
    let mine = change(own)
    return global.filter { !$0.isCategorization }.map { control in
      let theirs = change(control)
      let test = PermutationTest.independent(theirs, mine, seed: findings.seed)
      // Where nothing converges on the control, this is no convergence in some tasks.
      let rise = PermutationTest.paired(theirs, seed: findings.seed)
      let rises = rise.meanDifference > 0 && rise.pValue < Claim.level
      let difference = UncertainValue(values: theirs) - UncertainValue(values: mine)
      return Claim(
        Self.kind, name: "\(findings.probe).more-than-here.\(control.task)",
        sentence:
          "From early to late layers local vectors turn more towards the global one on \(control.task) "
          + "than on \(own.task).",
        evidence:
          "Centred cosine, late less early: \(MeanInterval.student(theirs).text) there, "
          + "\(MeanInterval.student(mine).text) here. Labels, which the global vector does not hold, press cosines "
          + "here towards 0; answers there differ from one another as well.",
        difference: test.meanDifference, pValue: test.pValue, samples: mine.count,
        effect: difference.interval(), unit: "cosine", paperClaim: rises ? 4 : nil,
        standardDeviation: difference.standardError * Double(mine.count).squareRoot())
    }
  }

  private func answers(_ results: [Result]) -> [String] {
    results.filter { $0.pairs == .global && $0.hasOtherRule }.map { result in
      let rise = MeanInterval.student(result.curve.lateLessEarly(\.rest.centred))
      return "On \(result.task) the centred cosine of local vectors to the global one changes by "
        + "\(rise.text) from the first third of the layers to the last."
    }
  }

  private func figures(_ results: [Result], _ findings: Findings) -> [Figure] {
    func figure(
      _ name: String, _ title: String, _ caption: String, _ series: [LineChart.Series],
      range: ClosedRange<Double>? = nil
    ) -> Figure? {
      guard !series.isEmpty else { return nil }
      return Figure(
        name: "\(findings.stem)-\(name)",
        chart: LineChart(
          title: title, xTitle: "layer (block output)", yTitle: "cosine", series: series,
          horizontalLines: [LineChart.HorizontalLine(y: 0, label: "unrelated")], yRange: range,
          intervalNote: "Bands: 95 % t intervals over episodes."),
        caption: caption)
    }
    let centred = results.filter(\.hasOtherRule)
    let own = results.filter { $0.task == findings.task }
    return [
      figure(
        "local-global", "Local vectors and the global one, centred",
        "Mean cosine between the local vectors of an episode and the global vector, both less their "
          + "mean over two rules.",
        centred.filter { $0.pairs == .global }.map { $0.curve.series($0.task, \.rest.centred) }),
      figure(
        "local-local", "Local vectors of an episode, centred",
        "Mean cosine between local vectors of one episode, less their mean over two rules, by whether "
          + "the slots show the same answer.",
        centred.filter { $0.pairs != .global }.map {
          $0.curve.series("\($0.task), \($0.pairs.words)", \.rest.centred)
        }, range: -1...1),
      figure(
        "uncentred", "Uncentred cosines on \(findings.task)",
        "The same vectors as they are: within the rule, and between one of the rule and one of the other. "
          + "Under the flipped rule slots with different labels hold what the other one holds under the "
          + "rule, so between rules the labels agree.",
        own.filter { $0.pairs != .sameAnswers }.flatMap { result in
          [result.curve.series("\(result.pairs.rawValue), within", \.rest.within)]
            + (result.hasOtherRule
              ? [result.curve.series("\(result.pairs.rawValue), between", \.rest.between)] : [])
        }),
    ].compactMap(\.self)
  }

  private func table(_ results: [Result]) -> HTMLTable {
    HTMLTable(
      headers: [
        "task", "pairs", "layer", "within", "between", "centred", "centred, all coordinates",
        "share of the largest", "n",
      ],
      rows: results.compactMap { result in
        // Without another rule nothing is centred, and the last layer stands for all.
        guard let layer = result.chosen ?? result.curve.layers.last else { return nil }
        func text(_ value: (ConvergenceRow) -> Double?) -> String {
          let values = result.curve.values(layer, value)
          return values.isEmpty ? "" : MeanInterval.student(values).text
        }
        return [
          result.task, result.pairs.rawValue, String(layer), text(\.rest.within),
          text(\.rest.between), text(\.rest.centred), text(\.whole.centred), text(\.largestShare),
          String(result.curve.values(layer, \.largestShare).count),
        ]
      },
      caption:
        "At the layer that development episodes chose for each row; reported episodes. The share is that "
        + "of the \(leftOut) largest coordinates in the squared length of uncentred local vectors.")
  }

  private func json(_ result: Result) -> JSONValue {
    [
      "task": .string(result.task), "pairs": .string(result.pairs.rawValue),
      "chosen_layer": result.chosen.map(JSONValue.integer) ?? .null,
      "late_less_early": MeanInterval.student(result.curve.lateLessEarly(\.rest.centred)).json,
      "points": .array(
        result.curve.layers.map { layer in
          .object(
            [("layer", .integer(layer))]
              + Self.metrics.map { ($0.name, result.curve.interval(layer, $0.value).json) })
        }),
    ]
  }
}

extension Convergence.Pairs {
  /// For figures.
  var words: String {
    switch self {
    case .otherAnswers: "different answers"
    case .sameAnswers: "same label"
    case .global: "to the global vector"
    }
  }
}
