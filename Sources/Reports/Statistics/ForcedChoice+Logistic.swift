import TensorCore

extension ForcedChoice {
  /// Penalties as multiples of the mean of the training kernel's diagonal.
  static let logisticPenalties = [10.0, 1, 0.1, 0.01]

  /// Logistic regressions (`KernelLogistic`) of every fold; the penalty is that of the least log loss
  /// of three held-out parts of the training blocks.
  ///
  /// - Parameter kernel: between all samples, `[samples, samples]`.
  /// - Throws: `UserError` for values that are not finite.
  public func logistic(_ kernel: [Double]) throws -> ForcedChoiceOutcome {
    let count = targets.count
    var differences = [Double?](repeating: nil, count: pairs.count)
    for fold in folds {
      let (samples, tested) = members(of: fold)
      let scale = Self.scale(kernel, samples, count)
      let blocks = blocks(of: samples)
      let parts = (0..<min(3, blocks.count)).map { part in
        Set(blocks.indices.filter { $0 % 3 == part }.flatMap { blocks[$0] })
      }
      var losses = [Double](repeating: 0, count: Self.logisticPenalties.count)
      for part in parts where parts.count > 1 {
        let inner = samples.indices.filter { !part.contains($0) }.map { samples[$0] }
        let held = samples.indices.filter { part.contains($0) }.map { samples[$0] }
        let across = Self.part(kernel, count, rows: held, columns: inner)
        for (number, duals) in try path(kernel, inner, scale).enumerated() {
          var odds = [Double](repeating: 0, count: held.count)
          gemm(
            m: held.count, n: 1, k: inner.count, a: across, b: duals, transposeB: false, c: &odds)
          losses[number] += KernelLogistic.logLoss(odds, held.map { targets[$0] })
        }
      }
      let best = losses.indices.min { (losses[$0], $0) < (losses[$1], $1) } ?? 0
      let duals = try path(kernel, samples, scale)[best]
      for pair in tested {
        let (positive, negative) = (pairs[pair].positive, pairs[pair].negative)
        differences[pair] = zip(samples, duals).reduce(0) { sum, entry in
          sum + entry.1
            * (kernel[positive * count + entry.0] - kernel[negative * count + entry.0])
        }
      }
    }
    return ForcedChoiceOutcome(
      choices: Self.choices(differences), groups: pairs.map { groups[$0.positive] })
  }

  /// Duals at every penalty, each begun with those of the one before.
  private func path(_ kernel: [Double], _ samples: [Int], _ scale: Double) throws -> [[Double]] {
    let own = Self.part(kernel, targets.count, rows: samples, columns: samples)
    let ownTargets = samples.map { targets[$0] }
    var path: [[Double]] = []
    for penalty in Self.logisticPenalties {
      path.append(
        try KernelLogistic.duals(
          kernel: own, targets: ownTargets, penalty: penalty * scale, start: path.last))
    }
    return path
  }
}
