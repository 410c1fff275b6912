import Foundation
import Reports
import TensorCore
import Testing

@testable import RuleVectors

/// The analysis on effects that were made to be one thing or the other.
@Suite struct AnalysisTests {
  static let episodes = 24
  static let demonstrations = 6

  private static func noise(_ path: [UInt64]) -> Float {
    var random = RandomStream(seed: 9, path: path)
    return (0..<6).reduce(Float(0)) { sum, _ in sum + random.uniform() - 0.5 } * 0.2
  }

  /// Noise whose mean over the episodes is exactly zero: chance may not decide a test of verdicts.
  private static func balancedNoise(_ episode: Int, _ number: Int) -> Float {
    noise([7, UInt64(episode / 2), UInt64(number)]) * (episode % 2 == 0 ? 1 : -1)
  }

  private static func effect(
    _ probe: String, _ donor: String, _ positions: String, layer: Int?, subset: [Int]? = nil,
    direction: Probe.Direction = .donorIntoRecipient, split: Split = .heldOut, episode: Int,
    value: Float, recipient: String = "flipped-rule", task: String = "t"
  ) -> Effect {
    Effect(
      condition: Effect.Condition(
        probe: probe, task: task, split: split, episode: episode, donor: donor,
        recipient: recipient, direction: direction, positions: positions, layer: layer,
        subset: subset),
      measurement: Measurement(
        logitDifference: value, probability: 0.5, isTop: value > 0, divergence: 0.1),
      donorLogitDifference: 2, recipientLogitDifference: -2)
  }

  /// Effects of answer positions that carry the rule up to layer 2, of which `share` gives the part
  /// that each brings.
  private static func effects(share: ([Int]) -> Float) -> [Effect] {
    var effects: [Effect] = []
    for split in [Split.development, .heldOut] {
      for episode in 0..<episodes {
        for layer in 0..<4 {
          for (positions, size) in [
            ("answers", layer <= 2 ? Float(layer + 2) : 0), ("inputs", 0),
            ("last", layer == 3 ? 4 : 0),
          ] {
            let jitter = noise([UInt64(episode), UInt64(layer), UInt64(positions.count)])
            effects.append(
              effect(
                split == .development ? "aggregation" : "positions", "clean", positions,
                layer: layer, split: split, episode: episode, value: -2 + size + jitter))
          }
        }
      }
    }
    var random = RandomStream(seed: 1)
    let subsets = Aggregation.subsets(of: demonstrations, each: 2, random: &random)
    for episode in 0..<episodes {
      for direction in Probe.Direction.allCases {
        for (number, subset) in subsets.enumerated() {
          let part =
            4 * share(subset) + (subset.isEmpty ? 0 : balancedNoise(episode, number))
          effects.append(
            effect(
              "aggregation", "clean", "subset", layer: 2, subset: subset, direction: direction,
              episode: episode,
              value: direction == .donorIntoRecipient ? -2 + part : 2 - part))
        }
      }
    }
    return effects
  }

