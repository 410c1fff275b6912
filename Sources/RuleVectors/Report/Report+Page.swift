import Foundation
import Reports
import TensorCore

extension Report {
  public var page: HTMLPage {
    var page = HTMLPage(
      title: asks ? "One vector or many?" : "Activation patching",
      subtitle: "Patching experiments on "
        + (isLong
          ? "\(Self.count(tasks, "task")) on \(Self.count(models, "model")), \(runs.count) runs"
          : runs.map(\.name).joined(separator: "; ")))
    for run in runs where !run.record.isFinished || run.record.failure != nil {
      page.add(
        .paragraph(
          "`\(run.record.path)` is "
            + (run.record.failure.map { "not to be trusted: \($0)" }
              ?? "not finished: figures are of the episodes that are there.")))
    }
    for run in runs where run.record.isPilot {
      page.add(
        .paragraph(
          "`\(run.record.path)` is a pilot on development items: to choose a design by, not to "
            + "report."))
    }
    if isLong {
      addTables(to: &page)
    } else {
      for run in shown { addAnswer(of: run, to: &page) }
      if asks {
        page.add(.heading("The paper's claims", level: 2))
        page.add(.table(verdictTable))
      }
    }
    if !claims.isEmpty {
      page.add(
        .paragraph(
          Claim.count(claims) + " One family: all sentences of \(family) are corrected together. "
            + "Layers and forms were chosen on development episodes with development items; all figures "
            + "are of held-out ones, unless a probe names its layer."))
    }
    for run in shown {
      if isLong { addAnswer(of: run, to: &page) }
      add(run, to: &page)
    }
    page.add(.heading("Limits of the method", level: 2))
    page.add(.list(Self.limits))
    page.add(.heading("Manifests", level: 2))
    for run in runs {
      page.add(.details(summary: run.record.path, [.code(run.record.manifest.prettyText)]))
    }
    return page
  }

  /// Whether there are more runs than a reader wants to see side by side at the top.
  private var isLong: Bool { runs.count > 4 }

  private var family: String {
    shown.count == runs.count
      ? "this page" : "all \(runs.count) runs, \(shown.count) of them shown below,"
  }

  private static func count(_ names: [String], _ noun: String) -> String {
    "\(names.count) \(noun)\(names.count == 1 ? "" : "s")"
  }

  private func addAnswer(of run: RunReport, to page: inout HTMLPage) {
    page.add(.heading(title(of: run), level: 2))
    page.add(.lead(run.answer))
  }

  /// The claims by task and model, for many runs.
  private func addTables(to page: inout HTMLPage) {
    page.add(.heading("Whether the models do the tasks", level: 2))
    page.add(.table(gateTable()))
    guard asks else { return }
    page.add(.heading("The paper's claims", level: 2))
    page.add(
      .paragraph(
        "How many of the sentences that speak to a claim support or contradict it; the others are "
          + "undecided. Effects are those of the weakest sentence that is decided."))
    for claim in PaperClaim.allCases {
      page.add(.heading("\(claim.rawValue). \(claim.sentence)", level: 3))
      if claim == .series {
        page.add(.list(series))
      } else {
        page.add(table(of: claim).map { .table($0) } ?? .paragraph("No run tests it."))
      }
    }
  }

  /// Whether any sentence speaks to a claim of the paper.
  private var asks: Bool { claims.contains { $0.paperClaim != nil } }

  /// The six claims, run by run.
  private var verdictTable: HTMLTable {
    HTMLTable(
      headers: ["claim", "run", "verdict", "effect", "p, adjusted", "read on"],
      cells: PaperClaim.allCases.flatMap { claim in
        claim == .series
          ? [seriesRow]
          : runs.map { run in
            let verdict = run.verdict(on: claim)
            let weakest = verdict.claims.weakest
            return [
              HTMLTable.Cell("\(claim.rawValue). \(claim.sentence)"),
              HTMLTable.Cell(title(of: run)),
              .verdict(verdict.outcome.mark, verdict.words),
              HTMLTable.Cell(weakest?.effect.map { "\($0.text) \(weakest?.unit ?? "")" } ?? ""),
              HTMLTable.Cell(weakest.map { formattedPValue($0.adjustedPValue) } ?? ""),
              HTMLTable.Cell(
                verdict.headings.map { heading in
                  "[\(heading)](#\(HTMLPage.anchor(of: self.heading(heading, run))))"
                }.joined(separator: ", ")),
            ]
          }
      },
      caption:
        "How many of the sentences that speak to a claim support or contradict it; the others are "
        + "undecided. Effect and p are of its weakest sentence.")
  }

