import Foundation
import Reports

/// Comparisons of a study's cells: t tests on differences and contrasts of means over seeds, with the spread
/// between seeds and the errors of measurement (`UncertainValue`).
struct StudyStatistics {
  private let results: StudyResults

  init(_ results: StudyResults) { self.results = results }

  /// What a comparison found.
  struct Finding {
    /// Above 0 where what was expected holds.
    let difference: Double
    let pValue: Double
    /// Seeds behind it.
    let samples: Int
    /// The numbers, as a sentence.
    let words: String
  }

  /// Whether in each pair the first cell has the larger value.
  ///
  /// Every single one has to, so the largest p counts (intersection–union test, Berger 1982); that the opposite holds
  /// takes one pair, with Bonferroni's correction for choosing it.
  ///
  /// - Returns: nil where a pair was not measured, or there is none.
  func each(
    _ pairs: [(larger: StudyCell, smaller: StudyCell)], _ quantity: StudyQuantity,
    in space: String, at images: Int
  ) -> Finding? {
    let found = pairs.compactMap { pair -> (words: String, difference: UncertainValue)? in
      guard let larger = results.mean(quantity, in: space, of: pair.larger, at: images),
        let smaller = results.mean(quantity, in: space, of: pair.smaller, at: images)
      else { return nil }
      return (
        "`\(pair.larger.name)` \(text(larger, quantity)) against `\(pair.smaller.name)` "
          + "\(text(smaller, quantity))", larger - smaller
      )
    }
    guard found.count == pairs.count, !found.isEmpty else { return nil }
    func p(_ value: UncertainValue) -> Double { value.pValue.isNaN ? 2 : value.pValue }
    let opposed = found.filter { $0.difference.estimate <= 0 }
    let decisive =
      opposed.isEmpty
      ? found.max { p($0.difference) < p($1.difference) }
      : opposed.min { p($0.difference) < p($1.difference) }
    guard let difference = decisive?.difference else { return nil }
    return Finding(
      difference: difference.estimate,
      pValue: opposed.isEmpty
        ? difference.pValue : min(1, difference.pValue * Double(found.count)),
      samples: pairs.flatMap { [$0.larger, $0.smaller] }
        .map { results.values(quantity, in: space, of: $0, at: images).count }.min() ?? 0,
      words: "After \(images) images: " + found.map(\.words).joined(separator: "; ") + ".")
  }

  /// Whether ln distance falls over `x`: the least-squares slope through the cells' means, as a contrast of these.
  /// The cells are what they are: its error is that of the means, over seeds, and says nothing of how other cells
  /// would lie about the line.
  func fall(
    over cells: [StudyCell], in space: String, at images: Int, x: (StudyCell) -> Double,
    label: (StudyCell) -> String
  ) -> Finding {
    let values = cells.map { results.values(.frechet, in: space, of: $0, at: images) }
    let logarithms = values.map { UncertainValue($0.map(\.logarithm)) }
    let mean = cells.reduce(0) { $0 + x($1) } / Double(cells.count)
    let spread = cells.reduce(0) { $0 + (x($1) - mean) * (x($1) - mean) }
    let fall = UncertainValue.combination(
      zip(cells, logarithms).map { (-(x($0) - mean) / spread, $1) })
    let means = cells.sorted { x($0) < x($1) }.compactMap { cell in
      results.mean(.frechet, in: space, of: cell, at: images).map {
        "\(text($0, .frechet)) with \(label(cell))"
      }
    }
    return Finding(
      difference: fall.estimate, pValue: fall.pValue, samples: values.reduce(0) { $0 + $1.count },
      words: "After \(images) images the distance is \(means.joined(separator: ", ")).")
  }

  private func text(_ value: UncertainValue, _ quantity: StudyQuantity) -> String {
    value.interval().text(digits: quantity == .recall ? 3 : 2)
  }
}
