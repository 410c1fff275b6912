/// The weights that turn effects at equally spaced doses into one number for how they bend.
public enum Curvature {
  /// The orthogonal polynomial contrast of second order for the doses 0, 1, …, `count`.
  ///
  /// Σ contrast · effect is 0 for every straight line, 1 for x² over x = dose / `count`, and below 0
  /// where effects level off. Taken episode by episode it is tested by `PermutationTest.paired`.
  ///
  /// - Returns: `count` + 1 weights; zeros where fewer than three doses leave nothing to bend.
  public static func contrast(_ count: Int) -> [Double] {
    precondition(count >= 0)
    guard count >= 2 else { return [Double](repeating: 0, count: count + 1) }
    let squares = (0...count).map { dose in
      let x = Double(dose) / Double(count) - 0.5
      return x * x
    }
    let mean = squares.reduce(0, +) / Double(squares.count)
    let bent = squares.map { $0 - mean }
    let norm = bent.reduce(0) { $0 + $1 * $1 }
    return bent.map { $0 / norm }
  }
}
