import Reports
import TensorCore

/// The variance of answer vectors, taken apart as in demixed PCA (Kobak et al. 2016).
///
/// Within an episode a vector depends on the assignment of labels, on the slot, and on the label; the
/// category is the product of assignment and label. What of the assignment and the category goes with
/// single classes is the part of rule and category; what of slot and label is the same in all episodes
/// is theirs, and is taken out before the others.
enum Marginalisation: String, Sendable, CaseIterable {
  case rule
  case label
  case category
  case slot
  case ruleBySlot = "rule-slot"
  case labelBySlot = "label-slot"

  /// Whose means are taken out before.
  var target: DecodingTarget {
    switch self {
    case .rule, .ruleBySlot: .rule
    case .category: .category
    case .label, .slot, .labelBySlot: .label
    }
  }
}

/// Inner products of contrasts within episodes.
private struct EpisodeContrast {
  /// Weights of an episode's samples, by episode, `[2 · slots]`.
  let weights: [[Double]]
  let goesWithClasses: Bool
}

extension DecodingAnalysis {
  private func contrasts(_ part: Marginalisation) -> (
    added: [EpisodeContrast], taken: [EpisodeContrast]
  ) {
    let slots = samples.slots
    /// Of one slot, or of all where it is nil.
    func contrast(
      _ slot: Int?, goesWithClasses: Bool, _ sign: (_ rule: Double, _ category: Double) -> Double
    ) -> EpisodeContrast {
      let scale = 1 / (2 * Double(slot == nil ? slots : 1)).squareRoot()
      return EpisodeContrast(
        weights: (0..<samples.episodeCount).map { episode in
          (0..<2 * slots).map { place in
            let signs = samples.signs(episode * 2 * slots + place)
            return slot == nil || slot == signs.slot ? scale * sign(signs.rule, signs.category) : 0
          }
        }, goesWithClasses: goesWithClasses)
    }
    func each(_ make: (Int) -> EpisodeContrast) -> [EpisodeContrast] { (0..<slots).map(make) }
    let rule = contrast(nil, goesWithClasses: true) { rule, _ in rule }
    let label = contrast(nil, goesWithClasses: false) { $0 * $1 }
    switch part {
    case .rule: return ([rule], [])
    case .label: return ([label], [])
    case .category: return ([contrast(nil, goesWithClasses: true) { $1 }], [])
    case .slot:
      return (
        each { contrast($0, goesWithClasses: false) { _, _ in 1 } },
        [contrast(nil, goesWithClasses: false) { _, _ in 1 }]
      )
    case .ruleBySlot:
      return (each { contrast($0, goesWithClasses: true) { rule, _ in rule } }, [rule])
    case .labelBySlot: return (each { contrast($0, goesWithClasses: false) { $0 * $1 } }, [label])
    }
  }

  /// The projection on what single classes explain of episodes, or on their mean: `[episodes,
  /// episodes]` of those listed.
  private func projection(_ episodes: [Int], goesWithClasses: Bool) throws -> [Double] {
    let n = episodes.count
    guard goesWithClasses else { return [Double](repeating: 1 / Double(n), count: n * n) }
    let overlaps = episodes.flatMap { a in episodes.map { samples.design.overlap(a, $0) } }
    return try Self.projection(overlaps, n, inverse: false)
  }

  /// The projection on the range of a positive semidefinite matrix, or its pseudoinverse.
  static func projection(_ matrix: [Double], _ n: Int, inverse: Bool) throws -> [Double] {
    let eigen = try SymmetricEigen(matrix, order: n, wantsVectors: true)
    var result = [Double](repeating: 0, count: n * n)
    for (place, value) in eigen.values.enumerated() where value > 1e-8 * (eigen.values.last ?? 0) {
      let vector = eigen.vectors[place * n..<(place + 1) * n].map { $0 }
      for i in 0..<n {
        for j in 0..<n { result[i * n + j] += vector[i] * vector[j] / (inverse ? value : 1) }
      }
    }
    return result
  }

