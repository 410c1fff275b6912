extension CompiledNetwork {
  /// `rule-global`: one vector at the last position says the rule.
  ///
  /// - Block 1: heads are even over all rule vectors and add their mean to `rules`, at every position.
  ///   At the last position, which has no rule vector of its own, `rule(c, l)` is now the share of
  ///   demonstrations with class c and label l: the whole rule, whatever the query.
  /// - Block 2: `latestWord` reads the query's class once more, to `query`, from the query's own token.
  ///   The gate max(0, query_c + rule(c, l) − 1) is rule(c, l) for the query's class and 0 for others (a
  ///   share is at most 1), and adds 64 times it to label l. With as many demonstrations of either class
  ///   the right answer is ahead by 32.
  ///
  /// Whoever puts the last position's residual stream after block 1 into another prompt puts the rule
  /// there, and block 2 follows it for that prompt's query. Each demonstration adds 1/n to the vector.
  /// At answer positions the mean of the rule vectors up to there joins their own: local vectors
  /// approach the global one.
  static func globalVector(_ stream: ResidualStream) -> [CompiledBlock] {
    let rules = Array(stream.rules)
    let parts = stride(from: 0, to: rules.count, by: stream.headWidth).map {
      rules[$0..<min(rules.count, $0 + stream.headWidth)]
    }
    let gather = CompiledBlock(
      heads: parts.map { part in
        CompiledHead(
          scores: [allRules(stream)], values: part.map { (LinearForm([$0: 1]), [$0: 1]) })
      })
    var gates: [CompiledGate] = []
    for (c, query) in stream.query.enumerated() {
      for (l, label) in stream.label.enumerated() {
        gates.append(
          CompiledGate(
            input: LinearForm([query: 1, stream.rule(c, l): 1], constant: -1),
            write: [label: 64]))
      }
    }
    return [
      formation(stream), gather,
      CompiledBlock(heads: [latestWord(stream, to: stream.query)], gates: gates),
    ]
  }
}
