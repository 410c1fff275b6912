/// A p-value from random draws that goes on drawing as long as it is small (Besag and Clifford 1991).
///
/// If `exceedances` of the first `least` draws are as extreme as the value found, p is
/// (b + 1) / (least + 1) with b of them so extreme. If not, draws go on up to the one that is the
/// last of `exceedances`: of m draws, p = exceedances / m. At `most` draws p is (b + 1) / (most + 1).
/// Under the hypothesis no level α is rejected with a chance above α, whatever the stage p comes from:
/// each stage's p is larger than all of the later ones, and p ≤ k / m says that the value found is
/// among the k most extreme of m exchangeable ones.
public struct SequentialMonteCarlo: Sendable, Equatable {
  public let least: Int
  public let most: Int
  public let exceedances: Int

  public init(least: Int = 10_000, most: Int = 1_000_000, exceedances: Int = 100) {
    precondition(least > 0 && most >= least && exceedances > 0)
    self.least = least
    self.most = most
    self.exceedances = exceedances
  }

  /// No p-value is smaller.
  public var smallestPValue: Double { 1 / Double(most + 1) }

  /// - Parameter isExtreme: makes the next draw; whether it is at least as extreme as the value found.
  public func pValue(_ isExtreme: () -> Bool) -> Double {
    var extreme = 0
    for _ in 0..<least where isExtreme() { extreme += 1 }
    if extreme >= exceedances { return Double(extreme + 1) / Double(least + 1) }
    for draw in least..<most where isExtreme() {
      extreme += 1
      if extreme == exceedances { return Double(exceedances) / Double(draw + 1) }
    }
    return Double(extreme + 1) / Double(most + 1)
  }
}
