import TensorCore

/// The rule of an episode: drawn for it, or known beforehand.
public enum Rule: Sendable, Equatable {
  /// Label by class name.
  case categorization(labels: [String: String])
  case mapping
  case bijection
  /// And the rule that takes its place where it is flipped.
  case linear(LinearRule, other: LinearRule)

  /// The rule that gives each class the label of the next one by name, the last that of the first; of
  /// two classes each gets the other's. A linear rule changes places with the other that was drawn; a
  /// mapping and a bijection have no other rule.
  public var flipped: Rule {
    switch self {
    case .categorization(let labels): .categorization(labels: labels.mapValues { turned($0) })
    case .linear(let rule, let other): .linear(other, other: rule)
    case .mapping, .bijection: self
    }
  }

  /// The labels in the order in which `flipped` turns them; empty where there are none.
  public var labels: [String] {
    guard case .categorization(let labels) = self else { return [] }
    return labels.sorted { $0.key < $1.key }.map(\.value)
  }

  /// What stands under the flipped rule where `label` stands under this one.
  func turned(_ label: String) -> String {
    let labels = labels
    guard let place = labels.firstIndex(of: label) else { return label }
    return labels[(place + 1) % labels.count]
  }
}

/// One line of a prompt: an input with the answer that it is shown with.
public struct Demonstration: Sendable, Equatable {
  public var input: String
  public var answer: String
  /// The input's class, or the direction of a bijection; nil for mappings, numbers and dummy words.
  public var category: String?

  public init(input: String, answer: String, category: String? = nil) {
    self.input = input
    self.answer = answer
    self.category = category
  }
}

/// A drawn rule, n demonstrations of it, a query and its candidate answers.
public struct Episode: Sendable, Equatable {
  /// How an episode's demonstrations came about.
  public enum Variant: String, Sendable, CaseIterable {
    case original
    case flippedRule = "flipped-rule"
    case otherItems = "other-items"
    case swappedSlots = "swapped-slots"
    case otherQuery = "other-query"
    case zeroShot = "zero-shot"
    case dummyDemonstrations = "dummy-demonstrations"
    case shuffledLabels = "shuffled-labels"
  }

  /// Name of the task.
  public let task: String
  public let seed: UInt64
  public let index: Int
  public let split: Split
  public var variant: Variant
  public var rule: Rule
  public var demonstrations: [Demonstration]
  public var query: String
  /// The query's class, or the direction of a bijection; nil for mappings and numbers.
  public var queryCategory: String?
  /// The query's answer under `rule`.
  public var right: String
  /// The query's answer under the flipped rule, or the answer of another pair.
  public var wrong: String

  /// All labels, or two answers; the right one first, then the wrong one.
  public var candidates: [String] {
    [right, wrong] + rule.labels.filter { $0 != right && $0 != wrong }
  }

  /// A stream of this episode's own for one purpose.
  func stream(_ purpose: EpisodeStream, draw: Int = 0) -> RandomStream {
    purpose.stream(seed: seed, split: split, index: index, draw: draw)
  }
}

/// What random numbers are drawn for: each purpose has its own stream, so that drawing more for one
/// never changes another.
enum EpisodeStream: UInt64 {
  case rule = 1
  // The numbers of streams stay what they were, so that seeds draw what they drew.
  case items = 2
  case order = 3
  case otherItems = 6
  case swappedSlots = 7
  case dummies = 8
  case otherQuery = 9
  case shuffledLabels = 21

  func stream(seed: UInt64, split: Split, index: Int, draw: Int = 0) -> RandomStream {
    let part: UInt64 =
      switch split {
      case .development: 0
      case .heldOut: 1
      case .pilot: 2
      }
    return RandomStream(
      seed: seed,
      path: [rawValue, part, UInt64(truncatingIfNeeded: index), UInt64(truncatingIfNeeded: draw)])
  }
}
