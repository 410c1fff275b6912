import Foundation
import Reports
import TensorCore

/// Turns runs into one page, its figures' files and a summary for scripts.
public struct ReportBuilder {
  let records: [RunRecord]
  private let analyses: [(record: RunRecord, analysis: PatchAnalysis, examples: [ExamplePrompt])]
  private let shots: [(record: RunRecord, summary: ShotSummary)]
  /// Seed of bootstraps and permutations; part of what the report is.
  private static let seed: UInt64 = 0

  public init(_ records: [RunRecord]) {
    self.records = records
    var analyses: [(record: RunRecord, analysis: PatchAnalysis, examples: [ExamplePrompt])] = []
    var shots: [(record: RunRecord, summary: ShotSummary)] = []
    for record in records {
      switch record.rows {
      case .patch(let effects, let examples):
        analyses.append(
          (record, PatchAnalysis(effects, task: record.task, seed: Self.seed), examples))
      case .eval(let rows):
        shots.append((record, ShotSummary(task: record.task, rows: rows, seed: Self.seed)))
      }
    }
    self.analyses = analyses
    self.shots = shots
  }

  /// All tested sentences, run by run.
  public var claims: [Claim] { analyses.flatMap(\.analysis.claims) }

  func analysis(of record: RunRecord) -> PatchAnalysis? {
    analyses.first { $0.record.path == record.path }?.analysis
  }

  public var page: HTMLPage {
    var page = HTMLPage(
      title: "Where is the rule?",
      subtitle: "Patching experiments on "
        + Set(records.map(\.task)).sorted().joined(separator: ", "))
    for (index, entry) in analyses.enumerated() {
      let prefix = analyses.count > 1 ? "\(index + 1)-" : ""
      add(entry.record, entry.analysis, entry.examples, prefix: prefix, to: &page)
    }
    addShots(to: &page)
    page.add(.heading("Limits of the method", level: 2))
    page.add(.list(Self.limits))
    page.add(.heading("Manifests", level: 2))
    for record in records {
      page.add(
        .details(
          summary: record.path, [.code(record.manifest.prettyText)]))
    }
    return page
  }

  private func add(
    _ record: RunRecord, _ analysis: PatchAnalysis, _ examples: [ExamplePrompt], prefix: String,
    to page: inout HTMLPage
  ) {
    let figures = PatchFigures(analysis: analysis, prefix: prefix)
    page.add(.heading("What the tests say about \(record.task)", level: 2))
    page.add(
      .paragraph(
        Claim.count(analysis.claims)
          + " Layers were chosen on development episodes with development items; all figures are "
          + "of held-out ones."))
    page.add(.table(Claim.table(analysis.claims)))
    page.add(.heading("What was run", level: 2))
    page.add(.keyValues(Self.facts(record, analysis)))
    for probe in record.manifest["probes"].pairs {
      if case .string(let question) = probe.value["question"] {
        page.add(.paragraph("`\(probe.key)`: \(question)"))
      }
    }

    page.add(.heading("Layer by layer", level: 2))
    add(analysis.claims, about: .local, to: &page)
    for figure in [figures.layerRecovery].compactMap(\.self) + figures.layerAccuracies {
      page.add(.figure(figure))
    }
    if let answers = analysis.curve(positions: "answers", donor: .clean) {
      for (other, words) in [("inputs", "as many input positions"), ("last", "the last position")] {
        guard let rival = analysis.curve(positions: other, donor: .clean) else { continue }
        let more = PatchAnalysis.layersWhereGreater(answers, than: rival, seed: Self.seed)
        let less = PatchAnalysis.layersWhereGreater(rival, than: answers, seed: Self.seed)
        page.add(
          .paragraph(
            "Answer positions recover more than \(words) after \(Self.words(more)), less after "
              + "\(Self.words(less)) (paired permutation tests, Holm's correction for the layers).")
        )
      }
    }
    if let global = figures.globalRecovery {
      page.add(.heading("One global vector", level: 2))
      add(analysis.claims, about: .global, to: &page)
      page.add(.figure(global))
      if let accuracy = figures.globalAccuracy { page.add(.figure(accuracy)) }
      page.add(.table(globalTable(analysis)))
    }
    if !analysis.subsets.isEmpty {
      page.add(.heading("Distributed aggregation", level: 2))
      add(analysis.claims, about: .distribution, to: &page)
      for figure in figures.doses + figures.shares { page.add(.figure(figure)) }
      page.add(.table(spreadTable(analysis)))
    }
    if !examples.isEmpty {
      page.add(.heading("Example prompts", level: 2))
      for example in examples {
        page.add(
          .tokens(
            TokenSpans(
              tokens: example.tokens.map {
                TokenSpans.Token(
                  text: $0.text, role: $0.role, demonstration: $0.demonstration)
              },
              caption: "\(example.name); right answer “\(example.right)”, other “\(example.wrong)”"
            )))
      }
    }
  }

  private func add(_ claims: [Claim], about topic: ClaimTopic, to page: inout HTMLPage) {
    for claim in claims where claim.topic == topic.rawValue {
      page.add(.callout(claim.callout(samples: "episodes", tests: claims.count)))
    }
  }

