import TensorCore

extension ForcedChoice {
  /// Ridge decoders of all folds and penalties, as functions of the signs of groups: so that targets
  /// under which whole groups change sign cost a few products of groups × pairs, not a fit.
  public struct Ridge: Sendable {
    fileprivate struct FittedFold: Sendable {
      /// By penalty: loss of held-out blocks as a quadratic form of signs, `[groups, groups]`.
      let losses: [[Double]]
      /// By test kernel, then by penalty: differences of scores, `[pairs, groups]`.
      let differences: [[[Double]]]
      let pairs: [Int]
    }

    private let folds: [FittedFold]
    private let groupCount: Int
    private let pairGroups: [Int]

    fileprivate init(_ folds: [FittedFold], groupCount: Int, pairGroups: [Int]) {
      self.folds = folds
      self.groupCount = groupCount
      self.pairGroups = pairGroups
    }

    /// With the targets as they are.
    ///
    /// - Parameter kernel: which of the test kernels.
    public func outcome(_ kernel: Int = 0) -> ForcedChoiceOutcome {
      ForcedChoiceOutcome(
        choices: choices(kernel, signs: [Double](repeating: 1, count: groupCount)),
        groups: pairGroups)
    }

    /// A two-sided test that the targets' sign is exchangeable between groups, by how far the mean
    /// share of right choices is from one half. Penalties are chosen anew for every draw.
    ///
    /// - Returns: the p value, and what the middle 95 % of the first draws lie between.
    public func test(_ kernel: Int = 0, draws: SequentialMonteCarlo, seed: UInt64) -> (
      pValue: Double, low: Double, high: Double
    ) {
      let found = (outcome(kernel).mean - 0.5).magnitude
      guard found.isFinite else { return (.nan, .nan, .nan) }
      var random = RandomStream(seed: seed, path: [0xF0_2CED])
      var first: [Double] = []
      let p = draws.pValue {
        let signs = (0..<groupCount).map { _ in random.nextUInt32() & 1 == 0 ? 1.0 : -1 }
        let mean = ForcedChoiceOutcome(
          choices: choices(kernel, signs: signs), groups: pairGroups
        ).mean
        if first.count < draws.least { first.append(mean) }
        return (mean - 0.5).magnitude >= found - 1e-9
      }
      first.sort()
      return (p, quantile(first, 0.025), quantile(first, 0.975))
    }

    func choices(_ kernel: Int, signs: [Double]) -> [Double?] {
      var differences = [Double?](repeating: nil, count: pairGroups.count)
      for fold in folds {
        // The penalty of the least loss, the largest of equals.
        var best = (loss: Double.infinity, penalty: 0)
        for (penalty, form) in fold.losses.enumerated() {
          let loss = Self.form(form, signs)
          if loss <= best.loss { best = (loss, penalty) }
        }
        let rows = fold.differences[kernel][best.penalty]
        rows.withUnsafeBufferPointer { rows in
          for (place, pair) in fold.pairs.enumerated() {
            var sum = 0.0
            for group in 0..<groupCount { sum += rows[place * groupCount + group] * signs[group] }
            differences[pair] = sum * signs[pairGroups[pair]]
          }
        }
      }
      return ForcedChoice.choices(differences)
    }

    /// signsᵀ · form · signs.
    private static func form(_ form: [Double], _ signs: [Double]) -> Double {
      form.withUnsafeBufferPointer { form in
        var sum = 0.0
        for i in signs.indices {
          var row = 0.0
          for j in signs.indices { row += form[i * signs.count + j] * signs[j] }
          sum += row * signs[i]
        }
        return sum
      }
    }
  }

  /// Fits ridge regressions (`KernelRidge`) to the targets of every fold.
  ///
  /// - Parameters:
  ///   - training: kernel between all samples, `[samples, samples]`.
  ///   - testing: kernels from tested samples (rows) to trained ones (columns); more than one where
  ///     the same decoders are tested on several versions of the samples.
  /// - Throws: `UserError` for values that are not finite.
  public func ridge(training: [Double], testing: [[Double]]) throws -> Ridge {
    let count = targets.count
    let groupCount = blocks.count
    let fitted = try folds.map { fold -> Ridge.FittedFold in
      let (samples, tested) = members(of: fold)
      let scale = Self.scale(training, samples, count)
      let ridge = try KernelRidge(
        kernel: Self.part(training, count, rows: samples, columns: samples), count: samples.count)
      var columns = [Double](repeating: 0, count: samples.count * groupCount)
      for (place, sample) in samples.enumerated() {
        columns[place * groupCount + groups[sample]] = targets[sample]
      }
      let turned = ridge.turned(columns, columns: groupCount)
      let blocks = blocks(of: samples)
      let contrasts = testing.map { kernel in
        tested.flatMap { pair in
          samples.map {
            kernel[pairs[pair].positive * count + $0] - kernel[pairs[pair].negative * count + $0]
          }
        }
      }
      var losses: [[Double]] = []
      var differences = testing.map { _ in [[Double]]() }
      for penalty in Self.penalties.map({ $0 * scale }) {
        let residuals = try ridge.heldOutResiduals(of: turned, blocks: blocks, penalty: penalty)
        var loss = [Double](repeating: 0, count: groupCount * groupCount)
        addGram(n: groupCount, k: samples.count, a: residuals, c: &loss)
        for i in 0..<groupCount {
          for j in 0..<i { loss[i * groupCount + j] = loss[j * groupCount + i] }
        }
        losses.append(loss)
        let duals = ridge.duals(of: turned, penalty: penalty)
        for number in testing.indices {
          var rows = [Double](repeating: 0, count: tested.count * groupCount)
          if !tested.isEmpty {
            gemm(
              m: tested.count, n: groupCount, k: samples.count, a: contrasts[number], b: duals,
              transposeB: false, c: &rows)
          }
          differences[number].append(rows)
        }
      }
      return Ridge.FittedFold(losses: losses, differences: differences, pairs: tested)
    }
    return Ridge(
      fitted, groupCount: groupCount, pairGroups: pairs.map { groups[$0.positive] })
  }
}

extension ForcedChoiceOutcome {
  /// The mean over tested pairs; NaN where there are none.
  var mean: Double {
    var sum = 0.0
    var count = 0
    for case .some(let choice) in choices {
      sum += choice
      count += 1
    }
    return count > 0 ? sum / Double(count) : .nan
  }
}
