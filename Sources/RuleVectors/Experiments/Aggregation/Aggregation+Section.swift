import Reports
import TensorCore

extension Aggregation {
  /// One direction, over episodes.
  private struct Result {
    let direction: Direction
    let layer: Int
    let games: [Game]

    var players: Int { games.first?.players ?? 0 }
    var spans: [Double] { games.map(\.span) }

    /// A quantity in logits as a share of the distance between the two runs.
    func share(_ value: (Game) -> Double) -> Interval {
      RatioInterval.fieller(games.map(value), over: spans)
    }

    /// (Σφ)² / Σφ², ratio of means over episodes, the squares from separate halves of the orders.
    var participationRatio: Interval {
      RatioInterval.fieller(games.map { $0.joint * $0.joint }, over: games.map(\.sumOfSquares))
    }
  }

  func section(_ records: [Record<AggregationRow>], _ findings: Findings) throws -> Section {
    var section = Section(heading: findings.title)
    let results = directions.compactMap { direction -> Result? in
      let own = records.filter { $0.row.direction == direction }
      let episodes = Dictionary(grouping: own, by: \.episode)
      let games = episodes.keys.sorted().compactMap { episode in
        episodes[episode].flatMap { Game($0.map(\.row)) }
      }
      guard let layer = own.first?.row.layer, !games.isEmpty else { return nil }
      return Result(direction: direction, layer: layer, games: games)
    }
    let claims = results.flatMap { self.claims($0, findings) }
    if let forward = results.first(where: { $0.direction == .donorIntoRecipient }) {
      section.answers = [answer(forward)]
    }
    if !claims.isEmpty { section.elements.append(.claims(claims)) }
    section.elements.append(.paragraph(method))
    for result in results {
      section.elements.append(.figure(doseFigure(result, findings)))
      section.elements.append(.figure(shareFigure(result, findings)))
    }
    if !results.isEmpty { section.elements.append(.table(table(results, findings))) }
    if let spans = valuesOverTokens(results, findings) { section.elements.append(.tokens(spans)) }
    section.headers = ["players of \(findings.probe)", "layer", "all together", "one", "n"]
    section.rows = results.map { result in
      [
        "\(result.players) \(players.rawValue), \(result.direction.rawValue)", "\(result.layer)",
        result.share(\.joint).text, result.share { mean($0.alone) }.text,
        "\(result.games.count)",
      ]
    }
    for result in results {
      for size in 0...result.players {
        section.add(
          result: [
            ("probe", .string(findings.probe)), ("task", .string(findings.task)),
            ("donor", .string(donor.rawValue)), ("recipient", "flipped-rule"),
            ("direction", .string(result.direction.rawValue)),
            ("positions", .string("\(size) of \(result.players) \(players.rawValue)")),
            ("layer", .integer(result.layer)),
          ], metric: "recovery", result.share { $0.doses[size] }, count: result.games.count)
      }
    }
    section.summary = [("directions", .array(results.map(json)))]
    return section
  }

  private var method: String {
    "Players are \(players == .pairs ? "pairs of one demonstration of either label (groups of one of each where there are more), so that no patch changes how often a label is seen" : "single demonstrations"). "
      + "Each is patched alone, left out of all, and added along \(permutations) random orders; the "
      + "mean contribution along the orders is its Shapley value. Best players and squares are taken "
      + "from one half of the orders and measured in the other, so that noise makes nobody a carrier."
  }

  private func mean(_ values: [Double]) -> Double {
    values.reduce(0, +) / Double(max(values.count, 1))
  }

  private func answer(_ result: Result) -> String {
    let word = players.words
    return "\(donor == .swappedSlots ? "With the labels held fixed, one" : "One") \(word) of "
      + "\(result.players) brings \(result.share { mean($0.alone) }.text) of the rule, the best "
      + "\(result.share(\.bestPlayer).text), all \(result.share(\.joint).text); contributions are spread "
      + "as over \(result.participationRatio.text(digits: 1)) equal ones."
  }

