import Reports
import TensorCore

/// What decoders tell apart.
enum DecodingTarget: String, Sendable, CaseIterable {
  /// Which of the two assignments of labels to classes holds.
  case rule
  /// The label: at an answer its own token, at an input the label that the rule gives it.
  case label
  /// The class of the slot's input.
  case category
}

/// Vectors of the slots of episodes under their rule and under the flipped one, with what is true of
/// each.
///
/// Samples are ordered by episode, then own and flipped rule, then slot. The sign of a rule is +1
/// where the class with the smaller number has the earlier label; the sign of a category is +1 for
/// that class; the sign of a label, +1 for the earlier one, is their product.
struct DecodingSamples: Sendable {
  let design: DecodingDesign
  /// Of each episode.
  let rules: [Double]
  /// Of each episode and slot.
  let categories: [[Double]]

  init(_ design: DecodingDesign, rules: [Double], categories: [[Double]]) {
    precondition(rules.count == design.meetings.count && categories.count == rules.count)
    self.design = design
    self.rules = rules
    self.categories = categories
  }

  /// - Parameter episodes: those of the design, in its order.
  init(_ design: DecodingDesign, _ episodes: [Episode], classNames: [String], labels: [String]) {
    self.init(
      design,
      rules: zip(design.meetings, episodes).map { meeting, episode in
        guard case .categorization(let map) = episode.rule else { return 1 }
        return map[classNames[meeting.classes[0]]] == labels.first ? 1 : -1
      },
      categories: zip(design.meetings, episodes).map { meeting, episode in
        episode.demonstrations.map { $0.category == classNames[meeting.classes[0]] ? 1 : -1 }
      })
  }

  var slots: Int { categories.first?.count ?? 0 }
  var episodeCount: Int { rules.count }
  var count: Int { episodeCount * 2 * slots }

  func sample(_ episode: Int, isFlipped: Bool, _ slot: Int) -> Int {
    (episode * 2 + (isFlipped ? 1 : 0)) * slots + slot
  }

  /// Values of one sample: its episode and signs.
  func signs(_ sample: Int) -> (episode: Int, slot: Int, rule: Double, category: Double) {
    let slot = sample % slots
    let episode = sample / (2 * slots)
    let isFlipped = (sample / slots) % 2 == 1
    return (
      episode, slot, isFlipped ? -rules[episode] : rules[episode], categories[episode][slot]
    )
  }

  func target(_ target: DecodingTarget, _ sample: Int) -> Double {
    let signs = signs(sample)
    switch target {
    case .rule: return signs.rule
    case .label: return signs.rule * signs.category
    case .category: return signs.category
    }
  }

  /// The samples between which a decoder has to choose. Rule and label: a slot under the two rules,
  /// with the same input. Category: two slots of one prompt, the k-th of either class.
  func pairs(_ target: DecodingTarget) -> [(positive: Int, negative: Int)] {
    (0..<episodeCount).flatMap { episode -> [(positive: Int, negative: Int)] in
      switch target {
      case .rule, .label:
        (0..<slots).map { slot in
          let own = sample(episode, isFlipped: false, slot)
          let flipped = sample(episode, isFlipped: true, slot)
          return self.target(target, own) > 0 ? (own, flipped) : (flipped, own)
        }
      case .category:
        [false, true].flatMap { isFlipped in
          let places = [1.0, -1].map { sign in
            (0..<slots).filter { categories[episode][$0] == sign }
          }
          return zip(places[0], places[1]).map {
            (
              sample(episode, isFlipped: isFlipped, $0), sample(episode, isFlipped: isFlipped, $1)
            )
          }
        }
      }
    }
  }

  func choice(_ target: DecodingTarget, _ heldOut: DecodingDesign.HeldOut) -> ForcedChoice {
    ForcedChoice(
      targets: (0..<count).map { self.target(target, $0) },
      groups: (0..<count).map { $0 / (2 * slots) }, blocks: design.blocks(heldOut),
      pairs: pairs(target), folds: design.folds(heldOut))
  }

  /// The kernel of a target's decoders. A decoder of rules holds a direction w for every class, for
  /// "this class has the earlier label", and weighs a rule by ⟨w_a − w_b, x⟩; one of categories
  /// likewise; one of labels holds a single direction.
  func kernel(_ target: DecodingTarget, _ products: [Double]) -> [Double] {
    guard target != .label else { return products }
    let size = 2 * slots
    let overlaps = (0..<episodeCount).map { a in
      (0..<episodeCount).map { design.overlap(a, $0) }
    }
    var kernel = products
    for i in 0..<count {
      for j in 0..<count { kernel[i * count + j] *= overlaps[i / size][j / size] }
    }
    return kernel
  }
}

/// Inner products of the vectors of one layer and one kind of position in several surface forms.
///
/// Means are taken out of each form by itself: those of slots for the label, and those of slots and labels
/// for the other targets, which a mean of slot and label says nothing of.
struct DecodingProducts: Sendable {
  /// By the form of the rows, then by that of the columns: `[samples, samples]`.
  private let bySlot: [[[Double]]]
  private let byLabel: [[[Double]]]
  /// Of the first form, with its mean taken out and no more.
  let whole: [Double]

  /// - Parameter vectors: by form, `[samples, width]`.
  init(_ vectors: [[Double]], _ samples: DecodingSamples) {
    let groups = (0..<samples.count).map { samples.signs($0).slot }
    let labels = (0..<samples.count).map {
      2 * samples.signs($0).slot + (samples.target(.label, $0) > 0 ? 1 : 0)
    }
    whole =
      Self.products(
        vectors.prefix(1).map { Self.centred($0, groups.map { _ in 0 }) }, samples.count)[0][0]
    bySlot = Self.products(vectors.map { Self.centred($0, groups) }, samples.count)
    byLabel = Self.products(vectors.map { Self.centred($0, labels) }, samples.count)
  }

  private static func centred(_ vectors: [Double], _ groups: [Int]) -> [Double] {
    let width = groups.isEmpty ? 0 : vectors.count / groups.count
    var centred = vectors
    for members in Dictionary(grouping: groups.indices, by: { groups[$0] }).values {
      for column in 0..<width {
        var mean = 0.0
        for row in members { mean += vectors[row * width + column] }
        mean /= Double(members.count)
        for row in members { centred[row * width + column] -= mean }
      }
    }
    return centred
  }

  private static func products(_ centred: [[Double]], _ samples: Int) -> [[[Double]]] {
    let width = samples > 0 ? (centred.first?.count ?? 0) / samples : 0
    return centred.map { rows in
      centred.map { columns in
        var c = [Double](repeating: 0, count: samples * samples)
        if samples > 0, width > 0 {
          gemm(m: samples, n: samples, k: width, a: rows, b: columns, transposeB: true, c: &c)
        }
        return c
      }
    }
  }

  func callAsFunction(_ target: DecodingTarget, rows: Int = 0, columns: Int = 0) -> [Double] {
    target == .label ? bySlot[rows][columns] : byLabel[rows][columns]
  }
}
