/// The claims of the paper that the toolkit tests (arXiv 2406.16007, versions 1 and 2, in our words).
public enum PaperClaim: Int, Sendable, CaseIterable {
  case noGlobalVector = 1
  case ownAnswerPosition
  case distributed
  case convergence
  case abstraction
  case series

  public var sentence: String {
    switch self {
    case .noGlobalVector:
      "No single global vector carries a rule that several demonstrations define together."
    case .ownAnswerPosition:
      "Each demonstration forms its rule vector at its own answer position."
    case .distributed: "All rule vectors contribute to the answer, in a distributed manner."
    case .convergence:
      "In some tasks, but not in categorization, the local vectors converge into the global one in "
        + "later layers."
    case .abstraction: "Rule vectors encode a high-level abstraction of the rule."
    case .series: "It holds over a series of tasks whose rules several demonstrations define."
    }
  }
}
