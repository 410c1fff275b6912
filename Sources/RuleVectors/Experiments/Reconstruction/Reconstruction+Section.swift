import Reports
import TensorCore

extension Reconstruction {
  /// What one kind of parts gives; nil parts are the vector itself.
  private struct Result {
    let parts: ReconstructionParts?
    let curve: LayerCurve
    /// By layer, episode by episode: of both rules together.
    let fits: [Int: [ReconstructionRow.Fit]]

    var name: String { parts?.rawValue ?? "n-shot vector" }

    /// Explained share of the squared distance from the development mean.
    func explained(_ layer: Int) -> Interval {
      let fits = fits[layer] ?? []
      return RatioInterval.fieller(
        fits.map { $0.total - $0.residual }, over: fits.map(\.total))
    }

    func explainedWhole(_ layer: Int) -> Interval {
      let fits = fits[layer] ?? []
      return RatioInterval.fieller(
        fits.map { $0.totalWhole - $0.residualWhole }, over: fits.map(\.totalWhole))
    }
  }

  func section(_ records: [Record<ReconstructionRow>], _ findings: Findings) throws -> Section {
    var section = Section(heading: findings.title)
    let kinds: [ReconstructionParts?] = [nil] + ReconstructionParts.allCases
    let results = kinds.compactMap { result($0, records, isDevelopment: false) }
    let chosen = chosenLayer(records)
    let claims = chosen.map { self.claims(results, at: $0, findings) } ?? []
    if let chosen, let own = results.first(where: { $0.parts == .oneShots }),
      let point = own.curve.point(chosen)
    {
      section.answers = [
        "After layer \(chosen) single demonstrations' vectors explain "
          + "\(own.explained(chosen).text) of the n-shot vector's variance, and what they add up to "
          + "brings \(point.recovery.text) of the rule into prompts without demonstrations."
      ]
    }
    if !claims.isEmpty { section.elements.append(.claims(claims)) }
    section.elements.append(.paragraph(method))
    section.elements += figures(results, chosen, findings).map { .figure($0) }
    section.charts = [
      Section.Chart(
        title: "\(findings.probe): explained share by layer", xTitle: "layer",
        series: results.filter { $0.parts != nil }.map { result in
          (
            result.name,
            result.fits.keys.sorted().map { (Double($0), result.explained($0).estimate) }
          )
        }, reference: 0)
    ]
    section.headers = ["put together from", "layer", "R²", "recovery", "first of two", "n"]
    section.rows = results.compactMap { result in
      guard let point = result.curve.point(chosen) else { return nil }
      return [
        result.name, String(point.layer),
        result.parts == nil ? "" : result.explained(point.layer).text, point.recovery.text,
        point.candidateAccuracy.text, String(point.outcomes.count),
      ]
    }
    if let chosen { section.elements.append(.table(table(results, chosen))) }
    for result in results {
      for point in result.curve.points {
        let columns: [(key: String, value: JSONValue)] = [
          ("probe", .string(findings.probe)), ("task", .string(findings.task)),
          ("parts", result.parts.map { .string($0.rawValue) } ?? .null),
          ("recipient", "zero-shot"), ("positions", "last"), ("layer", .integer(point.layer)),
        ]
        let metrics =
          [
            ("recovery", point.recovery), ("accuracy", point.accuracy),
            ("candidate_accuracy", point.candidateAccuracy),
          ]
          + (result.parts == nil
            ? []
            : [
              ("explained", result.explained(point.layer)),
              ("explained_whole", result.explainedWhole(point.layer)),
            ])
        for (metric, interval) in metrics {
          section.add(
            result: columns, metric: metric, interval, count: result.curve.episodes.count)
        }
      }
    }
    section.summary = [
      ("chosen_layer", chosen.map(JSONValue.integer) ?? .null),
      (
        "curves",
        .array(
          results.map { result in
            [
              "parts": result.parts.map { .string($0.rawValue) } ?? .null,
              "episodes": .integer(result.curve.episodes.count),
              "points": .array(
                result.curve.points.map { point in
                  [
                    "layer": .integer(point.layer), "recovery": point.recovery.json,
                    "accuracy": point.accuracy.json,
                    "explained": result.parts == nil
                      ? .null : result.explained(point.layer).json,
                  ]
                }),
            ]
          })
      ),
    ]
    return section
  }

