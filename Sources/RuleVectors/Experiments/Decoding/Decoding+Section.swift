import Reports
import TensorCore

extension Decoding {
  func section(_ records: [Record<DecodingRow>], _ findings: Findings) throws -> Section {
    var section = Section(heading: findings.title)
    let results = DecodingResults(records)
    let chosen = results.chosenLayer
    let claims = chosen.map { self.claims(results, at: $0, findings) } ?? []
    if let chosen, let accuracy = results.accuracy(.rule, .answers, results.strictest).at(chosen) {
      section.answers = [
        "After layer \(chosen) a linear decoder tells the rule from the flipped one in "
          + "\(accuracy.interval.text) of answer positions, on "
          + "\(results.strictest?.words ?? "held-out words"); that does not say that it is used."
      ]
    }
    if !claims.isEmpty { section.elements.append(.claims(claims)) }
    section.elements.append(
      .paragraph(
        "Two classes and two labels make two rules: either class has the earlier label or the other one "
          + "has. Every episode is shown under both, word for word. Decoders choose between the two "
          + "prompts of a slot; their penalty is chosen within the training episodes; no word is in two "
          + "episodes. "
          + (chosen == nil
            ? "The development episodes that choose the layer of sentences are not all there, or too few."
            : "The layer of sentences is that of the best decoding on development episodes.")))
    section.elements.append(.paragraph(Self.notUse))
    section.elements += pictures(results, chosen: chosen, findings).map { .figure($0) }
    if let chosen { addTables(results, at: chosen, to: &section) }
    let strict = results.strictest
    section.charts = [
      Section.Chart(
        title: "\(findings.probe): rule decoded, of two", xTitle: "layer",
        series: DecodingVectors.sites.map { site in
          (
            site.rawValue,
            results.accuracy(.rule, site, strict).map { (Double($0.layer), $0.interval.estimate) }
          )
        }, reference: 0.5)
    ]
    for figure in results.figures {
      section.add(
        result: [
          ("probe", .string(findings.probe)), ("task", .string(findings.task)),
          ("positions", .string(figure.positions.rawValue)), ("layer", .integer(figure.layer)),
          ("target", .string(figure.target)),
          ("held_out", figure.heldOut.map { .string($0.rawValue) } ?? .null),
          ("decoder", figure.decoder.map(JSONValue.string) ?? .null),
          ("trained_on", .string(figure.trained)), ("tested_on", .string(figure.tested)),
          ("slot", figure.slot.map(JSONValue.integer) ?? .null),
        ], metric: figure.measure.rawValue, figure.interval, count: figure.count)
    }
    for donor in donors {
      for point in results.curve(donor).points {
        section.add(
          result: [
            ("probe", .string(findings.probe)), ("task", .string(findings.task)),
            ("donor", .string(donor.rawValue)), ("recipient", "flipped-rule"),
            ("positions", "answers"), ("layer", .integer(point.layer)),
          ], metric: "recovery", point.recovery, count: point.outcomes.count)
      }
    }
    section.summary = [
      ("chosen_layer", chosen.map(JSONValue.integer) ?? .null),
      ("held_out", strict.map { .string($0.rawValue) } ?? .null),
      (
        "rule",
        .array(
          results.accuracy(.rule, .answers, strict).map { figure in
            [
              "layer": .integer(figure.layer), "accuracy": figure.interval.json,
              "p": figure.pValue.map(JSONValue.number) ?? .null,
            ]
          })
      ),
      (
        "patched",
        .array(
          donors.map { donor in
            [
              "donor": .string(donor.rawValue),
              "points": .array(results.curve(donor).points.map(\.json)),
            ]
          })
      ),
    ]
    return section
  }

  private func addTables(_ results: DecodingResults, at layer: Int, to section: inout Section) {
    func chance(_ figure: DecodingFigure) -> String {
      guard let low = figure.chanceLow, let high = figure.chanceHigh else { return "" }
      return "\(formattedShort(low, digits: 2)) to \(formattedShort(high, digits: 2))"
    }
    func row(_ figure: DecodingFigure) -> [String] {
      [
        figure.measure.rawValue, figure.target, figure.positions.rawValue,
        figure.heldOut.map { $0 == .items ? "words" : "words and pairs" } ?? "",
        figure.decoder ?? "",
        figure.trained == figure.tested ? figure.tested : "\(figure.trained) → \(figure.tested)",
        figure.measure == .demixed
          ? formattedShort(figure.interval.estimate, digits: 2) : figure.interval.text,
        chance(figure), figure.pValue.map(formattedPValue) ?? "", String(figure.count),
      ]
    }
    let headers = [
      "measure", "of", "at", "unseen", "by", "form", "value", "permuted", "p", "n",
    ]
    let own = results.figures.filter { $0.layer == layer && $0.slot == nil }
    for (measures, caption) in [
      (
        [DecodingFigure.Measure.accuracy],
        "Decoding after layer \(layer). p is of this row alone; sentences above are corrected together."
      ),
      (
        [.similarity, .variance, .demixed],
        "Geometry after layer \(layer), at answer positions. Demixed: the share of the leading axis' "
          + "variance that belongs to its own marginalisation, where 1 is none of another."
      ),
    ] {
      let rows = own.filter { measures.contains($0.measure) }.map(row)
      guard !rows.isEmpty else { continue }
      section.elements.append(
        .table(HTMLTable(headers: headers, rows: rows, caption: caption)))
    }
    section.headers = headers
    section.rows = own.filter {
      $0.measure == .accuracy && $0.heldOut == results.strictest && $0.decoder == "ridge"
    }.map(row)
  }

