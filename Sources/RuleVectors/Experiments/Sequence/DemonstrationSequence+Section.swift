import Reports
import TensorCore

extension DemonstrationSequence {
  /// What vectors taken behind one kind of predecessors do.
  private struct Result {
    let predecessors: Predecessors
    /// All slots together.
    let curve: LayerCurve
    /// Mean distance of positions in tokens.
    let shift: Double
    /// By slot, episode by episode, at the chosen layer.
    let slots: [[Outcome]]
  }

  func section(_ records: [Record<SequenceRow>], _ findings: Findings) throws -> Section {
    var section = Section(heading: findings.title)
    let results = ([.own] + others).compactMap { result($0, records) }
    let chosen = try choice.layer(findings)
    let claims = chosen.map { self.claims(results, at: $0, findings) } ?? []
    section.answers = chosen.flatMap { answer(results, at: $0) }.map { [$0] } ?? []
    if !claims.isEmpty { section.elements.append(.claims(claims)) }
    if chosen == nil {
      section.elements.append(
        .paragraph("The development episodes that choose the layer are not all there yet."))
    }
    section.elements.append(.paragraph(method(results)))
    let figures = RecoveryFigures(
      stem: findings.stem,
      curves: results.map { ($0.predecessors.rawValue, $0.curve) },
      title: "The same demonstrations' vectors behind other predecessors", zero: "flipped run",
      one: "donor run",
      marker: chosen.map {
        ($0, choice.probe == nil ? "named by the probe: \($0)" : "chosen on development: \($0)")
      },
      caption:
        "Residual stream at all answer positions of the demonstrations of \(donor.words), each taken "
        + "behind the predecessors that the line names, put into the same prompt under the flipped rule."
    )
    section.elements += figures.all.map { .figure($0) }
    section.elements += comparisons(results, findings).map { .paragraph($0) }
    if let figure = slotFigure(results, findings) { section.elements.append(.figure(figure)) }
    section.charts = [
      Section.Chart(
        title: "\(findings.probe): recovery by layer", xTitle: "layer",
        series: results.map { ($0.predecessors.rawValue, $0.curve.points(\.recovery)) },
        reference: 0)
    ]
    section.headers = [
      "taken behind", "layer", "recovery", "share of own", "logits less than own",
      "positions moved", "n",
    ]
    section.rows = results.compactMap { result in
      guard let point = result.curve.point(chosen), let own = ownPoint(results, chosen) else {
        return nil
      }
      return [
        result.predecessors.rawValue, String(point.layer), point.recovery.text,
        share(point, of: own).text,
        MeanInterval.student(differences(own, point)).text,
        "\(formatted(result.shift, digits: 1)) tokens", String(point.outcomes.count),
      ]
    }
    if !section.rows.isEmpty {
      section.elements.append(
        .table(
          HTMLTable(
            headers: section.headers, rows: section.rows,
            caption: "At the layer that the sentences speak of, all slots together.")))
    }
    for result in results {
      section.add(
        results: result.curve,
        of: [
          ("probe", .string(findings.probe)), ("task", .string(findings.task)),
          ("donor", .string(donor.rawValue)), ("recipient", "flipped-rule"),
          ("predecessors", .string(result.predecessors.rawValue)), ("positions", "answers"),
        ])
    }
    section.summary = [
      ("chosen_layer", chosen.map(JSONValue.integer) ?? .null),
      (
        "curves",
        .array(
          results.map {
            [
              "donor": .string(donor.rawValue), "predecessors": .string($0.predecessors.rawValue),
              "position_shift": .number($0.shift), "episodes": .integer($0.curve.episodes.count),
              "points": .array($0.curve.points.map(\.json)),
            ]
          })
      ),
    ]
    return section
  }

