/// How many times as fast as with nothing frozen a GAN iteration is with the convolutions frozen: both
/// in this project, in turn.
enum FrozenSpeedup {
  static let key = "own.\(AdversarialStep.kind).frozen_speedup"
  static let target = 1.15

  /// The median of `rounds` rounds.
  ///
  /// - Parameter start: starts a worker of the project for a step.
  static func measure(rounds: Int, start: (String) throws -> PeerProcess) throws -> Double {
    let (frozen, unfrozen) = (AdversarialStep.kind, AdversarialStep.unfrozen)
    let steps = try ComparedSteps.step(frozen).stepsOfTurn
    let (fast, slow) = (try start(frozen), try start(unfrozen))
    // The first step has the penalty; turns that follow have one each.
    _ = try fast.ask(frozen, limit: 1)
    _ = try slow.ask(unfrozen, limit: 1)
    return median(
      try (0..<rounds).map { _ in
        // Before and after the frozen turn, so that a drift of the machine falls out.
        let before = try slow.ask(unfrozen, limit: steps).seconds
        let seconds = try fast.ask(frozen, limit: steps).seconds
        let after = try slow.ask(unfrozen, limit: steps).seconds
        return (before + after) / 2 / seconds
      })
  }
}
