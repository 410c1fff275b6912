import Reports
import TensorCore

extension LayerSweep {
  func section(_ records: [Record<LayerSweepRow>], _ findings: Findings) throws -> Section {
    var section = Section(heading: findings.title)
    let curves = groups.map { group in
      (
        group: group,
        curve: LayerCurve(
          records.filter { $0.row.positions == group }
            .map { ($0.episode, $0.row.layer, $0.row.outcome) })
      )
    }
    let chosen = try choice?.layer(findings)
    let claims = chosen.map { self.claims(curves, at: $0, findings) } ?? []
    section.answers = chosen.flatMap { answer(curves, at: $0) }.map { [$0] } ?? []
    if !claims.isEmpty { section.elements.append(.claims(claims)) }
    if chosen == nil {
      section.elements.append(
        .paragraph(
          choice == nil
            ? "The probe names no layer, so there are curves and no sentences: to pick a layer by its "
              + "result here would be to choose on what is reported."
            : "The development episodes that choose the layer are not all there yet."))
    }
    let figures = RecoveryFigures(
      stem: findings.stem, curves: curves.map { (label($0.group), $0.curve) },
      title: "Recovery of the clean answer in the flipped prompt", zero: "flipped run",
      one: "donor run",
      marker: chosen.map {
        ($0, choice?.probe == nil ? "named by the probe: \($0)" : "chosen on development: \($0)")
      },
      caption:
        "Residual stream after each layer, from \(donor.words) into the same prompt under the flipped "
        + "rule. Recovery is the share of the way from the flipped run's to the donor run's mean "
        + "logit difference; it is not clipped. Keys and values of the patched positions up to that "
        + "layer stay the flipped run's.", candidates: findings.candidates)
    section.elements += figures.all.map { .figure($0) }
    section.elements += comparisons(curves, findings).map { .paragraph($0) }
    section.charts = [
      Section.Chart(
        title: "\(findings.probe): recovery by layer", xTitle: "layer",
        series: curves.map { (label($0.group), $0.curve.points(\.recovery)) }, reference: 0)
    ]
    section.headers = ["patched", "layer", "recovery", "first of all", "n"]
    section.rows = curves.compactMap { group, curve in
      curve.point(chosen).map { point in
        [
          label(group), String(point.layer), point.recovery.text, point.accuracy.text,
          String(curve.episodes.count),
        ]
      }
    }
    for (group, curve) in curves {
      section.add(
        results: curve,
        of: [
          ("probe", .string(findings.probe)), ("task", .string(findings.task)),
          ("donor", .string(donor.rawValue)), ("recipient", "flipped-rule"),
          ("positions", .string(group.rawValue)),
        ])
    }
    section.summary = [
      ("chosen_layer", chosen.map(JSONValue.integer) ?? .null),
      (
        "curves",
        .array(
          curves.map { group, curve in
            [
              "donor": .string(donor.rawValue), "recipient": "flipped-rule",
              "positions": .string(group.rawValue), "episodes": .integer(curve.episodes.count),
              "points": .array(curve.points.map(\.json)),
            ]
          })
      ),
    ]
    return section
  }

  private typealias Curves = [(group: PositionGroup, curve: LayerCurve)]

  private func label(_ group: PositionGroup) -> String {
    donor == .swappedSlots ? "\(group.rawValue), same labels" : group.rawValue
  }

  private func words(_ group: PositionGroup) -> String {
    switch group {
    case .answers: "the answer positions"
    case .inputs: "as many input positions"
    case .last: "the last position"
    }
  }

  private func point(_ curves: Curves, _ group: PositionGroup, _ layer: Int) -> LayerCurve.Point? {
    curves.first { $0.group == group }?.curve.point(layer)
  }

