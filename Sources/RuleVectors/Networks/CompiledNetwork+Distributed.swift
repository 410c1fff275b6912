extension CompiledNetwork {
  /// `rule-distributed`: all answer positions contribute alike.
  ///
  /// Block 1, at the last position, whose `context` is the query's class q:
  /// - head 0 is even over the rule vectors of class q and adds 16 times the mean of their labels;
  /// - head 1 is even over the rule vectors of other classes and takes 16 times the mean of their
  ///   labels.
  ///
  /// With n demonstrations of either class each brings 16/n for its own label or against it, so the
  /// right one is ahead by 32. A majority decides where labels contradict each other. What is put in
  /// place of one demonstration's rule vector changes the means by one part, and demonstrations can be
  /// exchanged: their Shapley values are equal (a demonstration that turns from class q to another and
  /// one that turns from another to q swap roles under "all but", which Shapley's value does not see).
  ///
  /// The match of query and rule is made by the attention's scores. So there is no position and no
  /// layer at which one vector says the rule: at the last position there are q, then the answer. No
  /// vector there helps without demonstrations, since nothing reads the rule from it.
  static func distributed(_ stream: ResidualStream) -> [CompiledBlock] {
    [
      formation(stream),
      CompiledBlock(heads: [
        matching(stream, sameClass: true, onlyFirst: false, times: 16),
        matching(stream, sameClass: false, onlyFirst: false, times: -16),
      ]),
    ]
  }
}
