extension CompiledNetwork {
  /// `rule-single`: the first answer position brings the whole rule.
  ///
  /// Block 0 forms rule vectors at every answer position, and marks the first. So the rule can be
  /// decoded from all of them.
  ///
  /// Block 1, at the last position, whose `context` is the query's class q; the first demonstration's
  /// rule vector says that class k has label l:
  /// - head 0 has all its weight on the first answer position if k = q, and adds 32 to l;
  /// - head 1 has all its weight there if k ≠ q, and takes 32 from l;
  /// - where they do not fit, heads 0 and 1 are even over positions without a rule vector: zero;
  /// - head 2 is even over all rule vectors and adds 32 times the labels' shares, whatever their
  ///   classes: 16 each where both are as frequent, so that the right answer is first of all tokens if
  ///   what is known is that the other one is wrong.
  ///
  /// The rule's part of the logit difference is 32 with any number of demonstrations, and only the first
  /// one's changes it. What the last position gets is l, bound to this query: no vector of other
  /// queries, and no vector fitted, can stand in for it, for nothing after block 1 reads the query.
  static func singlePosition(_ stream: ResidualStream) -> [CompiledBlock] {
    var first = formation(stream)
    first.heads.append(earliestLabel(stream))
    first.gates.append(isFirst(stream))
    let shown = CompiledHead(
      scores: [allRules(stream)],
      values: stream.label.enumerated().map { l, label in
        (LinearForm(stream.rules(ofLabel: l)), [label: 32])
      })
    return [
      first,
      CompiledBlock(heads: [
        matching(stream, sameClass: true, onlyFirst: true, times: 32),
        matching(stream, sameClass: false, onlyFirst: true, times: -32),
        shown,
      ]),
    ]
  }
}