  private func claims(_ results: DecodingResults, at layer: Int, _ findings: Findings) -> [Claim] {
    let strict = results.strictest
    func claim(
      _ name: String, _ sentence: String, _ evidence: String, _ figure: DecodingFigure,
      chance: Double, unit: String, paperClaim: Int? = nil
    ) -> Claim {
      let interval = figure.interval
      // Permutations of these look at one tail, where all other tests of a report look at both.
      let tails = figure.measure == .accuracy ? 1.0 : 2
      return Claim(
        Self.kind, name: "\(findings.probe).\(name)", sentence: sentence, evidence: evidence,
        difference: interval.estimate - chance,
        pValue: figure.pValue.map { min(1, tails * $0) } ?? .nan, samples: figure.count,
        effect: Interval(
          estimate: interval.estimate - chance, low: interval.low - chance,
          high: interval.high - chance, level: interval.level), unit: unit, paperClaim: paperClaim,
        standardDeviation: figure.measure == .accuracy ? interval.spread(of: figure.count) : nil,
        smallestPValue: tails * draws.smallestPValue)
    }
    var claims: [Claim] = []
    let unseen = strict?.words ?? "held-out words"
    func text(_ figure: DecodingFigure?) -> String { figure?.interval.text ?? "not tested" }
    if let answers = results.accuracy(.rule, .answers, strict).at(layer) {
      claims.append(
        claim(
          "rule.answers",
          "After layer \(layer) the rule can be decoded at answer positions, on \(unseen).",
          "Right of two in \(answers.interval.text); at input positions "
            + "\(text(results.accuracy(.rule, .inputs, strict).at(layer))), at the answers' embeddings "
            + "\(text(results.accuracy(.rule, .answers, strict).at(-1))), at the first "
            + "demonstration's answer \(text(results.slots(.answers, layer: layer).first)).",
          answers, chance: 0.5, unit: "share of choices"))
    }
    if let inputs = results.accuracy(.rule, .inputs, strict).at(layer) {
      claims.append(
        claim(
          "rule.inputs",
          "After layer \(layer) the rule can be decoded at input positions, before the label is shown, "
            + "on \(unseen).",
          "Right of two in \(inputs.interval.text); at the first input, where nothing can be known, "
            + "\(text(results.slots(.inputs, layer: layer).first)).",
          inputs, chance: 0.5, unit: "share of choices"))
    }
    for form in results.otherForms {
      guard let there = results.accuracy(.rule, .answers, strict, tested: form).at(layer) else {
        continue
      }
      let isRelabelled = results.relabelled.contains(form)
      claims.append(
        claim(
          "rule.\(form)",
          "After layer \(layer) a decoder of the rule that was trained in \(results.firstForm) works in "
            + "\(form), on \(unseen).",
          "Right of two in \(there.interval.text); the form's own decoder "
            + "\(text(results.accuracy(.rule, .answers, strict, trained: form, tested: form).at(layer)))"
            + (isRelabelled
              ? ". Which label of one set stands for which of the other is a convention, so this is not "
                + "counted for the paper's claim."
              : "."),
          there, chance: 0.5, unit: "share of choices", paperClaim: isRelabelled ? nil : 5))
    }
    for form in results.otherForms {
      guard
        let alike = results.figures(.similarity, Geometry.bindings.rawValue, tested: form).at(layer)
      else { continue }
      let classes = results.figures(.similarity, Geometry.classes.rawValue, tested: form).at(layer)
      claims.append(
        claim(
          "similarity.\(form)",
          "After layer \(layer) bindings of classes to labels have the same geometry in "
            + "\(results.firstForm) and in \(form), over episodes that share no word.",
          "Rank correlation of distances \(alike.interval.text); within \(results.firstForm) "
            + "\(text(results.figures(.similarity, Geometry.bindings.rawValue).at(layer))); "
            + "of the classes' mean vectors \(text(classes)).",
          alike, chance: 0, unit: "rank correlation", paperClaim: 5))
    }
    if let share = results.figures(.variance, Marginalisation.rule.rawValue).at(layer) {
      let chance = ((share.chanceLow ?? .nan) + (share.chanceHigh ?? .nan)) / 2
      claims.append(
        claim(
          "variance.rule",
          "After layer \(layer) the rule has a larger share of the variance of answer vectors than when "
            + "whole episodes change sign.",
          "\(share.interval.text(digits: 4)) of the variance; permuted "
            + "\(formattedShort(share.chanceLow ?? .nan, digits: 2)) to "
            + "\(formattedShort(share.chanceHigh ?? .nan, digits: 2)).",
          share, chance: chance, unit: "share of variance"))
    }
    let donor: Donor = donors.contains(.swappedSlots) ? .swappedSlots : .clean
    if let point = results.curve(donor).point(layer), !point.outcomes.isEmpty {
      claims.append(
        Claim(
          Self.kind, name: "\(findings.probe).patched.\(donor.rawValue)",
          sentence:
            "After the layer that decodes best, \(layer), the answer positions also bring the rule when "
            + "they are patched from \(donor.words).",
          evidence: "Recovery \(point.recovery.text) in the same episodes.",
          differences: point.outcomes.map(\.effect), resolution: Measurement.resolution,
          unit: "logits", seed: findings.seed))
    }
    return claims
  }
}

extension Interval {
  /// The standard deviation of one of `count` values whose mean has this t interval.
  fileprivate func spread(of count: Int) -> Double? {
    guard count > 1, low.isFinite, high.isFinite else { return nil }
    let half = StudentT.halfWidth(level: level, degrees: Double(count - 1))
    return (high - low) / 2 / half * Double(count).squareRoot()
  }
}
