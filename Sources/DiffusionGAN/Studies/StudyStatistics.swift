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
      // `min` takes 1 for NaN: what could not be tested would count as a test.
      pValue: opposed.isEmpty || difference.pValue.isNaN
        ? difference.pValue : min(1, difference.pValue * Double(found.count)),
      samples: pairs.flatMap { [$0.larger, $0.smaller] }
        .map { results.values(quantity, in: space, of: $0, at: images).count }.min() ?? 0,
      words: "After \(images) images: " + found.map(\.words).joined(separator: "; ") + ".")
  }

  /// Whether ln distance falls over `x`: the least-squares slope through the means of a group's cells, as a contrast of
  /// these, and of several groups the mean of their slopes.
  ///
  /// With one group its error is that of the means, over seeds: the cells are what they are, and nothing is said of how
  /// others would lie about the line. With several it is the spread of their slopes.
  func fall(
    over groups: [[StudyCell]], in space: String, at images: Int, x: (StudyCell) -> Double,
    label: (StudyCell) -> String
  ) -> Finding {
    let slopes = groups.map { cells in
      let mean = cells.reduce(0) { $0 + x($1) } / Double(cells.count)
      let spread = cells.reduce(0) { $0 + (x($1) - mean) * (x($1) - mean) }
      return UncertainValue.combination(
        cells.map { cell in
          let values = results.values(.frechet, in: space, of: cell, at: images)
          return (-(x(cell) - mean) / spread, UncertainValue(values.map(\.logarithm)))
        })
    }
    let fall = slopes.count == 1 ? slopes[0] : UncertainValue(runs: slopes)
    let means = groups.map { cells in
      cells.sorted { x($0) < x($1) }.compactMap { cell in
        results.mean(.frechet, in: space, of: cell, at: images).map {
          "\(text($0, .frechet)) with \(label(cell))"
        }
      }.joined(separator: ", ")
    }
    let seeds = groups.joined()
      .map { results.values(.frechet, in: space, of: $0, at: images).count }.reduce(0, +)
    return Finding(
      difference: fall.estimate, pValue: fall.pValue, samples: seeds,
      words: "After \(images) images the distance is \(means.joined(separator: "; ")).")
  }

  private func text(_ value: UncertainValue, _ quantity: StudyQuantity) -> String {
    value.interval().text(digits: quantity == .recall ? 3 : 2)
  }
}
