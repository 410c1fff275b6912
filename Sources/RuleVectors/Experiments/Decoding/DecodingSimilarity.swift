import Reports
import TensorCore

/// What conditions are compared by.
enum Geometry: String, Sendable, CaseIterable {
  /// Mean vectors of classes, whatever their label.
  case classes
  /// How each class' vector changes with its label; what all classes share of that, the label's own
  /// vector, is in no distance.
  case bindings
}

extension DecodingAnalysis {
  /// Whether the geometry of classes, and that of their bindings to labels, is the same in the first
  /// surface form and in another one, or in other episodes of the same form.
  ///
  /// The two sides never share an episode: one is of the first meetings of every pair of classes, the
  /// other of later ones, and no word is in both. Classes are compared within their league, where all
  /// have met alike.
  func similarity(_ site: PositionGroup, _ products: DecodingProducts, _ form: Int)
    -> [DecodingFigure]
  {
    let design = samples.design
    let count = design.classCount
    let size = count / max(design.leagues, 1)
    // Two classes have one distance, and three have too few orders.
    guard size > 3 else { return [] }
    let halves = [0, 1].map { half in
      design.meetings.indices.filter { design.meetings[$0].replicate % 2 == half }
    }
    // In either half all pairs of the league must have met equally often.
    let strata = (0..<design.leagues).filter { league in
      let counts = halves.map { half in
        Dictionary(grouping: half.map { design.meetings[$0] }.filter { $0.league == league }) {
          $0.pair
        }.values.map(\.count)
      }
      return counts.allSatisfy { $0.count == size * (size - 1) / 2 && Set($0).count == 1 }
    }.map { league in (0..<size).map { league * size + $0 } }
    guard !strata.isEmpty else { return [] }
    return Geometry.allCases.compactMap { geometry in
      func comparison(without left: Int?) -> RepresentationalSimilarity {
        let distances = { (form: Int, half: Int) in
          self.distances(
            geometry, halves[half].filter { $0 != left }, products[form, form])
        }
        return RepresentationalSimilarity(
          [(distances(0, 0), distances(form, 1)), (distances(0, 1), distances(form, 0))],
          strata: strata, conditions: count)
      }
      let whole = comparison(without: nil)
      guard whole.correlation.isFinite else { return nil }
      return DecodingFigure(
        .similarity, at: site, layer: layer, target: geometry.rawValue, trained: forms[0],
        tested: forms[form],
        interval: Jackknife.interval(
          of: whole.correlation,
          leftOut: design.meetings.indices.map { comparison(without: $0).correlation }),
        pValue: whole.pValue(draws: draws, seed: seed("similarity \(geometry) \(form)")),
        count: samples.episodeCount)
    }
  }

  /// Squared distances between classes, from the mean of some episodes.
  private func distances(_ geometry: Geometry, _ episodes: [Int], _ kernel: [Double]) -> [Double] {
    let (count, slots) = (samples.count, samples.slots)
    let classes = samples.design.classCount
    // Weights of samples, `[classes, samples]`, of which few are not zero.
    var entries = (0..<classes).map { _ in [(sample: Int, weight: Double)]() }
    for episode in episodes {
      let meeting = samples.design.meetings[episode]
      for place in 0..<2 * slots {
        let sample = episode * 2 * slots + place
        let signs = samples.signs(sample)
        let number = meeting.classes[signs.category > 0 ? 0 : 1]
        let weight = geometry == .classes ? 1 : signs.rule * signs.category
        entries[number].append((sample, weight))
      }
    }
    for number in entries.indices {
      let scale = 1 / Double(max(entries[number].count, 1))
      entries[number] = entries[number].map { ($0.sample, $0.weight * scale) }
    }
    var gram = [Double](repeating: 0, count: classes * classes)
    for a in 0..<classes {
      for b in a..<classes {
        var sum = 0.0
        for left in entries[a] {
          for right in entries[b] {
            sum += left.weight * right.weight * kernel[left.sample * count + right.sample]
          }
        }
        gram[a * classes + b] = sum
        gram[b * classes + a] = sum
      }
    }
    return RepresentationalSimilarity.distances(gram: gram, count: classes)
  }
}
