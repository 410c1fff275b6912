import Reports
import TensorCore

extension Report {
  /// The paper's claims over tasks and models, as Markdown: `aggregate --claims`.
  ///
  /// A cell says how many of the sentences that speak to a claim support or contradict it, with the effect
  /// of the one whose adjusted p is the largest of those that decide it. Sentences of all runs are corrected
  /// together.
  public var claimsTable: String {
    let models = names(\.record.model)
    let tasks = names(\.record.task)
    var text = Claim.count(claims) + " All are corrected together (Holm).\n\n"
    text += "## Whether the models do the tasks\n\n"
    text += table(tasks, models) { $0.gate.map(Self.gateCell) ?? "–" }
    for claim in PaperClaim.allCases where claim != .series {
      let tested = tasks.filter { task in
        runs.contains { $0.record.task == task && $0.verdict(on: claim).outcome != .notTested }
      }
      text += "\n## \(claim.rawValue). \(claim.sentence)\n\n"
      text +=
        tested.isEmpty
        ? "No run tests it.\n" : table(tested, models) { Self.cell($0, $0.verdict(on: claim)) }
    }
    text += "\n## \(PaperClaim.series.rawValue). \(PaperClaim.series.sentence)\n\n"
    return text + series(models)
  }

  /// Different names in the order of the runs.
  private func names(_ name: (RunReport) -> String) -> [String] {
    runs.reduce(into: []) { if !$0.contains(name($1)) { $0.append(name($1)) } }
  }

  private func table(
    _ tasks: [String], _ models: [String], _ cell: (RunReport) -> String
  ) -> String {
    func row(_ cells: [String]) -> String { "| \(cells.joined(separator: " | ")) |\n" }
    return row(["task"] + models) + row(["---"] + models.map { _ in "---" })
      + tasks.map { task in
        row(
          [task]
            + models.map { model in
              let own = runs.filter { $0.record.task == task && $0.record.model == model }
              return own.isEmpty ? "" : own.map(cell).joined(separator: "; ")
            })
      }.joined()
  }

  private static func gateCell(_ gate: Gate) -> String {
    (gate.passed ? "yes" : "no") + ", right in \(gate.candidateAccuracy.text)"
  }

  private static func cell(_ run: RunReport, _ verdict: RunReport.PaperVerdict) -> String {
    guard run.gate?.passed ?? true else { return "the model does not do the task" }
    guard verdict.outcome != .notTested else { return "not tested" }
    let decided = verdict.claims.filter { $0.verdict != .undecided }
    let weakest = (decided.isEmpty ? verdict.claims : decided)
      .max { $0.adjustedPValue < $1.adjustedPValue }
    let effect = weakest?.effect.map { ": \($0.text) \(weakest?.unit ?? "")" } ?? ""
    return verdict.words + effect
  }

  /// Over the tasks whose rules several demonstrations define and which a model does.
  private func series(_ models: [String]) -> String {
    let claims: [PaperClaim] = [.noGlobalVector, .ownAnswerPosition, .distributed]
    let lines = models.map { model in
      let tested = runs.filter { run in
        run.record.model == model && (run.gate?.passed ?? true)
          && claims.contains { run.verdict(on: $0).outcome != .notTested }
      }
      let counts = claims.map { claim in
        let outcomes = tested.map { $0.verdict(on: claim).outcome }.filter { $0 != .notTested }
        let supported = outcomes.count { $0 == .supported }
        let against = outcomes.count { $0 == .contradicted || $0 == .mixed }
        return "claim \(claim.rawValue) in \(supported) of \(outcomes.count)"
          + (against > 0 ? ", contradicted or mixed in \(against)" : "")
      }
      return "- \(model), \(tested.count) tasks: \(counts.joined(separator: "; "))."
    }
    return lines.joined(separator: "\n") + "\n"
  }
}
