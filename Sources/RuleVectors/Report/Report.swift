import Reports
import TensorCore

/// Several runs side by side: one family of tests, one page, one summary for scripts.
public struct Report: Sendable {
  public let runs: [RunReport]
  /// Runs whose sections are on the page. The sentences of the others are corrected with theirs, and
  /// stand in the tables of claims.
  public let shown: [RunReport]
  /// Seed of permutations; part of what the report is.
  private static let seed: UInt64 = 0

  /// - Parameter tasks: whose runs are shown; all where it is empty.
  /// - Throws: `UserError` for rows that this version cannot read, or a task that has no run.
  public init(_ records: [RunRecord], showing tasks: [String] = []) throws {
    if let task = tasks.first(where: { task in !records.contains { $0.task == task } }) {
      let known = records.map(\.task).unique.joined(separator: ", ")
      throw UserError(
        "no run of the report is of the task \(task)", remedy: "show one of: \(known)",
        status: .usage)
    }
    var runs = try records.enumerated().map { index, record in
      try RunReport(record, stem: records.count > 1 ? "\(index + 1)-" : "", seed: Self.seed)
    }
    var adjusted = Claim.adjusted(runs.flatMap(\.claims))[...]
    for number in runs.indices {
      runs[number].replaceClaims { adjusted.popFirst() ?? $0 }
    }
    self.runs = runs
    shown = tasks.isEmpty ? runs : runs.filter { tasks.contains($0.record.task) }
  }

  /// All tested sentences, run by run.
  public var claims: [Claim] { runs.flatMap(\.claims) }

  /// In the order of the runs.
  var tasks: [String] { runs.map(\.record.task).unique }
  var models: [String] { runs.map(\.record.model).unique }
}

extension Array where Element: Hashable {
  /// The different elements in the order in which they come first.
  fileprivate var unique: [Element] {
    var seen: Set<Element> = []
    return filter { seen.insert($0).inserted }
  }
}
