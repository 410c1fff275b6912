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
    let episodes = Array(repeating: 1.0, count: samples.episodeCount)
    return Geometry.allCases.compactMap { geometry -> DecodingFigure? in
      // By form, the first and the tested one, then by half.
      let parts = halves.map { self.parts(geometry, $0) }
      let grams = [0, form].map { form in
        parts.map { gram($0, products(.rule, rows: form, columns: form)) }
      }
      func comparison(_ weights: [Double]) -> RepresentationalSimilarity {
        func distances(_ form: Int, _ half: Int) -> [Double] {
          self.distances(parts[half], grams[form][half], weights)
        }
        return RepresentationalSimilarity(
          [(distances(0, 0), distances(1, 1)), (distances(0, 1), distances(1, 0))],
          strata: strata, conditions: count)
      }
      let whole = comparison(episodes)
      guard whole.correlation.isFinite else { return nil }
      let path = "similarity \(geometry) \(form)"
      return DecodingFigure(
        .similarity, at: site, layer: layer, target: geometry.rawValue, trained: forms[0],
        tested: forms[form],
        interval: BayesianBootstrap.interval(
          of: whole.correlation, samples: samples.episodeCount, within: -1...1, seed: seed(path)
        ) { comparison($0).correlation },
        pValue: whole.pValue(draws: draws, seed: seed(path)), count: samples.episodeCount)
    }
  }

  /// What one episode says of one class: weights of its samples.
  private struct Part {
    let episode: Int
    let number: Int
    let weights: [(sample: Int, weight: Double)]
  }

  private func parts(_ geometry: Geometry, _ episodes: [Int]) -> [Part] {
    let size = 2 * samples.slots
    return episodes.flatMap { episode in
      [1.0, -1].map { side in
        let own = (episode * size..<(episode + 1) * size).filter {
          samples.signs($0).category == side
        }
        return Part(
          episode: episode, number: samples.design.meetings[episode].classes[side > 0 ? 0 : 1],
          weights: own.map { sample in
            let label = samples.target(.label, sample)
            return (sample, (geometry == .classes ? 1 : label) / Double(own.count))
          })
      }
    }
  }

  /// Inner products of parts.
  private func gram(_ parts: [Part], _ kernel: [Double]) -> [Double] {
    parts.flatMap { a in
      parts.map { b in
        var sum = 0.0
        for left in a.weights {
          for right in b.weights {
            sum += left.weight * right.weight * kernel[left.sample * samples.count + right.sample]
          }
        }
        return sum
      }
    }
  }

  /// Squared distances between the classes' weighted means.
  private func distances(_ parts: [Part], _ gram: [Double], _ weights: [Double]) -> [Double] {
    let classes = samples.design.classCount
    var totals = [Double](repeating: 0, count: classes)
    for part in parts { totals[part.number] += weights[part.episode] }
    let shares = parts.map { weights[$0.episode] / totals[$0.number] }
    var products = [Double](repeating: 0, count: classes * classes)
    for (i, a) in parts.enumerated() {
      for (j, b) in parts.enumerated() {
        products[a.number * classes + b.number] +=
          shares[i] * shares[j] * gram[i * parts.count + j]
      }
    }
    return RepresentationalSimilarity.distances(gram: products, count: classes)
  }
}
