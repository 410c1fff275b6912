import Reports
import TensorCore

extension Saliency {
  /// One class of edges at one layer or window, episode by episode.
  private struct Point {
    let edges: EdgeClass?
    let layers: ClosedRange<Int>
    let rows: [SaliencyRow]

    var centre: Double { Double(layers.lowerBound + layers.upperBound) / 2 }
    var saliency: Interval { MeanInterval.student(rows.map(\.saliency)) }
    var estimate: Interval { MeanInterval.student(rows.compactMap(\.estimate)) }
    var loss: Interval { MeanInterval.student(rows.compactMap(\.loss)) }
  }

  private static let restName = "all other edges"

  private func points(_ records: [Record<SaliencyRow>], _ edges: EdgeClass?, isCut: Bool) -> [Point]
  {
    let own = records.filter { $0.row.edges == edges && ($0.row.loss != nil) == isCut }
      .sorted { $0.episode < $1.episode }.map(\.row)
    let layers = own.map(\.layers).reduce(into: [ClosedRange<Int>]()) {
      if !$0.contains($1) { $0.append($1) }
    }
    return layers.sorted { $0.lowerBound < $1.lowerBound }.map { layers in
      Point(edges: edges, layers: layers, rows: own.filter { $0.layers == layers })
    }
  }

  func section(_ records: [Record<SaliencyRow>], _ findings: Findings) throws -> Section {
    var section = Section(heading: findings.title)
    let profiles = (classes.map(Optional.some) + [nil]).map {
      points(records, $0, isCut: false)
    }.filter { !$0.isEmpty }
    let cuts = classes.map { points(records, $0, isCut: true) }.filter { !$0.isEmpty }
    let claims = claims(records, findings)
    section.elements.append(.claims(claims))
    section.elements.append(
      .paragraph(
        "Saliency of an edge is |Σ over heads A · ∂L/∂A| in the clean run, L the cross entropy of the right answer over "
          + "the vocabulary (Wang et al. 2023). It says where a small change would matter. Beside it edges are "
          + "cut, in windows of \(window) layers, and the logits lost are compared with what the logit difference's "
          + "derivatives by the attention weights say: a cut takes an edge's weight and spreads it over the query's "
          + "other keys."))
    section.elements.append(
      .figure(
        Figure(
          name: "\(findings.stem)-by-layer",
          chart: LineChart(
            title: "Saliency of attention edges", xTitle: "layer", yTitle: "nats an edge",
            series: profiles.map { points in
              series(points.first?.edges?.rawValue ?? Self.restName, points, \.saliency)
            }, intervalNote: "Bands: 95 % t intervals over episodes."),
          caption:
            "Mean over the edges between tokens of these roles, and over all edges between different tokens that "
            + "belong to none of the classes.")))
    section.elements.append(
      .figure(
        Figure(
          name: "\(findings.stem)-cut-and-estimated",
          chart: LineChart(
            title: "What cutting costs, and what gradients say", xTitle: "layer (middle of the window)",
            yTitle: "logits lost",
            series: cuts.flatMap { points in
              let name = points.first?.edges?.rawValue ?? ""
              return [
                series("\(name), cut", points, \.loss),
                series("\(name), by gradients", points, \.estimate),
              ]
            }, horizontalLines: [LineChart.HorizontalLine(y: 0, label: "uncut")],
            intervalNote: "Bands: 95 % t intervals over episodes."),
          caption:
            "Fall of the logit difference when edges are cut in a window of \(window) layers, and its first-order "
            + "estimate, the sum over the window's layers.")))
    section.headers = ["edges", "layers", "nats an edge", "logits lost", "by gradients", "n"]
    section.rows = cuts.flatMap { points in
      points.map { point in
        [
          point.edges?.rawValue ?? "", "\(point.layers.lowerBound)–\(point.layers.upperBound)",
          point.saliency.text(digits: 4), point.loss.text, point.estimate.text,
          String(point.rows.count),
        ]
      }
    }
    section.elements.append(.table(HTMLTable(headers: section.headers, rows: section.rows)))
    section.charts = [
      Section.Chart(
        title: "\(findings.probe): saliency by layer", xTitle: "layer",
        series: profiles.map { points in
          (
            points.first?.edges?.rawValue ?? Self.restName,
            points.map { ($0.centre, $0.saliency.estimate) }
          )
        }, reference: 0)
    ]
    for points in profiles + cuts {
      for point in points {
        let isCut = point.rows.contains { $0.loss != nil }
        for (metric, value) in [("saliency", point.saliency)]
          + (isCut ? [("logits_lost", point.loss), ("logits_lost_by_gradients", point.estimate)] : [])
        {
          section.add(
            result: [
              ("probe", .string(findings.probe)), ("task", .string(findings.task)),
              ("positions", .string(point.edges?.rawValue ?? Self.restName)),
              ("layer", .integer(point.layers.lowerBound)),
              ("last_layer", .integer(point.layers.upperBound)),
            ], metric: metric, value, count: point.rows.count)
        }
      }
    }
    let agreement = MeanInterval.student(agreements(records).filter(\.isFinite))
    section.summary = [("rank_correlation_of_cut_and_estimate", agreement.json)]
    return section
  }

