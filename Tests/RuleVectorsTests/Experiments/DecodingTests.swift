import Foundation
import Reports
import TensorCore
import Testing
import Transformer

@testable import RuleVectors

/// Activations whose content is known by construction.
private struct DecodingWorld {
  /// What a vector holds beside its class, its label, its word and its episode.
  enum Rule: CaseIterable {
    /// Nothing of the rule.
    case none
    /// What binds a class to its label: a direction for each class.
    case bindings
    /// What binds a word to its label: of no use for other words.
    case items
    /// What the episode's rule is, in a direction of its own for each pair of classes.
    case pairs
  }

  static let width = 48
  let samples: DecodingSamples
  /// By form.
  let vectors: [[Double]]

  /// - Parameter forms: each with directions of its own for everything but the rule's part.
  init(
    _ rule: Rule, episodes: Int = 24, slots: Int = 8, forms: Int = 1, noise: Double = 0.5,
    _ simulation: UInt64
  ) {
    let design = DecodingDesign(
      classes: 12, words: 25, demonstrations: slots, episodes: episodes)
    var random = RandomStream(seed: 61, path: [simulation])
    let categories = design.meetings.map { _ in
      var signs = (0..<slots).map { $0 % 2 == 0 ? 1.0 : -1 }
      random.shuffle(&signs)
      return signs
    }
    let rules = design.meetings.map { _ in random.nextUInt32() & 1 == 0 ? 1.0 : -1 }
    let samples = DecodingSamples(design, rules: rules, categories: categories)
    func direction(_ path: UInt64...) -> [Double] {
      var stream = RandomStream(seed: 62, path: [simulation] + path)
      return (0..<Self.width).map { _ in Double(stream.normal()) }
    }
    vectors = (0..<UInt64(forms)).map { form in
      (0..<samples.count).flatMap { sample -> [Double] in
        let signs = samples.signs(sample)
        let meeting = design.meetings[signs.episode]
        let own = UInt64(meeting.classes[signs.category > 0 ? 0 : 1])
        let label = signs.rule * signs.category
        let word = UInt64(signs.episode * slots + signs.slot)
        var parts: [(Double, [Double])] = [
          (1, direction(0, form, own)), (label, direction(1, form)),
          (1, direction(2, form, word)), (1, direction(3, form, UInt64(signs.episode))),
          (noise, direction(4, form, UInt64(sample))), (3, direction(5, form)),
        ]
        switch rule {
        case .none: break
        case .bindings: parts.append((label, direction(6, own)))
        case .items: parts.append((label, direction(7, word)))
        case .pairs: parts.append((signs.rule, direction(8, UInt64(meeting.pair))))
        }
        return (0..<Self.width).map { column in
          parts.reduce(0) { $0 + $1.0 * $1.1[column] }
        }
      }
    }
    self.samples = samples
  }

  func figures(isChoosing: Bool = false, least: Int = 99, most: Int = 1_999) throws
    -> [DecodingFigure]
  {
    let names = ["a", "b", "c"]
    return try DecodingAnalysis(
      samples: samples, layer: 3, forms: Array(names.prefix(vectors.count)),
      isChoosing: isChoosing,
      draws: SequentialMonteCarlo(least: least, most: most, exceedances: 20), seed: 9
    ).figures(ThreadPool(count: 2)) { _ in vectors }
  }
}

extension [DecodingFigure] {
  fileprivate func accuracy(
    _ target: DecodingTarget, _ heldOut: DecodingDesign.HeldOut = .rules,
    _ decoder: String = "ridge", trained: String = "a", tested: String = "a"
  ) -> DecodingFigure? {
    first {
      $0.measure == .accuracy && $0.positions == .answers && $0.target == target.rawValue
        && $0.heldOut == heldOut && $0.decoder == decoder && $0.trained == trained
        && $0.tested == tested && $0.slot == nil
    }
  }

  fileprivate func figure(
    _ measure: DecodingFigure.Measure, _ target: String, _ tested: String = "a"
  )
    -> DecodingFigure?
  {
    first {
      $0.measure == measure && $0.positions == .answers && $0.target == target
        && $0.tested == tested
    }
  }
}