  private func claims(_ result: Result, _ findings: Findings) -> [Claim] {
    let (games, n, layer) = (result.games, result.players, result.layer)
    let word = players.words
    func claim(
      _ name: String, _ sentence: String, _ evidence: String, paper: Int?, unit: String = "logits",
      _ difference: (Game) -> Double
    ) -> Claim {
      Claim(
        Self.kind, name: "\(findings.probe).\(name)", sentence: sentence, evidence: evidence,
        differences: games.map(difference), resolution: Measurement.resolution, unit: unit,
        paperClaim: paper, seed: findings.seed)
    }
    func logits(_ value: (Game) -> Double) -> String {
      MeanInterval.student(games.map(value)).text(digits: 3)
    }
    // With the clean run's labels a copied label is shared out, too.
    func counted(_ claim: Int) -> Int? { donor == .swappedSlots ? claim : nil }
    guard result.direction == .donorIntoRecipient else {
      return [
        claim(
          "answers-necessary",
          "With the flipped run's answer positions after layer \(layer), \(donor.words) loses its rule.",
          "All together move \(result.share(\.joint).text) of the way to the flipped run.",
          paper: counted(2), \.joint),
        claim(
          "each-necessary",
          "Each \(word) of \(donor.words) that is left uncorrupted keeps some of the rule.",
          "Leaving one of \(n) out of the corruption changes the effect by "
            + "\(logits { mean($0.lost) }) logits on average.", paper: nil, { mean($0.lost) }),
      ]
    }
    // Shares of nothing are uneven whatever they are: Σφ is then smaller than its noise, and Σφ² is not.
    let total = MeanInterval.student(games.map(\.joint))
    let hasShares = total.low > Measurement.resolution
    let ratio = "Participation ratio \(result.participationRatio.text(digits: 1)) of \(n)"
    // One that brings half has (Σφ/2)² of Σφ², so that the ratio is at most 4. Its own value cannot be tested: whoever
    // finds the best one by noisy values finds one that is not as good, which would speak for the sentence.
    let singleCarrier =
      !hasShares || n <= 4
      ? []
      : [
        claim(
          "no-single-carrier",
          "The rule is spread over the \(word)s of \(donor.words) as over more than four equal ones, so that no "
            + "single one brings half of it.",
          "\(ratio); where one brings half it is at most 4. The best one, found with one half of the orders and "
            + "measured with the other, brings \(logits(\.bestPlayer)) of \(logits(\.joint)) logits.",
          paper: counted(3), unit: "logits²",
          { $0.joint * $0.joint / 4 - $0.sumOfSquares })
      ]
    // Of eight, more than half of them are more than four.
    let spread =
      !hasShares || n == 8
      ? []
      : [
        claim(
          "spread",
          "The rule is spread over the \(players == .pairs ? "pairs" : "demonstrations") of "
            + "\(donor.words) as over more than half of them.",
          "\(ratio); equal shares would give \(n), one carrier 1.", paper: counted(3),
          unit: "logits²",
          { $0.joint * $0.joint - Double(n) / 2 * $0.sumOfSquares })
      ]
    let contrast = Curvature.contrast(n)
    // A mean over all is above zero where a single one brings everything, too: it does not speak for
    // the paper's claim that all contribute.
    return [
      claim(
        "each-contributes",
        "A single \(word) of \(donor.words) brings some of the rule after layer \(layer), on average "
          + "over the \(n).",
        "\(logits { mean($0.alone) }) logits each, \(logits(\.joint)) all together.", paper: nil,
        { mean($0.alone) })
    ] + singleCarrier + spread + [
      claim(
        "saturation",
        "The effect saturates: the first \(word)s of \(donor.words) bring more than the last.",
        "Quadratic contrast of the dose–response curve "
          + "\(logits { game in zip(contrast, game.doses).reduce(0) { $0 + $1.0 * $1.1 } }) logits; "
          + "additivity predicts 0.", paper: nil,
        { game in -zip(contrast, game.doses).reduce(0) { $0 + $1.0 * $1.1 } })
    ]
  }

  private static let note = "Bands: 95 % intervals of the ratio of means (Fieller) over episodes."

  private func doseFigure(_ result: Result, _ findings: Findings) -> Figure {
    let forward = result.direction == .donorIntoRecipient
    let n = result.players
    let name = players == .pairs ? "pairs of demonstrations" : "demonstrations"
    return Figure(
      name: "\(findings.stem)-dose-\(result.direction.rawValue)",
      chart: LineChart(
        title: forward
          ? "k of \(n) \(name) from \(donor.words) into the flipped one"
          : "k of \(n) \(name) from the flipped run into \(donor.words)",
        xTitle: "patched \(name) k, after layer \(result.layer)",
        yTitle: forward ? "recovery" : "loss",
        series: [
          LineChart.Series(
            name: "mean over random sets",
            points: (0...n).map { size in
              let share = result.share { $0.doses[size] }
              return LineChart.Point(
                x: Double(size), y: share.estimate, low: share.low, high: share.high)
            })
        ],
        straightLines: [
          LineChart.StraightLine(
            start: (x: 0, y: 0), end: (x: Double(n), y: result.share(\.joint).estimate),
            label: "additive prediction")
        ], intervalNote: Self.note),
      caption: forward
        ? "Sufficiency: the share of the way to \(donor.words) that k of them bring."
        : "Necessity: the share of the way to the flipped run that k corrupted ones cost.")
  }