  private func result(
    _ parts: ReconstructionParts?, _ records: [Record<ReconstructionRow>], isDevelopment: Bool
  ) -> Result? {
    let own = records.filter {
      $0.row.parts == parts && ($0.key.split == .development) == isDevelopment
    }
    guard !own.isEmpty else { return nil }
    var flipped: [[Int]: ReconstructionRow] = [:]
    for record in own where record.row.isFlipped {
      flipped[[record.episode, record.row.layer]] = record.row
    }
    let straight = own.filter { !$0.row.isFlipped }.sorted { $0.episode < $1.episode }
    var fits: [Int: [ReconstructionRow.Fit]] = [:]
    for record in straight {
      guard let fit = record.row.fit else { continue }
      let other = flipped[[record.episode, record.row.layer]]?.fit
      fits[record.row.layer, default: []].append(other.map { fit.adding($0) } ?? fit)
    }
    return Result(
      parts: parts,
      curve: LayerCurve(
        straight.map { record in
          var outcome = record.row.outcome
          outcome.flipped = flipped[[record.episode, record.row.layer]].map {
            Outcome.Counterpart(
              patched: $0.outcome.patched.logitDifference, donor: $0.outcome.donor)
          }
          return (record.episode, record.row.layer, outcome)
        }), fits: fits)
  }

  /// The first layer after which the n-shot vector itself brings half of the rule on development
  /// episodes, or where none does that at which it brings most; nil while episodes are missing.
  private func chosenLayer(_ records: [Record<ReconstructionRow>]) -> Int? {
    let choosing = records.filter { $0.key.split == .development }
    guard Set(choosing.map(\.key)).count == development,
      let curve = result(nil, choosing, isDevelopment: true)?.curve
    else { return nil }
    func sum(_ point: LayerCurve.Point, _ value: (Outcome) -> Double) -> Double {
      point.outcomes.reduce(0) { $0 + value($1) }
    }
    let half = curve.points.first { point in
      let gap = sum(point, \.gap)
      return gap > 0 && sum(point, \.effect) >= gap / 2
    }
    let effects = curve.points.map { ($0.layer, sum($0, \.effect)) }
    return half?.layer ?? (try? LayerChoice.best(Dictionary(uniqueKeysWithValues: effects)))
  }

  private var method: String {
    "The last-position vector behind all demonstrations is put together from those behind single ones "
      + "before the same query, about the means, with one coefficient a part that \(development) "
      + "development episodes fit and all coordinates share. R² is the share of its squared distance from the "
      + "development mean that this explains of other episodes, without the \(leftOut) coordinates that "
      + "vary most; it can be below zero. The query alone explains part of it, and so do the same "
      + "demonstrations under the flipped rule: only what goes beyond them is the demonstrations' "
      + "rule. Recovery is that of the vector put at the last position of the prompt without "
      + "demonstrations; where there is a flipped rule, half the difference between both rules."
  }