  /// Inner products of a contrast between episodes, `[episodes, episodes]`.
  private func gram(_ contrast: EpisodeContrast, _ kernel: [Double]) -> [Double] {
    let (n, size, count) = (samples.episodeCount, 2 * samples.slots, samples.count)
    var half = [Double](repeating: 0, count: n * count)
    for e in 0..<n {
      for (place, weight) in contrast.weights[e].enumerated() where weight != 0 {
        let row = (e * size + place) * count
        for j in 0..<count { half[e * count + j] += weight * kernel[row + j] }
      }
    }
    var result = [Double](repeating: 0, count: n * n)
    for e in 0..<n {
      for f in 0..<n {
        var sum = 0.0
        for (place, weight) in contrast.weights[f].enumerated() where weight != 0 {
          sum += weight * half[e * count + f * size + place]
        }
        result[e * n + f] = sum
      }
    }
    return result
  }

  /// Shares of the variance, with jackknife intervals over episodes and a test by changing the sign of
  /// whole episodes' contrasts; and how demixed each leading axis is.
  func variance(_ site: PositionGroup, _ products: DecodingProducts) throws -> [DecodingFigure] {
    let (n, size) = (samples.episodeCount, 2 * samples.slots)
    let traces = (0..<n).map { episode in
      (0..<size).reduce(0) { sum, place in
        let sample = episode * size + place
        return sum + products.whole[sample * samples.count + sample]
      }
    }
    guard traces.reduce(0, +) > 0 else { return [] }
    return try Marginalisation.allCases.flatMap { part -> [DecodingFigure] in
      let (added, taken) = contrasts(part)
      let goesWithClasses = added[0].goesWithClasses
      var sum = [Double](repeating: 0, count: n * n)
      for (contrasts, sign) in [(added, 1.0), (taken, -1)] {
        for contrast in contrasts {
          let kernel = part == .slot ? products.whole : products(part.target)
          for (entry, value) in gram(contrast, kernel).enumerated() { sum[entry] += sign * value }
        }
      }
      func share(_ episodes: [Int], _ projection: [Double], _ signs: [Double]?) -> Double {
        var own = 0.0
        for (i, e) in episodes.enumerated() {
          for (j, f) in episodes.enumerated() {
            let sign = signs.map { $0[e] * $0[f] } ?? 1
            own += sign * projection[i * episodes.count + j] * sum[e * n + f]
          }
        }
        return own / episodes.reduce(0) { $0 + traces[$1] }
      }
      let all = Array(0..<n)
      let whole = try projection(all, goesWithClasses: goesWithClasses)
      let estimate = share(all, whole, nil)
      let interval = Jackknife.interval(
        of: estimate,
        leftOut: try all.map { left in
          let rest = all.filter { $0 != left }
          return share(rest, try projection(rest, goesWithClasses: goesWithClasses), nil)
        })
      var chance: (pValue: Double, low: Double, high: Double)?
      // A slot has no sign.
      if part != .slot {
        var random = RandomStream(seed: seed("variance \(part)"), path: [1])
        var first: [Double] = []
        let p = draws.pValue {
          let signs = all.map { _ in random.nextUInt32() & 1 == 0 ? 1.0 : -1 }
          let drawn = share(all, whole, signs)
          if first.count < draws.least { first.append(drawn) }
          return drawn >= estimate - 1e-12
        }
        first.sort()
        chance = (p, quantile(first, 0.025), quantile(first, 0.975))
      }
      func figure(
        _ measure: DecodingFigure.Measure, _ interval: Interval,
        _ chance: (pValue: Double, low: Double, high: Double)?
      ) -> DecodingFigure {
        DecodingFigure(
          measure, at: site, layer: layer, target: part.rawValue, trained: forms[0],
          tested: forms[0], interval: interval, chance: chance, count: n)
      }
      return [figure(.variance, interval, chance)]
    }
  }

  /// The part's projection on samples of some episodes, `[samples, samples]`.
  private func sampleProjection(_ part: Marginalisation, _ episodes: [Int]) throws -> [Double] {
    let size = 2 * samples.slots
    let count = episodes.count * size
    var result = [Double](repeating: 0, count: count * count)
    let (added, taken) = contrasts(part)
    let across = try projection(episodes, goesWithClasses: added[0].goesWithClasses)
    for (contrasts, sign) in [(added, 1.0), (taken, -1)] {
      for contrast in contrasts {
        for (i, e) in episodes.enumerated() {
          for (j, f) in episodes.enumerated() {
            let scale = sign * across[i * episodes.count + j]
            for (a, left) in contrast.weights[e].enumerated() where left != 0 {
              for (b, right) in contrast.weights[f].enumerated() where right != 0 {
                result[(i * size + a) * count + j * size + b] += scale * left * right
              }
            }
          }
        }
      }
    }
    return result
  }
}

