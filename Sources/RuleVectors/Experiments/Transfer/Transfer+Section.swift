import Reports
import TensorCore

extension Transfer {
  /// What vectors of one format do.
  private struct Result {
    let change: FormatChange
    let format: String
    let curve: LayerCurve
    /// Half the difference between both rules' runs in the donor's own format, episode by episode.
    let ownGaps: [Double]

    var ownGap: Interval { MeanInterval.student(ownGaps) }
    /// Whether the donors' own prompts show the rule.
    var hasRule: Bool { ownGap.low > 0 }
    var name: String { change == .nothing ? change.rawValue : "\(change.rawValue): \(format)" }
  }

  func section(_ records: [Record<TransferRow>], _ findings: Findings) throws -> Section {
    var section = Section(heading: findings.title)
    let results = FormatChange.allCases.compactMap { result($0, records) }
    let chosen = try choice.layer(findings)
    let claims = chosen.map { self.claims(results, at: $0, findings) } ?? []
    section.answers = chosen.flatMap { answer(results, at: $0) }.map { [$0] } ?? []
    if !claims.isEmpty { section.elements.append(.claims(claims)) }
    if chosen == nil {
      section.elements.append(
        .paragraph("The development episodes that choose the layer are not all there yet."))
    }
    section.elements += [.paragraph(method), .paragraph(limits)]
    let figures = RecoveryFigures(
      stem: findings.stem, curves: results.map { ($0.name, $0.curve) },
      title: "Answer vectors of other formats", zero: "flipped run", one: "donor run",
      marker: chosen.map {
        ($0, choice.probe == nil ? "named by the probe: \($0)" : "chosen on development: \($0)")
      },
      caption:
        "Residual stream at all answer positions from \(donor.words), answer by answer, into the "
        + "prompt of the run's format under the flipped rule. Recovery is half the difference between "
        + "donors of both rules, as a share of that of the format's own runs.")
    section.elements += figures.all.map { .figure($0) }
    section.charts = [
      Section.Chart(
        title: "\(findings.probe): recovery by layer", xTitle: "layer",
        series: results.map { ($0.name, $0.curve.points(\.recovery)) }, reference: 0)
    ]
    section.headers = [
      "vectors from", "layer", "recovery", "logits", "in its own format, logits", "first of two",
      "n",
    ]
    section.rows = results.compactMap { result in
      result.curve.point(chosen).map { point in
        [
          result.name, String(point.layer), point.recovery.text,
          MeanInterval.student(point.outcomes.map(\.effect)).text, result.ownGap.text,
          point.candidateAccuracy.text, String(point.outcomes.count),
        ]
      }
    }
    if !section.rows.isEmpty {
      section.elements.append(
        .table(
          HTMLTable(
            headers: section.headers, rows: section.rows,
            caption:
              "At the layer that the sentences speak of. Logits are half the difference between donors "
              + "of both rules: in the recipient, and between the donors' own answers in their own prompts."
          )))
    }
    for result in results {
      section.add(
        results: result.curve,
        of: [
          ("probe", .string(findings.probe)), ("task", .string(findings.task)),
          ("donor", .string(donor.rawValue)), ("recipient", "flipped-rule"),
          ("change", .string(result.change.rawValue)), ("donor_format", .string(result.format)),
          ("positions", "answers"),
        ])
    }
    section.summary = [
      ("chosen_layer", chosen.map(JSONValue.integer) ?? .null),
      (
        "curves",
        .array(
          results.map {
            [
              "donor": .string(donor.rawValue), "change": .string($0.change.rawValue),
              "donor_format": .string($0.format), "own_format_logits": $0.ownGap.json,
              "episodes": .integer($0.curve.episodes.count),
              "points": .array($0.curve.points.map(\.json)),
            ]
          })
      ),
    ]
    return section
  }

