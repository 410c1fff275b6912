/// Shares of classes among labels.
public enum LabelHistogram {
  /// Images of each class.
  static func counts(_ labels: [Int], classes: Int) -> [Int] {
    labels.reduce(into: [Int](repeating: 0, count: classes)) { $0[$1] += 1 }
  }

  /// Total variation distance ½ Σ |p − q| of two histograms: 0 for equal shares, 1 for no class in
  /// common.
  ///
  /// - Parameters: `first` and `second`: images of each class, as many classes, one image at least.
  public static func totalVariation(_ first: [Int], _ second: [Int]) -> Double {
    precondition(first.count == second.count, "\(first.count) classes against \(second.count)")
    let (n, m) = (Double(first.reduce(0, +)), Double(second.reduce(0, +)))
    precondition(n > 0 && m > 0, "a histogram of nothing")
    return zip(first, second).reduce(0) { $0 + abs(Double($1.0) / n - Double($1.1) / m) } / 2
  }
}