/// Decoding along demixed axes.
extension DecodingAnalysis {
  /// Axes of a target, and the ridge penalty of their regression as a share of the mean of the kernel's
  /// diagonal.
  private static let rank = 8
  private static let penalty = 0.1

  /// Held-out choices along the leading demixed axes of a target, and how demixed the first one is when
  /// it is fitted to all episodes.
  func demixed(
    _ target: DecodingTarget, _ heldOut: DecodingDesign.HeldOut, _ site: PositionGroup,
    _ products: DecodingProducts
  ) throws -> [DecodingFigure] {
    let kernel = products(target)
    let size = 2 * samples.slots
    let choice = samples.choice(target, heldOut)
    let part: Marginalisation =
      switch target {
      case .rule: .rule
      case .label: .label
      case .category: .category
      }
    func fit(_ episodes: [Int]) throws -> (samples: [Int], axes: [DemixedPCA.Axis]) {
      let own = episodes.flatMap { episode in (0..<size).map { episode * size + $0 } }
      let inner = ForcedChoice.part(kernel, samples.count, rows: own, columns: own)
      let scale = ForcedChoice.scale(kernel, own, samples.count)
      return (
        own,
        try DemixedPCA(
          kernel: inner, projection: sampleProjection(part, episodes),
          penalty: Self.penalty * scale, rank: target == .label ? 1 : Self.rank
        ).axes
      )
    }
    var differences = [Double?](repeating: nil, count: choice.pairs.count)
    for fold in choice.folds {
      let (own, axes) = try fit(fold.training)
      let places = Dictionary(
        uniqueKeysWithValues: own.enumerated().map { ($0.element, $0.offset) })
      // The contrast of each training episode along each axis, of +1 less −1.
      let contrasts = fold.training.map { episode in
        axes.map { axis in
          (0..<size).reduce(0) { sum, place in
            let sample = episode * size + place
            return sum + choice.targets[sample] * (places[sample].map { axis.scores[$0] } ?? 0)
          }
        }
      }
      let pseudoinverse =
        target == .label
        ? []
        : try Self.projection(
          fold.training.flatMap { a in fold.training.map { samples.design.overlap(a, $0) } },
          fold.training.count, inverse: true)
      for (number, pair) in choice.pairs.enumerated() {
        let episode = choice.groups[pair.positive]
        guard fold.testing.contains(episode) else { continue }
        // What the classes' own contrasts, or their mean, say of the tested episode's.
        let weights =
          target == .label
          ? fold.training.map { _ in 1.0 }
          : fold.training.indices.map { column in
            fold.training.indices.reduce(0) { sum, row in
              sum + samples.design.overlap(episode, fold.training[row])
                * pseudoinverse[row * fold.training.count + column]
            }
          }
        differences[number] = axes.indices.reduce(0) { sum, axis in
          let expected = zip(weights, contrasts).reduce(0) { $0 + $1.0 * $1.1[axis] }
          let score = zip(own, axes[axis].duals).reduce(0) { score, entry in
            score + entry.1
              * (kernel[pair.positive * samples.count + entry.0]
                - kernel[pair.negative * samples.count + entry.0])
          }
          return sum + expected * score
        }
      }
    }
    let outcome = ForcedChoiceOutcome(
      choices: ForcedChoice.choices(differences),
      groups: choice.pairs.map { choice.groups[$0.positive] })
    var figures = [
      DecodingFigure(
        .accuracy, at: site, layer: layer, target: target.rawValue, heldOut: heldOut,
        decoder: "demixed", trained: forms[0], tested: forms[0], interval: outcome.accuracy,
        count: outcome.shares.count)
    ]
    let all = Array(0..<samples.episodeCount)
    if let axis = try fit(all).axes.first {
      figures.append(
        DecodingFigure(
          .demixed, at: site, layer: layer, target: part.rawValue, trained: forms[0],
          tested: forms[0],
          interval: Jackknife.interval(of: axis.demixed, leftOut: []), count: all.count))
    }
    return figures
  }
}