@Suite struct DecodingTests {
  /// Class and label are there, added; what both together say is not.
  @Test func aSumOfClassAndLabelHoldsNoRule() throws {
    let figures = try DecodingWorld(.none, 0).figures()
    for heldOut in DecodingDesign.HeldOut.allCases {
      let rule = try #require(figures.accuracy(.rule, heldOut))
      #expect(abs(rule.interval.estimate - 0.5) < 0.15, "\(rule)")
      #expect(try #require(rule.pValue) > 0.01)
      for target in [DecodingTarget.label, .category] {
        let found = try #require(figures.accuracy(target, heldOut))
        #expect(found.interval.estimate > 0.9 && found.pValue ?? 1 < 0.01, "\(found)")
      }
    }
    for decoder in ["logistic", "demixed"] {
      let rule = try #require(figures.accuracy(.rule, .rules, decoder))
      #expect(abs(rule.interval.estimate - 0.5) < 0.17, "\(rule)")
      #expect(try #require(figures.accuracy(.label, .rules, decoder)).interval.estimate > 0.9)
    }
    let shares = try Marginalisation.allCases.map {
      try #require(figures.figure(.variance, $0.rawValue)).interval.estimate
    }
    #expect(shares.allSatisfy { $0 >= 0 } && shares.reduce(0, +) < 1)
    #expect(try #require(figures.figure(.variance, "rule")?.pValue) > 0.01)
    #expect(try #require(figures.figure(.variance, "label")?.pValue) < 0.01)
  }

  @Test func bindingsAreFoundOnUnseenWordsPairsAndForms() throws {
    let figures = try DecodingWorld(.bindings, forms: 2, 1).figures()
    for heldOut in DecodingDesign.HeldOut.allCases {
      let rule = try #require(figures.accuracy(.rule, heldOut))
      #expect(rule.interval.estimate > 0.8 && rule.pValue ?? 1 < 0.01, "\(rule)")
    }
    for decoder in ["logistic", "demixed"] {
      let rule = try #require(figures.accuracy(.rule, .rules, decoder))
      #expect(rule.interval.estimate > 0.75, "\(rule)")
    }
    // The second form shares nothing but the rule's part.
    let other = try #require(figures.accuracy(.rule, tested: "b"))
    #expect(other.interval.estimate > 0.7 && other.pValue ?? 1 < 0.01, "\(other)")
    #expect(try #require(figures.figure(.variance, "rule")?.pValue) < 0.01)
    let alike = try #require(figures.figure(.similarity, "bindings", "b"))
    #expect(alike.interval.estimate > 0.4 && alike.pValue ?? 1 < 0.05, "\(alike)")
    #expect(try #require(figures.figure(.demixed, "label")).interval.estimate > 0.8)
  }

  @Test func whatOnlyWordsHoldIsNotFoundOnOthers() throws {
    let figures = try DecodingWorld(.items, 2).figures()
    for heldOut in DecodingDesign.HeldOut.allCases {
      let rule = try #require(figures.accuracy(.rule, heldOut))
      #expect(abs(rule.interval.estimate - 0.5) < 0.15, "\(rule)")
      #expect(try #require(rule.pValue) > 0.01)
    }
  }

  /// A code of the pair's own is found where the pair was seen, and only there.
  @Test func whatOnlyPairsHoldIsFoundWherePairsAreSeen() throws {
    let figures = try DecodingWorld(.pairs, 3).figures()
    let seen = try #require(figures.accuracy(.rule, .items))
    let unseen = try #require(figures.accuracy(.rule, .rules))
    #expect(seen.interval.estimate > 0.9 && seen.pValue ?? 1 < 0.01, "\(seen)")
    #expect(abs(unseen.interval.estimate - 0.5) < 0.25, "\(unseen)")
  }

