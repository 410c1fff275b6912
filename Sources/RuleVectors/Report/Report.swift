import Reports
import TensorCore

/// Several runs side by side: one family of tests, one page, one summary for scripts.
public struct Report: Sendable {
  public let runs: [RunReport]
  /// Seed of permutations; part of what the report is.
  private static let seed: UInt64 = 0

  /// - Throws: `UserError` for rows that this version cannot read.
  public init(_ records: [RunRecord]) throws {
    var runs = try records.enumerated().map { index, record in
      try RunReport(record, stem: records.count > 1 ? "\(index + 1)-" : "", seed: Self.seed)
    }
    var adjusted = Claim.adjusted(runs.flatMap(\.claims))[...]
    for number in runs.indices {
      runs[number].replaceClaims { adjusted.popFirst() ?? $0 }
    }
    self.runs = runs
  }

  /// All tested sentences, run by run.
  public var claims: [Claim] { runs.flatMap(\.claims) }
}