  private func shareFigure(_ result: Result, _ findings: Findings) -> Figure {
    func series(_ name: String, _ value: @escaping (Game, Int) -> Double) -> LineChart.Series {
      LineChart.Series(
        name: name,
        points: (0..<result.players).map { player in
          let share = result.share { value($0, player) }
          return LineChart.Point(
            x: Double(player + 1), y: share.estimate, low: share.low, high: share.high)
        })
    }
    let even = result.share(\.joint).estimate / Double(result.players)
    let forward = result.direction == .donorIntoRecipient
    return Figure(
      name: "\(findings.stem)-shares-\(result.direction.rawValue)",
      chart: LineChart(
        title: forward
          ? "What each \(players.words) brings: \(donor.words) into the flipped one"
          : "What each \(players.words) costs: the flipped run into \(donor.words)",
        xTitle: "\(players.words) (order in the prompt)", yTitle: "share of the way",
        series: [
          series("alone") { $0.alone[$1] }, series("Shapley value") { $0.shapley[$1] },
          series("lost without it") { $0.lost[$1] },
        ],
        horizontalLines: [LineChart.HorizontalLine(y: even, label: "even share")],
        intervalNote: Self.note),
      caption:
        "Mean over episodes. Shapley values of an episode sum to the joint effect; the even share is "
        + "an equal part of it.")
  }

  /// Each demonstration's Shapley value over its answer in an example prompt.
  private func valuesOverTokens(_ results: [Result], _ findings: Findings) -> TokenSpans? {
    guard players == .demonstrations,
      let result = results.first(where: { $0.direction == .donorIntoRecipient }),
      let example = findings.examples.first(where: { $0.name == donor.rawValue })
    else { return nil }
    return example.spans(
      caption:
        "An example of \(donor.words). Over each answer stands the mean Shapley value of its place in the "
        + "prompt, as a share of the way, over all episodes.", valueNote: "Shapley value"
    ) { _, token in
      guard token.role == TokenRole.answer.rawValue, let number = token.demonstration,
        number < result.players
      else { return nil }
      return result.share { $0.shapley[number] }.estimate
    }
  }

  /// Concentration, beside what equal shares with the same noise would show.
  private func concentration(_ result: Result, _ findings: Findings) -> (
    gini: Interval, equalGini: Interval
  ) {
    let gini = MeanInterval.student(result.games.map { Concentration.gini($0.shapley) })
    let equal = result.games.enumerated().map { number, game in
      var random = RandomStream(seed: findings.seed, path: [0x6161, UInt64(number)])
      let draws = (0..<32).map { _ in
        let noisy = (0..<game.players).map { _ in
          game.joint / Double(game.players) + game.samplingError * Double(random.normal())
        }
        return Concentration.gini(noisy)
      }
      return mean(draws)
    }
    return (gini, MeanInterval.student(equal))
  }

  private func table(_ results: [Result], _ findings: Findings) -> HTMLTable {
    HTMLTable(
      headers: [
        "direction", "layer", "all together", "best player", "participation ratio", "Gini",
        "Gini of equal shares with the same noise",
      ],
      rows: results.map { result in
        let (gini, equal) = concentration(result, findings)
        return [
          result.direction.rawValue, String(result.layer), result.share(\.joint).text,
          result.share(\.bestPlayer).text,
          "\(result.participationRatio.text(digits: 1)) of \(result.players)", gini.text,
          equal.text,
        ]
      },
      caption:
        "Spread of the Shapley values of \(donor.words). The noise is that of sampling orders; an "
        + "episode's own words make its demonstrations differ too, which counts as unevenness.")
  }

  private func json(_ result: Result) -> JSONValue {
    [
      "direction": .string(result.direction.rawValue), "donor": .string(donor.rawValue),
      "layer": .integer(result.layer), "players": .string(players.rawValue),
      "count": .integer(result.players), "episodes": .integer(result.games.count),
      "doses": .array(
        (0...result.players).map { size in
          ["count": .integer(size), "recovery": result.share { $0.doses[size] }.json]
        }),
      "alone": .array((0..<result.players).map { i in result.share { $0.alone[i] }.json }),
      "left_out": .array((0..<result.players).map { i in result.share { $0.lost[i] }.json }),
      "shapley": .array((0..<result.players).map { i in result.share { $0.shapley[i] }.json }),
      "best_player": result.share(\.bestPlayer).json,
      "participation_ratio": result.participationRatio.json,
    ]
  }
}
