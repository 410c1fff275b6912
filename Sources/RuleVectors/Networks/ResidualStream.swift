/// What each coordinate of a compiled network's residual stream means.
///
/// Layer norm is made harmless by two coordinates of ±4096 that nobody reads: beside them everything
/// else is so small that the standard deviation is the same at every position, to a part in 10⁵, and
/// the norm's weight multiplies by it again. A balance keeps the mean at zero: whoever writes a value
/// writes its negative there. So blocks read the stream as it is, and are linear but for softmax and
/// gates.
struct ResidualStream: Sendable, Equatable {
  /// Magnitude of the coordinates 0 and 1.
  static let constant: Float = 4096
  /// Takes the negative of all that is written elsewhere.
  static let balance = 2
  /// Number of the token's place in the prompt, in 64ths.
  static let position = 3
  /// 1 for words of the task, dummies included.
  static let word = 4
  /// `position` of the prompt's first label.
  static let earliest = 5
  /// 1 at the first demonstration's answer.
  static let first = 6
  private static let singles = 8
  static let positionUnit: Float = 64
  static let heads = 4

  /// Classes of words, and labels.
  let classes: Int
  let labels: Int

  /// The class of the token itself, one of `classes`.
  var category: Range<Int> { Self.singles..<Self.singles + classes }
  /// The class of the latest word, this one included.
  var context: Range<Int> { category.upperBound..<category.upperBound + classes }
  /// The class of the latest word, read once more in a later block.
  var query: Range<Int> { context.upperBound..<context.upperBound + classes }
  /// The label of the token itself, and at the last position the answer: what logits are read from.
  var label: Range<Int> { query.upperBound..<query.upperBound + labels }
  /// Rule vectors, one of `classes · labels`: this class has this label.
  var rules: Range<Int> { label.upperBound..<label.upperBound + classes * labels }

  /// That words of `category` have `label`.
  func rule(_ category: Int, _ label: Int) -> Int { rules.lowerBound + category * labels + label }
  /// `rules` of one class, or of one label.
  func rules(ofClass category: Int) -> [Int] { (0..<labels).map { rule(category, $0) } }
  func rules(ofLabel label: Int) -> [Int] { (0..<classes).map { rule($0, label) } }

  var width: Int { (rules.upperBound + Self.heads - 1) / Self.heads * Self.heads }
  var headWidth: Int { width / Self.heads }

  /// Standard deviation of every position's values, by the two constant coordinates alone.
  var standardDeviation: Float { Self.constant * (2 / Float(width)).squareRoot() }
}

/// A weighted sum of coordinates of the residual stream, and a constant.
struct LinearForm: Sendable, Equatable {
  var weights: [Int: Float] = [:]
  var constant: Float = 0

  init(_ weights: [Int: Float] = [:], constant: Float = 0) {
    self.weights = weights
    self.constant = constant
  }

  /// The sum of coordinates, times a factor.
  init(_ coordinates: some Sequence<Int>, times factor: Float = 1) {
    for coordinate in coordinates { weights[coordinate] = factor }
  }

  static func + (a: LinearForm, b: LinearForm) -> LinearForm {
    LinearForm(
      a.weights.merging(b.weights) { $0 + $1 }, constant: a.constant + b.constant)
  }
}
