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
    text += table(tasks, models, Self.gates)
    for claim in PaperClaim.allCases where claim != .series {
      let tested = tasks.filter { task in
        runs.contains { $0.record.task == task && $0.verdict(on: claim).outcome != .notTested }
      }
      text += "\n## \(claim.rawValue). \(claim.sentence)\n\n"
      text +=
        tested.isEmpty
        ? "No run tests it.\n"
        : table(tested, models) { runs in
          runs.contains { $0.gate?.passed ?? true }
            ? Self.text(verdict(on: claim, runs)) : "the model does not do the task"
        }
    }
    text += "\n## \(PaperClaim.series.rawValue). \(PaperClaim.series.sentence)\n\n"
    return text + series(tasks, models)
  }

  /// Different names in the order of the runs.
  private func names(_ name: (RunReport) -> String) -> [String] {
    runs.reduce(into: []) { if !$0.contains(name($1)) { $0.append(name($1)) } }
  }

  /// Runs of one task on one model.
  private func cell(_ task: String, _ model: String) -> [RunReport] {
    runs.filter { $0.record.task == task && $0.record.model == model }
  }

  /// What those runs say together in which the model does the task.
  private func verdict(on claim: PaperClaim, _ runs: [RunReport]) -> RunReport.PaperVerdict {
    let verdicts = runs.filter { $0.gate?.passed ?? true }.map { $0.verdict(on: claim) }
    return RunReport.PaperVerdict(
      claim: claim, claims: verdicts.flatMap(\.claims), headings: verdicts.flatMap(\.headings))
  }

  private func table(
    _ tasks: [String], _ models: [String], _ text: ([RunReport]) -> String
  ) -> String {
    func row(_ cells: [String]) -> String { "| \(cells.joined(separator: " | ")) |\n" }
    return row(["task"] + models) + row(["---"] + models.map { _ in "---" })
      + tasks.map { task in
        row(
          [task]
            + models.map { model in
              let own = cell(task, model)
              return own.isEmpty ? "not run" : text(own)
            })
      }.joined()
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

  private static func text(_ verdict: RunReport.PaperVerdict) -> String {
    guard verdict.outcome != .notTested else { return "not tested" }
    let decided = verdict.claims.filter { $0.verdict != .undecided }
    let weakest = (decided.isEmpty ? verdict.claims : decided)
      .max { $0.adjustedPValue < $1.adjustedPValue }
    let effect = weakest?.effect.map { ": \($0.text) \(weakest?.unit ?? "")" } ?? ""
    return verdict.words + effect
  }

  /// Over the tasks whose rules several demonstrations define and which a model does.
  private func series(_ tasks: [String], _ models: [String]) -> String {
    let claims: [PaperClaim] = [.noGlobalVector, .ownAnswerPosition, .distributed]
    let lines = models.map { model in
      let cells = tasks.map { cell($0, model) }.filter { runs in
        claims.contains { verdict(on: $0, runs).outcome != .notTested }
      }
      let counts = claims.map { claim in
        let outcomes = cells.map { verdict(on: claim, $0).outcome }.filter { $0 != .notTested }
        let supported = outcomes.count { $0 == .supported }
        let against = outcomes.count { $0 == .contradicted || $0 == .mixed }
        return "claim \(claim.rawValue) in \(supported) of \(outcomes.count)"
          + (against > 0 ? ", contradicted or mixed in \(against)" : "")
      }
      return
        "- \(model), \(cells.count) \(cells.count == 1 ? "task" : "tasks"): "
        + "\(counts.joined(separator: "; "))."
    }
    return lines.joined(separator: "\n") + "\n"
  }
}
