import TensorCore
import Transformer

/// A class of attention edges by the roles of their ends: from a key to a query that reads it.
enum EdgeClass: String, Sendable, CaseIterable {
  /// A demonstration's input, read at its own answer.
  case inputToOwnAnswer = "input-own-answer"
  /// A demonstration's separator, read at its own answer.
  case separatorToOwnAnswer = "separator-own-answer"
  /// Earlier answers, read at later ones.
  case answerToLaterAnswers = "answer-later-answers"
  /// The last token of every answer, read at the last position.
  case answerToLast = "answer-last"
  /// All tokens of every answer, read at the last position: the label words of Wang et al. 2023.
  case labelToLast = "label-last"

  /// For sentences.
  var words: String {
    switch self {
    case .inputToOwnAnswer: "from inputs to their own answers"
    case .separatorToOwnAnswer: "from separators to their own answers"
    case .answerToLaterAnswers: "from answers to later answers"
    case .answerToLast: "from the answers' last tokens to the last position"
    case .labelToLast: "from all tokens of the answers to the last position"
    }
  }

  /// Which of the paper's claims a loss by cutting these edges speaks to.
  var paperClaim: Int? {
    switch self {
    case .inputToOwnAnswer, .separatorToOwnAnswer: 2
    // That cutting all answers at once costs something says nothing of how they share the rule.
    case .answerToLast, .labelToLast, .answerToLaterAnswers: nil
    }
  }

  /// The edges in a prompt; `last` is the position whose logits are read.
  func edges(in prompt: Prompt, last: Int) -> Set<Edge> {
    let positions = Array(prompt.tokens.indices)
    func tokens(_ role: TokenRole, _ demonstration: Int) -> [Int] {
      positions.filter {
        prompt.roles[$0] == role && prompt.demonstrationIndices[$0] == demonstration
      }
    }
    let demonstrations = prompt.answerPositions.indices
    var edges: Set<Edge> = []
    func add(_ queries: [Int], _ keys: [Int]) {
      for query in queries {
        for key in keys where key < query { edges.insert(Edge(query: query, key: key)) }
      }
    }
    switch self {
    case .inputToOwnAnswer:
      for i in demonstrations { add(tokens(.answer, i), tokens(.demonstrationInput, i)) }
    case .separatorToOwnAnswer:
      for i in demonstrations { add(tokens(.answer, i), tokens(.separator, i)) }
    case .answerToLaterAnswers:
      for i in demonstrations { add(tokens(.answer, i), Array(prompt.answerPositions[..<i])) }
    case .answerToLast: add([last], prompt.answerPositions)
    case .labelToLast: add([last], prompt.positions(of: .answer))
    }
    return edges
  }
}

/// A query and a key that it reads.
struct Edge: Hashable, Sendable {
  let query: Int
  let key: Int
}

extension Set<Edge> {
  /// The interventions that cut these edges in `layers`: one for each set of keys.
  func knockouts(layers: ClosedRange<Int>) -> [Intervention] {
    var queriesOfKeys: [[Int]: [Int]] = [:]
    for (query, edges) in Dictionary(grouping: self, by: \.query) {
      queriesOfKeys[edges.map(\.key).sorted(), default: []].append(query)
    }
    return queriesOfKeys.sorted { $0.key.lexicographicallyPrecedes($1.key) }.map { keys, queries in
      .knockout(EdgeKnockout(layers: layers, queries: queries.sorted(), keys: keys))
    }
  }

  /// As many edges of the same queries that are not among `excluded`, drawn query by query; where a query has too few,
  /// others of them make up for it, and where all have, there are fewer.
  ///
  /// The first position is in none: attention rests there, and cutting it harms whatever a query reads.
  func control(excluding excluded: Set<Edge>, random: inout RandomStream) -> Set<Edge> {
    let queries = Dictionary(grouping: self, by: \.query).sorted { $0.key < $1.key }
    var drawn: Set<Edge> = []
    var left: [Edge] = []
    for (query, own) in queries {
      let others = (1..<Swift.max(query, 1)).map { Edge(query: query, key: $0) }
        .filter { !excluded.contains($0) }
      let found = Set(random.sample(own.count, of: others))
      drawn.formUnion(found)
      left += others.filter { !found.contains($0) }
    }
    return drawn.union(random.sample(count - drawn.count, of: left))
  }
}
