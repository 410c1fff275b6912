/// Holm's step-down correction for several tests (Holm 1979).
public enum Holm {
  /// Adjusted p-values in the order given: rejecting those at most α keeps the chance of any false
  /// rejection at most α, whatever the dependence between the tests.
  ///
  /// A value that is not a number (a test that could not be made) stays so and is not counted.
  public static func adjusted(_ pValues: [Double]) -> [Double] {
    let order = pValues.indices.filter { !pValues[$0].isNaN }.sorted {
      (pValues[$0], $0) < (pValues[$1], $1)
    }
    var adjusted = pValues
    var largest = 0.0
    for (rank, index) in order.enumerated() {
      largest = max(largest, min(1, Double(order.count - rank) * pValues[index]))
      adjusted[index] = largest
    }
    return adjusted
  }
}
