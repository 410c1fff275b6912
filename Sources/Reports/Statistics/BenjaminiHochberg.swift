/// The step-up correction of Benjamini and Hochberg (1995) for many tests.
public enum BenjaminiHochberg {
  /// Adjusted p-values in the order given: rejecting those at most α keeps the expected share of false
  /// rejections among all rejections at most α, for tests that are independent or positively dependent
  /// (Benjamini and Yekutieli 2001).
  ///
  /// A value that is not a number (a test that could not be made) stays so and is not counted.
  public static func adjusted(_ pValues: [Double]) -> [Double] {
    let order = pValues.indices.filter { !pValues[$0].isNaN }.sorted {
      (pValues[$0], $0) < (pValues[$1], $1)
    }
    var adjusted = pValues
    var smallest = 1.0
    for (rank, index) in order.enumerated().reversed() {
      smallest = min(smallest, Double(order.count) / Double(rank + 1) * pValues[index])
      adjusted[index] = smallest
    }
    return adjusted
  }
}
