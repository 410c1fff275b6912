import TensorCore

extension ControlVector {
  /// The difference of two sets of prompts: after each block but the first, the mean residual stream of
  /// one set's rows less that of the other's (Marks & Tegmark 2023, "mass mean").
  ///
  /// - Parameters:
  ///   - towards: the prompts to steer towards, with the positions whose rows count.
  ///   - away: those to steer away from.
  /// - Throws: `UserError` where a set has no positions, or the model has a single block.
  public init(
    towards: [ActivationFile.Prompt], away: [ActivationFile.Prompt], engine: Engine,
    progress: (Int) -> Void = { _ in }
  ) throws {
    let architecture = engine.model.architecture
    guard architecture.layers > 1 else {
      throw UserError(
        "a control vector steers after block 1 and later, the model has one block",
        at: engine.model.path, remedy: "use {\"add\": …} in a list of interventions")
    }
    let hooks = (1..<architecture.layers).map { HookPoint(.residualPost, layer: $0) }
    func means(of prompts: [ActivationFile.Prompt], done: Int) throws -> [[Double]] {
      let rows = prompts.reduce(0) { $0 + $1.positions.count }
      guard rows > 0 else {
        throw UserError(
          "a set of prompts has no positions", remedy: "name positions that are there",
          status: .usage)
      }
      var sums = hooks.map { _ in [Double](repeating: 0, count: architecture.width) }
      for (number, prompt) in prompts.enumerated() where !prompt.positions.isEmpty {
        let result = try engine.forward(
          ForwardRequest(
            tokens: prompt.tokens,
            recordings: hooks.map { Recording($0, positions: prompt.positions) }, logits: .none))
        for (index, tensor) in result.recorded.enumerated() {
          for row in 0..<tensor.rows {
            for (column, value) in tensor.row(row).enumerated() {
              sums[index][column] += Double(value)
            }
          }
        }
        progress(done + number + 1)
      }
      return sums.map { $0.map { $0 / Double(rows) } }
    }
    let (plus, minus) = (
      try means(of: towards, done: 0), try means(of: away, done: towards.count)
    )
    directions = hooks.indices.map { index in
      (index + 1, zip(plus[index], minus[index]).map { Float($0 - $1) })
    }
  }
}
