import Reports
import TensorCore

extension PathPatching {
  func section(_ records: [Record<PathPatchingRow>], _ findings: Findings) throws -> Section {
    var section = Section(heading: findings.title)
    let results = results(records)
    let claims = claims(results, findings)
    section.answers =
      results.split.map { split in
        "Of what heads of \(split.senders.words) write at the answers, \(split.share(Decomposition.direct).text) "
          + "of the effect reaches the last position directly, "
          + "\(split.share(Decomposition.laterAnswers).text) through later answers."
      }.map { [$0] } ?? []
    if !claims.isEmpty { section.elements.append(.claims(claims)) }
    section.elements.append(.paragraph(method))
    if results.split == nil {
      section.elements.append(
        .paragraph(
          "The development episodes that choose senders and edges are not all there yet."))
    }
    section.elements += figures(results, findings).map { .figure($0) }
    section.elements += tables(results).map { .table($0) }
    section.headers = ["path", "heads", "recovery", "logits", "n"]
    section.rows = [results.directEdge, results.turnedEdge, results.lastEdge].compactMap(\.self)
      .map(row)
    section.rows += results.split.map(rows) ?? []
    section.charts = [
      Section.Chart(
        title: "\(findings.probe): recovery by senders", xTitle: "layer (middle of the window)",
        series: series(results.splits), reference: 0)
    ]
    for cell in results.cells + results.heads {
      section.add(
        result: [
          ("probe", .string(findings.probe)), ("task", .string(findings.task)),
          ("path", .string(cell.path.rawValue)), ("senders", .string(cell.senders.label)),
          ("receivers", cell.receivers.map { .string($0.label) } ?? .null),
          ("layer", .integer(cell.senders.layers.lowerBound)),
        ], metric: "recovery", cell.recovery, count: cell.outcomes.count)
    }
    section.summary = summary(results)
    return section
  }

  private func series(_ splits: [Decomposition])
    -> [(name: String, points: [(x: Double, y: Double)])]
  {
    let names = splits.first?.parts.map(\.name) ?? []
    return [("all paths", splits.map { (Self.middle($0.senders), $0.total.recovery.estimate) })]
      + names.enumerated().map { part, name in
        (name, splits.map { (Self.middle($0.senders), $0.recovery(part).estimate) })
      }
  }

  private var method: String {
    "Heads at the answers write what they wrote in \(donor.words), into the same prompt under the "
      + "flipped rule, window by window of \(window) layers. Path patching is exact: on the way to a "
      + "reading head all other heads keep the flipped run's outputs, MLPs "
      + (mlps == .recomputed
        ? "are recomputed (Wang et al. 2022)"
        : "keep theirs too (Goldowsky-Dill et al. 2023)")
      + ", and the reading head alone then gets the "
      + inputs.map(\.rawValue).joined(separator: " and ")
      + " that came of it. The whole effect of a window is cut into parts, each by leaving more "
      + "heads free than the one before: no other head; later heads of the same answer; later "
      + "heads of all answers; all. Senders, edges and heads of sentences are those of the largest mean effect "
      + "on \(development) development episodes."
  }

  // MARK: - Sentences

  private func claims(_ results: Results, _ findings: Findings) -> [Claim] {
    func claim(
      _ name: String, _ sentence: String, _ evidence: String, _ differences: [Double],
      _ paper: Int? = nil
    ) -> Claim {
      Claim(
        Self.kind, name: "\(findings.probe).\(name)", sentence: sentence, evidence: evidence,
        differences: differences, resolution: Measurement.resolution, unit: "logits",
        paperClaim: paper, seed: findings.seed)
    }
    var claims: [Claim] = []
    if let split = results.split {
      let words = split.senders.words
      let parts = split.parts.indices.map {
        "\(split.parts[$0].name) \(split.share($0).text)"
      }.joined(separator: ", ")
      let direct = split.parts[Decomposition.direct].effects
      claims.append(
        claim(
          "answers-write",
          "What heads of \(words) write at the answers moves the answer towards the donor's rule.",
          "Recovery \(split.total.recovery.text) by these heads' outputs at the answers, from "
            + "\(donor.words), into the flipped run.", split.total.map(\.effect),
          // With the clean donor heads could write the label that stands there.
          donor == .swappedSlots ? 2 : nil))
      claims.append(
        claim(
          "directly",
          "More than half of the effect of what heads of \(words) write at the answers reaches the last "
            + "position directly, through no other head.",
          "Shares of the effect: \(parts).",
          zip(direct, split.total).map { $0 - $1.effect / 2 }))
      claims.append(
        claim(
          "directly-over-later-answers",
          "What heads of \(words) write at the answers goes to the last position directly rather "
            + "than through later answers.",
          "Directly \(MeanInterval.student(direct).text) logits, through later answers "
            + "\(MeanInterval.student(split.parts[Decomposition.laterAnswers].effects).text).",
          zip(direct, split.parts[Decomposition.laterAnswers].effects).map { $0 - $1 }))
    }
    for (name, edge, words) in [
      ("answer-last", results.directEdge, "at the last position"),
      (
        "answer-later-answers-last", results.turnedEdge,
        "at later answers, and from there to the last position"
      ),
    ] {
      guard let edge, let receivers = edge.receivers else { continue }
      claims.append(
        claim(
          name,
          "Heads of \(edge.senders.words) at the answers hand the donor's rule to heads of "
            + "\(receivers.words) \(words).",
          "Recovery \(edge.recovery.text) by this path alone.", edge.outcomes.map(\.effect)))
    }
    if let pair = results.heads.first, let receivers = pair.receivers {
      claims.append(
        claim(
          "heads",
          "At the answers \(pair.senders.words) hands the donor's rule to \(receivers.words) at the "
            + "last position.",
          "Recovery \(pair.recovery.text(digits: 3)) by this path alone.",
          pair.outcomes.map(\.effect)))
    }
    return claims
  }
}
