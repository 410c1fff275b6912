extension CompiledNetwork {
  /// Scores differ by as much where one key is to have all the weight: e⁻³² is below f32's ε.
  static let sharpness: Float = 32
  /// How much a score grows by token, where the latest or earliest of some keys is to have all the
  /// weight; words are two tokens or more apart.
  private static let slope: Float = 16
  /// More than `slope` times any position.
  private static let contrast: Float = 8192

  /// Block 0 of every kind: a rule vector at each answer position.
  ///
  /// 1. `latestWord` brings every position the class of the latest word: to an answer position that of
  ///    its demonstration's input, to the last position the query's.
  /// 2. For class c and label l the gate max(0, context_c + label_l − 1) is 1 exactly where both are
  ///    1, and writes it to `rule(c, l)`. Only labels have a label, so only answer positions get a
  ///    rule vector, and only those whose input has a class: dummies give none.
  static func formation(_ stream: ResidualStream) -> CompiledBlock {
    var gates: [CompiledGate] = []
    for (c, context) in stream.context.enumerated() {
      for (l, label) in stream.label.enumerated() {
        gates.append(
          CompiledGate(
            input: LinearForm([context: 1, label: 1], constant: -1),
            write: [stream.rule(c, l): 1]))
      }
    }
    return CompiledBlock(heads: [latestWord(stream, to: stream.context)], gates: gates)
  }

  /// Score 8192 · word + 16 · position of the key: the latest word has all the weight. The value is its
  /// class. Where there is no word, the value is zero.
  static func latestWord(_ stream: ResidualStream, to target: Range<Int>) -> CompiledHead {
    CompiledHead(
      scores: [
        (
          LinearForm(constant: 1),
          LinearForm([
            ResidualStream.word: contrast,
            ResidualStream.position: slope * ResidualStream.positionUnit,
          ])
        )
      ],
      values: zip(stream.category, target).map { (LinearForm([$0: 1]), [$1: 1]) })
  }

  /// Score 8192 · label − 16 · position of the key: the earliest label has all the weight. The value is
  /// its position. Before the first label it is that of the first token, 0.
  static func earliestLabel(_ stream: ResidualStream) -> CompiledHead {
    CompiledHead(
      scores: [
        (
          LinearForm(constant: 1),
          LinearForm(stream.label, times: contrast)
            + LinearForm([ResidualStream.position: -slope * ResidualStream.positionUnit])
        )
      ],
      values: [
        (LinearForm([ResidualStream.position: 1]), [ResidualStream.earliest: 1])
      ])
  }

  /// max(0, label − (position − earliest) in tokens): 1 at the first label, 0 everywhere else.
  static func isFirst(_ stream: ResidualStream) -> CompiledGate {
    let unit = ResidualStream.positionUnit
    return CompiledGate(
      input: LinearForm(stream.label)
        + LinearForm([ResidualStream.position: -unit, ResidualStream.earliest: unit]),
      write: [ResidualStream.first: 1])
  }

  /// A head that reads rule vectors of the query's class, or of another: the weights are even over
  /// those that fit, and where none fits over positions that hold no rule vector.
  ///
  /// Of a key with a rule vector of class k the score is b · (2 · [k fits] − 1), of another key 0. A
  /// query without a class fits nothing. The value is the label, times `factor`, for the answer.
  static func matching(
    _ stream: ResidualStream, sameClass: Bool, onlyFirst: Bool, times factor: Float
  ) -> CompiledHead {
    let b = sharpness
    var scores: [(query: LinearForm, key: LinearForm)] = stream.context.enumerated().map {
      c, context in
      // That the class is another: the query's other classes.
      let query = sameClass ? [context] : stream.context.filter { $0 != context }
      return (LinearForm(query, times: 2 * b), LinearForm(stream.rules(ofClass: c)))
    }
    scores.append((LinearForm(constant: -b), LinearForm(stream.rules)))
    if onlyFirst {
      // Two thirds more for all but the first: b · (2 · [fits] + 2 · first − 3).
      scores.append(
        (
          LinearForm(constant: 2 * b),
          LinearForm([ResidualStream.first: 1]) + LinearForm(stream.rules, times: -1)
        ))
    }
    return CompiledHead(
      scores: scores,
      values: stream.label.enumerated().map { l, label in
        (LinearForm(stream.rules(ofLabel: l)), [label: factor])
      })
  }

  /// Score b of keys with a rule vector, 0 of others: even weights over all rule vectors.
  static func allRules(_ stream: ResidualStream) -> (query: LinearForm, key: LinearForm) {
    (LinearForm(constant: sharpness), LinearForm(stream.rules))
  }
}