  private func result(_ change: FormatChange, _ records: [Record<TransferRow>]) -> Result? {
    let own = records.filter { $0.row.change == change }
    guard let format = own.first?.row.format else { return nil }
    var flipped: [[Int]: TransferRow] = [:]
    for record in own where record.row.isFlipped {
      flipped[[record.episode, record.row.layer]] = record.row
    }
    var cells: [(episode: Int, layer: Int, outcome: Outcome)] = []
    var gaps: [Int: Double] = [:]
    for record in own where !record.row.isFlipped {
      guard let other = flipped[[record.episode, record.row.layer]] else { continue }
      var outcome = record.row.outcome
      outcome.flipped = Outcome.Counterpart(
        patched: other.outcome.patched.logitDifference, donor: other.outcome.donor)
      cells.append((record.episode, record.row.layer, outcome))
      gaps[record.episode] = (Double(record.row.own) - Double(other.own)) / 2
    }
    let curve = LayerCurve(cells)
    guard !curve.episodes.isEmpty else { return nil }
    return Result(
      change: change, format: format, curve: curve,
      ownGaps: curve.episodes.compactMap { gaps[$0] })
  }

  private var method: String {
    "Both formats write the same episode, with labels of the same number in their set"
      + (donor == .swappedSlots
        ? "; items of exchanged classes are drawn in lengths that fit each format" : "")
      + ". Vectors go from answer to answer, whatever their positions; a vector taken elsewhere in a "
      + "prompt keeps what that position left in it. An effect is half the difference between donors of "
      + "the rule and of the flipped rule in the same format, so what vectors of a format do whatever "
      + "their rule counts for nothing."
      + (donor == .swappedSlots
        ? " Both donors hold the same labels slot by slot, on items of exchanged classes: a copied "
          + "label predicts 0."
        : "")
  }

  private var limits: String {
    "What recovery above zero means depends on what changes. With another template or language the labels "
      + "stay, "
      + (donor == .clean
        ? "and a copied label would bring as much as a rule: only donors with the labels held fixed "
          + "tell them apart. "
        : "and are held fixed. ")
      + "With other labels a copied one is no answer here and predicts nothing; a rule predicts "
      + "something only as far as the model takes label i of one set for label i of the other, which "
      + "the prompt never tells it. So recovery above zero there is more than copying, while none does "
      + "not say that the vectors hold no abstract rule."
  }

  private func answer(_ results: [Result], at layer: Int) -> String? {
    let parts = results.compactMap { result in
      result.curve.point(layer).map { "\($0.recovery.text) \(result.change.words)" }
    }
    guard parts.count > 1 else { return nil }
    return "After layer \(layer) answer vectors of prompts bring, as a share of the rule: "
      + parts.joined(separator: ", ") + "."
  }

  private func claims(_ results: [Result], at layer: Int, _ findings: Findings) -> [Claim] {
    func claim(
      _ name: String, _ sentence: String, _ evidence: String, _ differences: [Double],
      paper: Int? = nil
    ) -> Claim {
      Claim(
        Self.kind, name: "\(findings.probe).\(name)", sentence: sentence, evidence: evidence,
        differences: differences, resolution: Measurement.resolution, unit: "logits",
        paperClaim: paper, seed: findings.seed)
    }
    let home = results.first { $0.change == .nothing }
    var claims: [Claim] = []
    for result in results where result.change != .nothing {
      guard let point = result.curve.point(layer), !point.outcomes.isEmpty else { continue }
      let isMoreThanCopying = donor == .swappedSlots || result.change == .labels
      claims.append(
        claim(
          "carries.\(result.change.rawValue)",
          "Answer vectors after layer \(layer) of prompts \(result.change.words) bring the rule.",
          "Recovery \(point.recovery.text) from \(result.format), after layer \(layer), "
            + "\(choice.words); both rules' runs in that format differ by \(result.ownGap.text) logits "
            + "(half the difference)."
            + (isMoreThanCopying ? "" : " A copied label would do it too.")
            + (result.hasRule
              ? "" : " That format's own runs do not clearly show the rule that they would bring."),
          point.outcomes.map(\.effect), paper: isMoreThanCopying && result.hasRule ? 5 : nil))
      if let own = home?.curve.point(layer), own.outcomes.count == point.outcomes.count {
        claims.append(
          claim(
            "less.\(result.change.rawValue)",
            "Answer vectors after layer \(layer) of prompts \(result.change.words) bring less than "
              + "those of the same format.",
            "Recovery \(point.recovery.text) against \(own.recovery.text).",
            zip(own.outcomes, point.outcomes).map { $0.effect - $1.effect }))
      }
    }
    return claims
  }
}