  private func result(_ predecessors: Predecessors, _ records: [Record<SequenceRow>]) -> Result? {
    let own = records.filter { $0.row.predecessors == predecessors }
    let together = own.filter { $0.row.slot == nil }
    guard !together.isEmpty else { return nil }
    let single = Dictionary(grouping: own.filter { $0.row.slot != nil }) { $0.row.slot ?? 0 }
    return Result(
      predecessors: predecessors,
      curve: LayerCurve(together.map { ($0.episode, $0.row.layer, $0.row.bothRules) }),
      shift: together.reduce(0) { $0 + $1.row.shift } / Double(together.count),
      slots: single.sorted { $0.key < $1.key }.map { _, rows in
        rows.sorted { $0.episode < $1.episode }.map(\.row.bothRules)
      })
  }

  private func ownPoint(_ results: [Result], _ layer: Int?) -> LayerCurve.Point? {
    results.first { $0.predecessors == .own }?.curve.point(layer)
  }

  private func differences(_ own: LayerCurve.Point, _ other: LayerCurve.Point) -> [Double] {
    zip(own.outcomes, other.outcomes).map { $0.effect - $1.effect }
  }

  private func share(_ point: LayerCurve.Point, of own: LayerCurve.Point) -> Interval {
    RatioInterval.fieller(point.outcomes.map(\.effect), over: own.outcomes.map(\.effect))
  }

  private func method(_ results: [Result]) -> String {
    let moved = results.filter { $0.shift > 0 }.map {
      "\(formatted($0.shift, digits: 1)) tokens \($0.predecessors.words)"
    }
    return
      "Every vector is of the same item with the same label, whatever stands before it, so copied "
      + "labels bring the same in all lines and cannot make them differ. Effects are half the difference between "
      + "the donor's vectors and those of the flipped prompt's own demonstrations, both taken behind the same kind "
      + "of predecessors: what taking vectors elsewhere does to any of them counts for nothing. A vector taken at another "
      + "position has another distance to the prompt's beginning, and what the model makes of that; "
      + "the sampler draws predecessors of the same length where the task has them. Mean distance "
      + "of positions: " + (moved.isEmpty ? "none" : moved.joined(separator: ", ")) + "."
  }

  private func answer(_ results: [Result], at layer: Int) -> String? {
    guard let own = ownPoint(results, layer) else { return nil }
    let kept = results.filter { $0.predecessors != .own }.compactMap { result in
      result.curve.point(layer).map {
        "\(share($0, of: own).text) \(result.predecessors.words)"
      }
    }
    guard !kept.isEmpty else { return nil }
    return "After layer \(layer) the vectors of the same demonstrations bring, as a share of what "
      + "their own bring: \(kept.joined(separator: ", "))."
  }

  private func claims(_ results: [Result], at layer: Int, _ findings: Findings) -> [Claim] {
    guard let own = ownPoint(results, layer), !own.outcomes.isEmpty else { return [] }
    func claim(
      _ name: String, _ sentence: String, _ evidence: String, _ differences: [Double],
      unit: String = "logits", paper: Int? = nil
    ) -> Claim {
      Claim(
        Self.kind, name: "\(findings.probe).\(name)", sentence: sentence, evidence: evidence,
        differences: differences, unit: unit, paperClaim: paper, seed: findings.seed)
    }
    var claims: [Claim] = []
    for result in results where result.predecessors != .own {
      guard let point = result.curve.point(layer), point.outcomes.count == own.outcomes.count
      else { continue }
      let numbers =
        "Recovery \(own.recovery.text) behind its own predecessors, \(point.recovery.text) "
        + "\(result.predecessors.words), after layer \(layer), \(choice.words)."
        + (result.shift > 0
          ? " Positions differ by \(formatted(result.shift, digits: 1)) tokens on average." : "")
      claims.append(
        claim(
          "over-\(result.predecessors.rawValue)", sentence(result.predecessors, layer), numbers,
          differences(own, point)))
    }
    // Dummies keep the position, so they go before nothing at all.
    let bare = [Predecessors.dummies, .none].lazy.compactMap { predecessors in
      results.first { $0.predecessors == predecessors }
    }.first
    if let bare, let point = bare.curve.point(layer) {
      claims.append(
        claim(
          "local",
          "After layer \(layer) vectors of demonstrations that had no rule before them bring some of the rule.",
          "Recovery \(point.recovery.text), taken \(bare.predecessors.words), half the difference between both "
            + "rules' vectors; vectors without a rule bring 0."
            + (donor == .clean ? " A copied label would do it too." : ""),
          point.outcomes.map(\.effect), paper: donor == .swappedSlots ? 2 : nil))
    }
    if let slopes = slopes(results) {
      claims.append(
        claim(
          "later-slots",
          "The later a demonstration, the more its vector after layer \(layer) owes to the rule of "
            + "those before it.",
          "Logits lost by taking it behind the flipped rule, one slot patched at a time: slope "
            + "\(MeanInterval.student(slopes).text) a slot, from the second slot on.",
          slopes, unit: "logits a slot"))
    }
    return claims
  }