  /// Word by word nothing is independent within an episode, and p keeps its level.
  @Test(arguments: [(DecodingTarget.rule, true), (.rule, false)])
  fileprivate func keepsItsLevel(target: DecodingTarget, onItems: Bool) throws {
    let simulations = 160
    let draws = SequentialMonteCarlo(least: 99, most: 299, exceedances: 10)
    let values = try ThreadPool(count: 2).map(simulations) { simulation in
      Result {
        let world = DecodingWorld(
          onItems ? .items : .none, slots: 2, noise: 1, UInt64(1_000 + simulation))
        let samples = world.samples
        let products = DecodingProducts(world.vectors, samples)
        let kernel = samples.kernel(target, products(target))
        return try samples.choice(target, .rules).ridge(training: kernel, testing: [kernel])
          .test(draws: draws, seed: UInt64(simulation)).pValue
      }
    }.map { try $0.get() }
    let rejected = Double(values.count { $0 <= 0.05 }) / Double(simulations)
    #expect(rejected <= 0.05 + threeErrors(0.05, simulations), "\(rejected)")
    // Few choices make equal shares, and those count as extreme: p may be large, never small.
    let half = Double(values.count { $0 <= 0.5 }) / Double(simulations)
    #expect(half <= 0.5 + threeErrors(0.5, simulations) && half > 0.25, "\(half)")
  }

  /// Where vectors hold class and label, or what binds single words to labels, the rule's share of the variance is as
  /// large as chance makes it, and p keeps its level.
  @Test(arguments: [false, true]) func sharesOfVarianceKeepTheirLevel(holdsItems: Bool) throws {
    let simulations = 160
    let parts = [Marginalisation.rule, .ruleBySlot]
    let values = try ThreadPool(count: 2).map(simulations) { simulation in
      Result {
        let world = DecodingWorld(
          holdsItems ? .items : .none, slots: 2, noise: 1, UInt64(3_000 + simulation))
        let figures = try DecodingAnalysis(
          samples: world.samples, layer: 3, forms: ["a"], isChoosing: false,
          draws: SequentialMonteCarlo(least: 99, most: 299, exceedances: 10),
          seed: UInt64(simulation)
        ).variance(.answers, DecodingProducts(world.vectors, world.samples))
        return try parts.map {
          try #require(figures.figure(.variance, $0.rawValue)?.pValue, "\($0)")
        }
      }
    }.map { try $0.get() }
    for (index, part) in parts.enumerated() {
      func rejected(_ level: Double) -> Double {
        Double(values.count { $0[index] <= level }) / Double(simulations)
      }
      for level in [0.05, 0.5] {
        #expect(
          rejected(level) <= level + threeErrors(level, simulations),
          "\(part) \(rejected(level)) at \(level)")
      }
      #expect(rejected(0.5) > 0.25, "\(part) \(rejected(0.5))")
    }
  }

  @Test func choosingFitsNoMoreThanItNeeds() throws {
    let figures = try DecodingWorld(.bindings, 4).figures(isChoosing: true)
    #expect(figures.count == 1 && figures[0].pValue == nil && figures[0].target == "rule")
    #expect(figures[0].interval.estimate > 0.8)
  }

  @Test func rowsComeBack() throws {
    let rows: [DecodingRow] = [
      .slot(
        DecodingSlot(form: "f", slot: 3, input: "dog", category: "animals", label: "A", rule: -1)),
      .patch(
        LayerSweepRow(
          donor: .swappedSlots, positions: .answers, layer: 4,
          outcome: RowFixtures.outcome(effect: 1, gap: 2))),
      .figure(
        DecodingFigure(
          .accuracy, at: .inputs, layer: -1, target: "rule", heldOut: .rules, decoder: "ridge",
          trained: "f", tested: "g", slot: 2,
          interval: Interval(estimate: 0.5, low: 0.25, high: 0.75, level: 0.95),
          chance: (0.5, 0.25, 0.75), count: 7)),
      .figure(
        DecodingFigure(
          .demixed, at: .answers, layer: 2, target: "slot", trained: "f", tested: "f",
          interval: .unbounded(around: 0.5, level: 0.95), count: 7)),
    ]
    for row in rows { #expect(try DecodingRow(Columns(row.columns, place: "row")) == row) }
  }
}