  /// Spearman's correlation, within an episode, of what cutting costs and what gradients say.
  private func agreements(_ records: [Record<SaliencyRow>]) -> [Double] {
    Dictionary(grouping: records.filter { $0.row.loss != nil }, by: \.episode)
      .sorted { $0.key < $1.key }.map { _, records in
        RankCorrelation.spearman(
          records.map { $0.row.estimate ?? 0 }, records.map { $0.row.loss ?? 0 })
      }
  }

  private func claims(_ records: [Record<SaliencyRow>], _ findings: Findings) -> [Claim] {
    let layers = records.filter { $0.row.loss == nil }
    let depth = (layers.map(\.row.layers.upperBound).max() ?? 0) + 1
    let episodes = Set(layers.map(\.episode)).sorted()
    /// Means over some layers, episode by episode.
    func means(_ edges: EdgeClass?, _ range: Range<Int>) -> [Double] {
      episodes.map { episode in
        let own = layers.filter {
          $0.episode == episode && $0.row.edges == edges
            && range.contains($0.row.layers.lowerBound)
        }.map(\.row.saliency)
        return own.reduce(0, +) / Double(own.count)
      }
    }
    let thirds = [
      (EdgeClass.inputToOwnAnswer, 0..<max(depth / 3, 1), "first"),
      (EdgeClass.answerToLast, depth - max(depth / 3, 1)..<depth, "last"),
    ]
    var claims = thirds.filter { classes.contains($0.0) }.map { edges, range, name in
      let (own, rest) = (means(edges, range), means(nil, range))
      return Claim(
        Self.kind, name: "\(findings.probe).\(edges.rawValue)",
        sentence:
          "In the \(name) third of the layers an edge \(edges.words) has more saliency than other "
          + "edges have.",
        evidence:
          "\(MeanInterval.student(own).text(digits: 4)) nats an edge, others "
          + "\(MeanInterval.student(rest).text(digits: 4)).",
        differences: zip(own, rest).map { $0 - $1 }, unit: "nats", seed: findings.seed)
    }
    let agreements = agreements(records).filter(\.isFinite)
    claims.append(
      Claim(
        Self.kind, name: "\(findings.probe).gradients-agree",
        sentence: "Gradients rank what cutting edges costs, over classes and windows, better than chance.",
        evidence: "Rank correlation \(MeanInterval.student(agreements).text) within an episode.",
        differences: agreements, unit: "rank correlation", seed: findings.seed))
    return claims
  }

  private func series(_ name: String, _ points: [Point], _ value: (Point) -> Interval)
    -> LineChart.Series
  {
    LineChart.Series(
      name: name,
      points: points.map { point in
        let value = value(point)
        return LineChart.Point(
          x: point.centre, y: value.estimate, low: value.low, high: value.high)
      })
  }
}