  private func sentence(_ predecessors: Predecessors, _ layer: Int) -> String {
    let start = "After layer \(layer) vectors bring more behind their own predecessors than "
    return switch predecessors {
    case .own: ""
    case .otherItems:
      start + "behind other items of the same rule: they depend on which came before."
    case .flippedRule: start + "behind the same items under the flipped rule."
    case .dummies: start + "behind dummies: a rule that was shown before adds to them."
    case .none: start + "alone at the beginning of a prompt."
    }
  }

  /// What single slots lose behind the flipped rule, by slot and episode.
  private func losses(_ results: [Result], _ predecessors: Predecessors) -> [[Double]] {
    guard let own = results.first(where: { $0.predecessors == .own }),
      let other = results.first(where: { $0.predecessors == predecessors })
    else { return [] }
    return zip(own.slots, other.slots).map { zip($0, $1).map { $0.effect - $1.effect } }
  }

  /// An episode's slope of these losses over slots, without the first: nothing is before it, so it
  /// loses nothing, and would tilt a line that is flat behind it.
  private func slopes(_ results: [Result]) -> [Double]? {
    let losses = Array(losses(results, .flippedRule).dropFirst())
    guard losses.count > 2, let count = losses.map(\.count).min(), count > 0 else { return nil }
    return (0..<count).compactMap { episode in
      LinearFit(x: losses.indices.map(Double.init), y: losses.map { $0[episode] })?.slope
    }
  }

  /// Where one curve lies below that of own predecessors, layer by layer.
  private func comparisons(_ results: [Result], _ findings: Findings) -> [String] {
    guard let own = results.first(where: { $0.predecessors == .own })?.curve else { return [] }
    return results.filter { $0.predecessors != .own }.map { result in
      let less = own.layersWhereGreater(than: result.curve, seed: findings.seed)
      let more = result.curve.layersWhereGreater(than: own, seed: findings.seed)
      return
        "Taken \(result.predecessors.words) vectors bring less after \(layerWords(less)), more "
        + "after \(layerWords(more)) (paired permutation tests, Holm's correction for the layers)."
    }
  }

  private func slotFigure(_ results: [Result], _ findings: Findings) -> Figure? {
    let series = results.filter { $0.predecessors != .own }.map { result in
      LineChart.Series(
        name: result.predecessors.rawValue,
        points: losses(results, result.predecessors).enumerated().map { slot, values in
          let loss = MeanInterval.student(values)
          return LineChart.Point(
            x: Double(slot + 1), y: loss.estimate, low: loss.low, high: loss.high)
        })
    }.filter { !$0.points.isEmpty }
    guard !series.isEmpty else { return nil }
    return Figure(
      name: "\(findings.stem)-by-slot",
      chart: LineChart(
        title: "What a demonstration's vector owes to those before it",
        xTitle: "demonstration", yTitle: "logits less than own", series: series,
        horizontalLines: [LineChart.HorizontalLine(y: 0, label: "owes nothing")],
        intervalNote: "Bands: 95 % t intervals over episodes."),
      caption:
        "One answer position patched at a time, at the layer that the sentences speak of: the effect of "
        + "the vector taken behind its own predecessors less that of the vector of the same "
        + "demonstration behind others. The first has nothing before it.")
  }
}