  private func addShots(to page: inout HTMLPage) {
    guard !shots.isEmpty else { return }
    func series(_ value: (ShotSummary.Point) -> Interval, _ suffix: String) -> [LineChart.Series] {
      shots.map { entry in
        LineChart.Series(
          name: entry.summary.task + suffix,
          points: entry.summary.points.map { point in
            let interval = value(point)
            return LineChart.Point(
              x: Double(point.shots), y: interval.estimate, low: interval.low,
              high: interval.high)
          })
      }
    }
    page.add(.heading("Accuracy against the number of demonstrations", level: 2))
    page.add(
      .figure(
        Figure(
          name: "accuracy-by-shots",
          chart: LineChart(
            title: "Is the rule defined by one demonstration or by many?",
            xTitle: "demonstrations", yTitle: "share of episodes",
            series: series(\.accuracy, "") + series(\.candidateAccuracy, " (of two)"),
            horizontalLines: [LineChart.HorizontalLine(y: 0.5, label: "coin toss of two")],
            yRange: 0...1, intervalNote: "Bands: 95 % Wilson intervals over episodes."),
          caption:
            "Right answer first over the whole vocabulary, and (of two) ahead of the one other "
            + "candidate."
        )))
  }

  private func globalTable(_ analysis: PatchAnalysis) -> HTMLTable {
    let curves = analysis.curves.filter { $0.key.donor == "global" && $0.key.split == .heldOut }
    return HTMLTable(
      headers: [
        "task", "recipient", "layer", "recovery", "first of all tokens", "first of two",
      ],
      rows: curves.compactMap { curve in
        let key = PatchAnalysis.GlobalKey(task: curve.key.task, recipient: curve.key.recipient)
        guard let layer = analysis.globalLayers[key],
          let point = curve.points.first(where: { $0.layer == layer })
        else { return nil }
        return [
          curve.key.task, curve.key.recipient, String(layer), Self.text(point.recovery),
          Self.text(point.accuracy), Self.text(point.candidateAccuracy),
        ]
      }, caption: "At the layer that development episodes chose for each row; held-out episodes.")
  }

  private func spreadTable(_ analysis: PatchAnalysis) -> HTMLTable {
    HTMLTable(
      headers: [
        "donor", "direction", "layer", "all together", "participation ratio", "Gini",
        "R² of additivity",
      ],
      rows: analysis.subsets.map { curve in
        [
          curve.key.donor, curve.key.direction.rawValue, String(curve.key.layer),
          Self.text(curve.doses[curve.demonstrations].recovery),
          "\(Self.text(curve.participationRatio)) of \(curve.demonstrations)",
          Self.text(curve.gini), Self.text(curve.additiveFit),
        ]
      },
      caption:
        "Spread of the single effects within an episode, mean over episodes. Noise in single "
        + "effects counts as unevenness."
    )
  }

  static func text(_ interval: Interval) -> String { interval.text(digits: 2) }

  /// Layers as ranges: “layers 0 to 17 and 20”.
  static func words(_ layers: [Int]) -> String {
    var ranges: [ClosedRange<Int>] = []
    for layer in layers {
      if let last = ranges.last, last.upperBound + 1 == layer {
        ranges[ranges.count - 1] = last.lowerBound...layer
      } else {
        ranges.append(layer...layer)
      }
    }
    let texts = ranges.map {
      $0.count == 1 ? "\($0.lowerBound)" : "\($0.lowerBound)–\($0.upperBound)"
    }
    guard let last = texts.last else { return "no layer" }
    let list = texts.count > 1 ? texts.dropLast().joined(separator: ", ") + " and " + last : last
    return (layers.count > 1 ? "layers " : "layer ") + list
  }

  private static func facts(_ record: RunRecord, _ analysis: PatchAnalysis) -> [(
    key: String, value: String
  )] {
    let identity = record.manifest["identity"]
    var facts: [(key: String, value: String)] = [("run", record.path), ("task", record.task)]
    for (key, name) in [
      ("shots", "demonstrations"), ("episodes", "held-out episodes"), ("seed", "seed"),
    ] {
      facts.append((name, identity[key].text))
    }
    if case .string(let model) = record.manifest["model"] {
      facts.append(("model", URL(fileURLWithPath: model).lastPathComponent))
    }
    facts.append(
      (
        "layer for local vectors",
        analysis.chosenLayer.map { "\($0), chosen on development" } ?? "–"
      ))
    let verification = record.manifest["verification"]
    if case .integer(let variants) = verification["variants"], variants > 0 {
      facts.append(
        (
          "verification",
          "\(variants) patched runs repeated in full; largest deviation of a logit \(verification["largest_deviation"].text)"
        ))
    }
    facts.append(
      ("finished", record.isFinished ? "yes" : "no: the run is still going or was stopped"))
    return facts
  }

  private static let limits = [
    "Layer l is the output of block l. Replacing it leaves the keys and values of layers up to "
      + "l at that position as the recipient's.",
    "Patching shows what an activation can do in place of another, not how the model normally "
      + "makes it. Donor into recipient shows sufficiency, recipient into donor necessity; neither "
      + "implies the other.",
    "Clean and flipped prompts differ only in their labels, so at early layers an answer "
      + "position's residual is little more than its label: high recovery there is expected. The "
      + "donor with the same labels slot by slot separates the rule from the label; it has other "
      + "items, so it can miss what depends on the very items of the recipient.",
    "Only the last token of each answer is patched. A rule that is also written at separators "
      + "or line breaks is missed.",
    "Accuracy over the vocabulary asks for the first token in which the two candidate answers "
      + "differ.",
    "One model, one template, one label set. Layers were chosen on development episodes; "
      + "episodes share a pool of words.",
  ]
}
