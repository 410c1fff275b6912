import Reports
import RuleVectors
import TensorCore
import Terminal

/// Results of `icl-probe tasks check` for people.
struct TaskCheckText {
  /// Ascending.
  let shots: [Int]
  let rows: [(family: String?, result: TaskCheck.Result)]

  func text(on device: TerminalDevice) -> String {
    let headers =
      ["family", "task", "format", "tokens", "collisions"] + shots.map { "\($0) shots" }
      + ["first of all", "does it"]
    let table = TextTable(
      headers: headers, rows: rows.map { cells($0.family, $0.result) },
      alignments: [.left, .left, .left, .right, .right] + shots.map { _ in .right } + [
        .right, .left,
      ])
    let legend =
      "\nNumbers below shots: share of episodes in which the right answer beats the other "
      + "candidates (95 % Wilson intervals in --json). First of all: over the whole vocabulary, with "
      + "the most demonstrations. Does it: better than guessing among the candidates, there "
      + "(exact binomial test, 2.5 %).\n"
    var reasons: [String] = []
    for (_, result) in rows {
      for left in result.leftOut {
        reasons.append("\(result.task) (\(result.format)), \(left.shots) shots: \(left.reason)\n")
      }
    }
    return table.text(on: device) + legend
      + (reasons.isEmpty ? "" : "\nLeft out:\n" + reasons.joined())
  }

  private func cells(_ family: String?, _ result: TaskCheck.Result) -> [String] {
    let tokens = result.answers.map { answers in
      answers.fewestTokens == answers.mostTokens
        ? "\(answers.mostTokens)" : "\(answers.fewestTokens)–\(answers.mostTokens)"
    }
    let collisions = result.answers.map { "\($0.collisions) of \($0.count)" }
    let accuracies = shots.map { shots in
      result.points.first { $0.shots == shots }
        .map { formatted($0.candidateAccuracy.estimate, digits: 2) } ?? "–"
    }
    let first = [family ?? "", result.task, result.format, tokens ?? "–", collisions ?? "–"]
    let passed = result.passed.map { $0 ? "yes" : "no" } ?? "–"
    return first + accuracies + [result.points.last?.accuracy.text(digits: 2) ?? "–", passed]
  }
}