  private func claims(_ results: [Result], at layer: Int, _ findings: Findings) -> [Claim] {
    func find(_ parts: ReconstructionParts?) -> Result? { results.first { $0.parts == parts } }
    func claim(
      _ name: String, _ sentence: String, _ evidence: String, _ differences: [Double],
      _ unit: String
    ) -> Claim {
      Claim(
        Self.kind, name: "\(findings.probe).\(name)", sentence: sentence, evidence: evidence,
        differences: differences, resolution: Measurement.resolution, unit: unit,
        seed: findings.seed)
    }
    guard let own = find(.oneShots), let fits = own.fits[layer], let point = own.curve.point(layer)
    else { return [] }
    let total = fits.reduce(0) { $0 + $1.total } / Double(max(fits.count, 1))
    var claims: [Claim] = []
    for parts in [ReconstructionParts.flippedOneShots, .zeroShot] {
      guard let rival = find(parts), let others = rival.fits[layer], others.count == fits.count
      else { continue }
      claims.append(
        claim(
          "over-\(parts.rawValue)",
          "After layer \(layer) the n-shot vector is better put together from its single "
            + "demonstrations than from \(parts.words).",
          "R² \(own.explained(layer).text) against \(rival.explained(layer).text).",
          // Over the mean distance, because single ones may be small.
          zip(fits, others).map { ($1.residual - $0.residual) / total }, "share of variance"))
    }
    claims.append(
      claim(
        "carries",
        "What single demonstrations' vectors after layer \(layer) add up to brings the rule into "
          + "prompts without demonstrations.",
        "Recovery \(point.recovery.text), accuracy of two \(point.candidateAccuracy.text).",
        point.outcomes.map(\.effect), "logits"))
    if let whole = find(nil)?.curve.point(layer), whole.outcomes.count == point.outcomes.count {
      claims.append(
        claim(
          "less-than-whole",
          "After layer \(layer) the n-shot vector brings more than what single demonstrations' "
            + "vectors add up to.",
          "Recovery \(whole.recovery.text) against \(point.recovery.text).",
          zip(whole.outcomes, point.outcomes).map { $0.effect - $1.effect }, "logits"))
    }
    return claims
  }

  private func figures(_ results: [Result], _ chosen: Int?, _ findings: Findings) -> [Figure] {
    let marker = chosen.map { ($0, "chosen on development: \($0)") }
    let series = results.filter { $0.parts != nil }.map { result in
      LineChart.Series(
        name: result.name,
        points: result.fits.keys.sorted().map { layer in
          let explained = result.explained(layer)
          return LineChart.Point(
            x: Double(layer), y: explained.estimate, low: explained.low, high: explained.high)
        })
    }.filter { !$0.points.isEmpty }
    guard !series.isEmpty else { return [] }
    let explained = Figure(
      name: "\(findings.stem)-explained-by-layer",
      chart: LineChart(
        title: "How far single demonstrations add up to the n-shot vector",
        xTitle: "layer (block output)", yTitle: "R² on reported episodes", series: series,
        horizontalLines: [
          LineChart.HorizontalLine(y: 0, label: "the mean"),
          LineChart.HorizontalLine(y: 1, label: "all"),
        ],
        verticalLines: marker.map { [LineChart.VerticalLine(x: Double($0.0), label: $0.1)] } ?? [],
        intervalNote: "Bands: 95 % intervals of the ratio of means (Fieller) over episodes."),
      caption:
        "Share of the variance of last-position vectors that a linear combination explains, by what it "
        + "is made of.")
    let recovery = RecoveryFigures(
      stem: findings.stem, curves: results.map { ($0.name, $0.curve) },
      title: "What the vectors so put together bring", zero: "no demonstrations",
      one: "all demonstrations", marker: marker,
      caption: "The vector and its reconstructions at the last position of the prompt without "
        + "demonstrations.")
    return [explained] + recovery.all
  }

  private func table(_ results: [Result], _ layer: Int) -> HTMLTable {
    HTMLTable(
      headers: [
        "put together from", "R²", "R², all coordinates", "coefficients by slot", "recovery",
        "first of two", "first of all", "n",
      ],
      rows: results.compactMap { result in
        guard let point = result.curve.point(layer) else { return nil }
        let coefficients = result.fits[layer]?.first?.coefficients ?? []
        return [
          result.name, result.parts == nil ? "" : result.explained(layer).text,
          result.parts == nil ? "" : result.explainedWhole(layer).text,
          coefficients.map { formatted($0, digits: 2) }.joined(separator: " "),
          point.recovery.text, point.candidateAccuracy.text, point.accuracy.text,
          String(point.outcomes.count),
        ]
      },
      caption:
        "After layer \(layer), the first after which the n-shot vector itself brings half of the rule on "
        + "development episodes, or, if none does, that of the largest effect.")
  }
}

extension ReconstructionRow.Fit {
  /// Both rules of an episode together.
  func adding(_ other: Self) -> Self {
    Self(
      total: total + other.total, residual: residual + other.residual,
      totalWhole: totalWhole + other.totalWhole,
      residualWhole: residualWhole + other.residualWhole, coefficients: coefficients)
  }
}
