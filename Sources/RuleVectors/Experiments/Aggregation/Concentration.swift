/// How evenly an effect is shared among demonstrations.
///
/// Shares may be negative (a demonstration that works against the rule). Both measures take their
/// magnitudes: a demonstration that hurts carries as much as one that helps, and only so do the
/// measures keep their bounds.
public enum Concentration {
  /// Gini coefficient of the magnitudes: Σᵢⱼ ||sᵢ| − |sⱼ|| / (2 n Σ|s|); 0 where all are equal,
  /// 1 − 1/n where one share is everything. NaN where all are zero or there are none.
  public static func gini(_ shares: [Double]) -> Double {
    let sorted = shares.map(\.magnitude).sorted()
    let n = Double(sorted.count)
    let total = sorted.reduce(0, +)
    guard total > 0 else { return .nan }
    let weighted = sorted.enumerated().reduce(0) { $0 + Double($1.offset + 1) * $1.element }
    return max(0, 2 * weighted / (n * total) - (n + 1) / n)
  }

  /// Participation ratio (Σ|s|)² / Σs²: the number of demonstrations among which equal shares would
  /// be as concentrated. 1 where one carries everything, n where all carry as much. NaN where all
  /// are zero or there are none.
  ///
  /// The field's formula (Σλ)² / Σλ² is for eigenvalues or occupations, which are not negative, and
  /// agrees there. With signs left in, shares that cancel would give a ratio below 1, a number of
  /// demonstrations that has no meaning.
  public static func participationRatio(_ shares: [Double]) -> Double {
    // Scaled by the largest so that squares neither overflow nor vanish.
    guard let largest = shares.map(\.magnitude).max(), largest > 0 else { return .nan }
    let scaled = shares.map { $0.magnitude / largest }
    let sum = scaled.reduce(0, +)
    return sum * sum / scaled.reduce(0) { $0 + $1 * $1 }
  }
}
