import Reports
import TensorCore

/// The paper's claims over tasks and models.
///
/// A cell says how many of the sentences that speak to a claim support or contradict it, with the effect
/// of the one whose adjusted p is the largest of those that decide it. Sentences of all runs are corrected
/// together.
extension Report {
  /// As Markdown: `aggregate --claims`.
  ///
  /// - Parameter families: of tasks, by their names; rows are sorted by them, and name them.
  public func claimsTable(families: [String: String] = [:]) -> String {
    let text =
      Claim.count(claims) + " All are corrected together (Holm).\n\n"
      + "## Whether the models do the tasks\n\n" + gateTable(families).markdown
    return PaperClaim.allCases.reduce(into: text) { text, claim in
      text += "\n## \(claim.rawValue). \(claim.sentence)\n\n"
      if claim == .series {
        text += series.map { "- \($0)\n" }.joined()
      } else {
        text += table(of: claim, families)?.markdown ?? "No run tests it.\n"
      }
    }
  }

  /// Whether the models do the tasks.
  func gateTable(_ families: [String: String] = [:]) -> HTMLTable {
    table(tasks, families) { HTMLTable.Cell(Self.gates($0)) }
  }

  /// The verdicts on one claim by task and model; nil where no run tests it.
  func table(of claim: PaperClaim, _ families: [String: String] = [:]) -> HTMLTable? {
    let tested = tasks.filter { task in
      runs.contains { $0.record.task == task && $0.verdict(on: claim).outcome != .notTested }
    }
    guard !tested.isEmpty else { return nil }
    return table(tested, families) { runs in
      runs.contains { $0.gate?.passed ?? true }
        ? Self.cell(verdict(on: claim, runs)) : "the model does not do the task"
    }
  }

  /// Claim 6: over the tasks whose rules several demonstrations define and which a model does.
  var series: [String] {
    let claims: [PaperClaim] = [.noGlobalVector, .ownAnswerPosition, .distributed]
    return models.map { model in
      let cells = tasks.map { runs(of: $0, on: model) }.filter { runs in
        claims.contains { verdict(on: $0, runs).outcome != .notTested }
      }
      let counts = claims.map { claim in
        let outcomes = cells.map { verdict(on: claim, $0).outcome }.filter { $0 != .notTested }
        let supported = outcomes.count { $0 == .supported }
        let against = outcomes.count { $0 == .contradicted || $0 == .mixed }
        return "claim \(claim.rawValue) in \(supported) of \(outcomes.count)"
          + (against > 0 ? ", contradicted or mixed in \(against)" : "")
      }
      return "\(model), \(cells.count) \(cells.count == 1 ? "task" : "tasks"): "
        + "\(counts.joined(separator: "; "))."
    }
  }

  private func runs(of task: String, on model: String) -> [RunReport] {
    runs.filter { $0.record.task == task && $0.record.model == model }
  }

  /// What those of the runs say together in which the model does the task.
  private func verdict(on claim: PaperClaim, _ runs: [RunReport]) -> RunReport.PaperVerdict {
    let verdicts = runs.filter { $0.gate?.passed ?? true }.map { $0.verdict(on: claim) }
    return RunReport.PaperVerdict(
      claim: claim, claims: verdicts.flatMap(\.claims), headings: verdicts.flatMap(\.headings))
  }

  /// A row for each task, a column for each model.
  private func table(
    _ tasks: [String], _ families: [String: String], _ cell: ([RunReport]) -> HTMLTable.Cell
  ) -> HTMLTable {
    func family(_ task: String) -> String { families[task] ?? "" }
    let sorted =
      families.isEmpty ? tasks : tasks.sorted { (family($0), $0) < (family($1), $1) }
    return HTMLTable(
      headers: (families.isEmpty ? [] : ["family"]) + ["task"] + models,
      cells: sorted.map { task in
        (families.isEmpty ? [] : [HTMLTable.Cell(family(task))]) + [HTMLTable.Cell(task)]
          + models.map { model in
            let own = runs(of: task, on: model)
            return own.isEmpty ? "not run" : cell(own)
          }
      })
  }

  /// Once for every number of demonstrations.
  private static func gates(_ runs: [RunReport]) -> String {
    var seen: Set<Int> = []
    return runs.filter { seen.insert($0.record.demonstrations).inserted }.map { run in
      guard let gate = run.gate else { return "–" }
      return (gate.passed ? "yes" : "no") + ", right in \(gate.candidateAccuracy.text) with "
        + "\(run.record.demonstrations)"
    }.joined(separator: "; ")
  }

  private static func cell(_ verdict: RunReport.PaperVerdict) -> HTMLTable.Cell {
    guard verdict.outcome != .notTested else { return "not tested" }
    let decided = verdict.claims.filter { $0.verdict != .undecided }
    let weakest = (decided.isEmpty ? verdict.claims : decided).weakest
    let effect = weakest?.effect.map { ": \($0.text) \(weakest?.unit ?? "")" } ?? ""
    return .verdict(verdict.outcome.mark, verdict.words + effect)
  }
}

extension Array where Element == Claim {
  /// The one of the largest adjusted p, of equals that of the largest p; those that could not be tested have none.
  var weakest: Claim? {
    filter { !$0.adjustedPValue.isNaN }
      .max { ($0.adjustedPValue, $0.pValue) < ($1.adjustedPValue, $1.pValue) } ?? first
  }
}
