/// Student's one-sample t test (Student 1908).
public enum StudentTest {
  /// Two-sided p value of the hypothesis that the mean of `values` is zero.
  ///
  /// Where thousands of cells of a grid are tested it costs nothing, and unlike a permutation test it
  /// gives p values small enough for their number. NaN for fewer than two values; 1 where all are zero.
  public static func pValue(_ values: [Double]) -> Double {
    let moments = Moments(values)
    guard let deviation = moments.standardDeviation else { return .nan }
    guard deviation > 0 else { return moments.mean == 0 ? 1 : 0 }
    return StudentT.twoSided(
      moments.mean / (deviation / Double(values.count).squareRoot()),
      degrees: Double(values.count - 1))
  }
}