  private func answer(_ curves: Curves, at layer: Int) -> String? {
    guard let answers = point(curves, .answers, layer) else { return nil }
    if donor == .swappedSlots {
      return "With the labels held fixed, the answer positions after layer \(layer) still bring "
        + "\(answers.recovery.text) of the rule."
    }
    let others = groups.filter { $0 != .answers }.compactMap { group in
      point(curves, group, layer).map { "\(words(group)) \($0.recovery.text)" }
    }
    return
      "After layer \(layer) all answer positions together bring \(answers.recovery.text) of the "
      + "rule" + (others.isEmpty ? "." : ", \(others.joined(separator: ", ")).")
  }

  /// Tested sentences at the layer that was chosen or named.
  private func claims(_ curves: Curves, at layer: Int, _ findings: Findings) -> [Claim] {
    guard let answers = point(curves, .answers, layer), !answers.outcomes.isEmpty else { return [] }
    func claim(_ name: String, _ sentence: String, _ evidence: String, _ differences: [Double])
      -> Claim
    {
      Claim(
        Self.kind, name: "\(findings.probe).\(name)", sentence: sentence, evidence: evidence,
        differences: differences, resolution: Measurement.resolution, unit: "logits",
        // From the clean run a copied label does all of it.
        paperClaim: donor == .swappedSlots ? 2 : nil, seed: findings.seed)
    }
    let chosen = choice?.words ?? ""
    if donor == .swappedSlots {
      return [
        claim(
          "more-than-label-copy",
          "The answer positions after layer \(layer) hold more than their own label.",
          "A donor with the same labels slot by slot but the other rule recovers "
            + "\(answers.recovery.text) after layer \(layer), \(chosen); copying labels predicts 0.",
          answers.outcomes.map(\.effect))
      ]
    }
    return [
      claim(
        "answers-carry-rule",
        "The residual stream at the answer positions after layer \(layer) carries the rule, labels "
          + "included.",
        "Recovery \(answers.recovery.text) of the clean run's logit difference after layer \(layer), "
          + "\(chosen). A copied label would do it too; the donor with the same labels tells the two "
          + "apart.",
        answers.outcomes.map(\.effect))
    ]
      + groups.filter { $0 != .answers }.compactMap { group in
        guard let rival = point(curves, group, layer),
          rival.outcomes.count == answers.outcomes.count
        else { return nil }
        return claim(
          "answers-over-\(group.rawValue)",
          "After layer \(layer) the rule is at the answer positions rather than at \(words(group)).",
          "Recovery by all answer positions \(answers.recovery.text), by \(words(group)) "
            + "\(rival.recovery.text).",
          zip(answers.outcomes, rival.outcomes).map { $0.effect - $1.effect })
      }
  }

  /// Where one curve lies above another, layer by layer.
  private func comparisons(_ curves: Curves, _ findings: Findings) -> [String] {
    guard let answers = curves.first(where: { $0.group == .answers })?.curve else { return [] }
    return curves.filter { $0.group != .answers }.map { group, curve in
      let more = answers.layersWhereGreater(than: curve, seed: findings.seed)
      let less = curve.layersWhereGreater(than: answers, seed: findings.seed)
      return
        "Answer positions recover more than \(words(group)) after \(layerWords(more)), less after "
        + "\(layerWords(less)) (paired permutation tests, Holm's correction for the layers)."
    }
  }
}

/// "layers 3, 5 to 9", "no layer".
func layerWords(_ layers: [Int]) -> String {
  var runs: [ClosedRange<Int>] = []
  for layer in layers.sorted() {
    if let last = runs.last, last.upperBound + 1 == layer {
      runs[runs.count - 1] = last.lowerBound...layer
    } else {
      runs.append(layer...layer)
    }
  }
  guard !runs.isEmpty else { return "no layer" }
  let words = runs.map { run in
    run.count == 1
      ? "\(run.lowerBound)" : "\(run.lowerBound)\(run.count == 2 ? "," : " to") \(run.upperBound)"
  }
  return (layers.count == 1 ? "layer " : "layers ") + words.joined(separator: ", ")
}