  private var seriesRow: [HTMLTable.Cell] {
    let claims: [PaperClaim] = [.noGlobalVector, .ownAnswerPosition, .distributed]
    let tested = runs.filter { run in
      claims.allSatisfy { run.verdict(on: $0).outcome != .notTested }
    }
    let holds = tested.filter { run in
      claims.allSatisfy { run.verdict(on: $0).outcome == .supported }
    }
    let tasks = Set(tested.map(\.record.task))
    return [
      HTMLTable.Cell("\(PaperClaim.series.rawValue). \(PaperClaim.series.sentence)"), "all runs",
      tasks.count < 2
        ? .verdict(.notTested)
        : HTMLTable.Cell("1 to 3 hold in \(holds.count) of \(tested.count) runs"), "", "",
      tasks.count < 2 ? "needs two tasks or more" : "",
    ]
  }

  /// The heading of one section of one run.
  private func heading(_ heading: String, _ run: RunReport) -> String {
    "\(heading): \(title(of: run))"
  }

  /// What tells a run from the others: its name, and its folder where two have the same.
  private func title(of run: RunReport) -> String {
    guard runs.count(where: { $0.name == run.name }) > 1 else { return run.name }
    return "\(run.name), \(URL(fileURLWithPath: run.record.path).lastPathComponent)"
  }

  private func add(_ run: RunReport, to page: inout HTMLPage) {
    page.add(.heading(heading("What was run", run), level: isLong ? 3 : 2))
    page.add(.keyValues(facts(run)))
    let tests = claims.count
    for (probe, section) in run.sections {
      page.add(.heading(heading(section.heading, run), level: 3))
      page.add(.paragraph("`\(probe.name)`: \(probe.question)"))
      for element in section.elements {
        switch element {
        case .paragraph(let text): page.add(.paragraph(text))
        case .claims(let claims):
          for claim in claims {
            page.add(.callout(claim.callout(samples: "episodes", tests: tests)))
          }
        case .figure(let figure): page.add(.figure(figure))
        case .table(let table): page.add(.table(table))
        case .tokens(let tokens): page.add(.tokens(tokens))
        }
      }
    }
    guard !run.record.examples.isEmpty else { return }
    page.add(.heading(heading("Example prompts", run), level: 3))
    for example in run.record.examples {
      page.add(
        .tokens(
          example.spans(
            caption: "\(example.name); right answer “\(example.right)”, other “\(example.wrong)”")))
    }
  }

  private func facts(_ run: RunReport) -> [(key: String, value: String)] {
    let manifest = run.record.manifest
    func text(_ value: JSONValue) -> String {
      switch value {
      case .string(let text): text
      case .null: "–"
      default: value.text
      }
    }
    func deviation(_ value: JSONValue) -> String {
      (try? JSONReader(value, place: "").number()).map { formattedShort($0, digits: 2) } ?? "–"
    }
    let identity = manifest["identity"]
    let verification = manifest["verification"]
    return [
      ("run", run.record.path), ("model", text(manifest["model"])),
      ("episodes", text(identity["episodes"])), ("demonstrations", text(identity["shots"])),
      ("seed", text(identity["seed"])), ("begin token", text(identity["begin_token"])),
      (
        "verification",
        verification == .null
          ? "none"
          : "\(text(verification["variants"])) variants run again in full, largest deviation "
            + "\(deviation(verification["largest_deviation"])) logits"
      ),
      ("started", text(manifest["started"])), ("finished", text(manifest["finished"])),
    ]
  }

  private static let limits = [
    "Replacing the residual stream after a layer leaves the keys and values of the layers up to it as "
      + "they are in the recipient.",
    "Only the last token of each answer is patched. A rule that is also written at separators or line "
      + "breaks is missed.",
    "Accuracy over the vocabulary asks for the first token in which the two candidate answers differ.",
    "Episodes share a pool of words; intervals and tests treat them as independent.",
  ]
}
