/// What the data say about a sentence, as a page shows it: a word and a sign, so that it does not
/// hang on a colour.
public enum VerdictMark: String, Sendable, CaseIterable {
  case supported
  case contradicted
  case undecided
  case notTested = "not-tested"

  public init(_ verdict: Claim.Verdict) {
    switch verdict {
    case .supported: self = .supported
    case .contradicted: self = .contradicted
    case .undecided: self = .undecided
    }
  }

  public var sign: String {
    switch self {
    case .supported: "✓"
    case .contradicted: "✗"
    case .undecided: "?"
    case .notTested: "–"
    }
  }

  var word: String { self == .notTested ? "not tested" : rawValue }
}