  @Test func developmentChoosesTheLayerThatRecoversMost() throws {
    let effects = Self.effects { Float($0.count) / Float(Self.demonstrations) }
    let layer = try LayerSelection.layer(
      probe: "aggregation", task: "t", positions: "answers", from: effects)
    #expect(layer == 2)
    #expect(throws: UserError.self) {
      try LayerSelection.layer(probe: "x", task: "t", positions: "answers", from: effects)
    }
  }

  @Test func recoveryIsTheShareOfTheWay() throws {
    let analysis = PatchAnalysis(
      Self.effects { Float($0.count) / Float(Self.demonstrations) }, task: "t", seed: 0)
    let answers = try #require(analysis.curve(positions: "answers", donor: .clean))
    #expect(answers.episodes == Self.episodes)
    #expect(abs(answers.points[2].recovery.estimate - 1) < 0.05)
    #expect(abs(answers.points[0].recovery.estimate - 0.5) < 0.05)
    #expect(answers.points[2].recovery.low < answers.points[2].recovery.estimate)
    let last = try #require(analysis.curve(positions: "last", donor: .clean))
    #expect(PatchAnalysis.layersWhereGreater(answers, than: last, seed: 0) == [0, 1, 2])
    #expect(PatchAnalysis.layersWhereGreater(last, than: answers, seed: 0) == [3])
  }

  private func verdicts(_ share: @escaping ([Int]) -> Float) -> [String: Claim.Verdict] {
    let analysis = PatchAnalysis(Self.effects(share: share), task: "t", seed: 0)
    return Dictionary(uniqueKeysWithValues: analysis.claims.map { ($0.name, $0.verdict) })
  }

  @Test func evenSharesAreSeenAsDistributed() throws {
    let verdicts = verdicts { Float($0.count) / Float(Self.demonstrations) }
    #expect(verdicts["answers-carry-rule"] == .supported)
    #expect(verdicts["answers-over-inputs"] == .supported)
    #expect(verdicts["answers-over-last"] == .supported)
    #expect(verdicts["each-contributes"] == .supported)
    #expect(verdicts["no-single-carrier"] == .supported)
    #expect(verdicts["answers-necessary"] == .supported)
    #expect(verdicts["overlap"] == .undecided)
    let analysis = PatchAnalysis(
      Self.effects { Float($0.count) / Float(Self.demonstrations) }, task: "t", seed: 0)
    let curve = try #require(analysis.subsets.first)
    #expect(curve.participationRatio.estimate > 5)
    #expect(curve.gini.estimate < 0.3)
    #expect(curve.additiveFit.estimate > 0.5)
  }

  @Test func oneCarrierIsSeenAsOne() {
    let verdicts = verdicts { $0.contains(0) ? 1 : 0 }
    #expect(verdicts["no-single-carrier"] == .contradicted)
  }

  @Test func effectsThatNeedEachOtherDoNotOverlap() {
    let verdicts = verdicts { subset in
      let part = Float(subset.count) / Float(Self.demonstrations)
      return part * part * part
    }
    #expect(verdicts["overlap"] == .contradicted)
    #expect(verdicts["no-single-carrier"] == .supported)
  }

  @Test func effectsThatSaturateOverlap() {
    let verdicts = verdicts { min(Float($0.count) / 3, 1) }
    #expect(verdicts["overlap"] == .supported)
  }

  @Test func nothingIsClaimedOfNoise() {
    let flat = Self.effects { _ in 0 }.map { effect in
      var effect = effect
      effect.measurement.logitDifference =
        (effect.condition.episode % 2 == 0 ? 1 : -1)
        * Self.noise([
          UInt64(effect.condition.episode / 2),
          UInt64(bitPattern: Int64(effect.condition.layer ?? -1)),
          UInt64(effect.condition.positions.count),
          UInt64(effect.condition.subset?.reduce(1) { $0 * 7 + $1 } ?? 0),
        ])
      effect.donorLogitDifference = 0
      effect.recipientLogitDifference = 0
      return effect
    }
    let analysis = PatchAnalysis(flat, task: "t", seed: 0)
    // A best single position is noise above zero; it may speak against the sentence, never for it.
    #expect(!analysis.claims.contains { $0.verdict == .supported })
  }

  @Test func rowsReadBackAsTheyWereWritten() throws {
    for effect in Self.effects(share: { Float($0.count) }).prefix(400) {
      let text = effect.json.text
      let reader = JSONReader(
        try JSONValue(parsing: Data(text.utf8), place: "row"), place: "row")
      #expect(try Effect(reader) == effect)
    }
  }

  @Test func layersAreWordedAsRanges() {
    #expect(ReportBuilder.words([]) == "no layer")
    #expect(ReportBuilder.words([4]) == "layer 4")
    #expect(ReportBuilder.words([0, 1, 2, 5, 7, 8]) == "layers 0–2, 5 and 7–8")
  }
}
