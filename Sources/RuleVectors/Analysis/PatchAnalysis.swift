import Foundation
import Reports
import TensorCore

/// Everything that a patch run's rows say: curves, doses and tested sentences.
public struct PatchAnalysis: Sendable {
  public let task: String
  public let curves: [LayerCurve]
  public let subsets: [SubsetCurve]
  public let claims: [Claim]
  /// The layer that development episodes chose for the local vectors, if any did.
  public let chosenLayer: Int?
  /// The layer that development episodes chose for the global vector, by task and recipient.
  public let globalLayers: [GlobalKey: Int]

  public struct GlobalKey: Hashable, Sendable {
    public let task: String
    public let recipient: String

    public init(task: String, recipient: String) {
      self.task = task
      self.recipient = recipient
    }
  }

  public init(_ effects: [Effect], task: String, seed: UInt64) {
    self.task = task
    curves = LayerCurve.all(in: effects, seed: seed)
    subsets = SubsetCurve.all(in: effects, seed: seed)
    chosenLayer = subsets.first { $0.key.task == task }?.key.layer
    var layers: [GlobalKey: Int] = [:]
    for curve in curves where curve.key.donor == "global" && curve.key.split == .heldOut {
      let key = GlobalKey(task: curve.key.task, recipient: curve.key.recipient)
      layers[key] = try? LayerSelection.layer(
        probe: curve.key.probe, task: key.task, recipient: key.recipient,
        positions: curve.key.positions, from: effects)
    }
    globalLayers = layers
    claims = Claim.adjusted(
      Claims(
        task: task, curves: curves, subsets: subsets, chosenLayer: chosenLayer,
        globalLayers: layers, seed: seed
      ).all)
  }

  /// Held-out curve of whole groups, if the run has it.
  public func curve(positions: String, donor: Probe.Donor) -> LayerCurve? {
    curves.first {
      $0.key.task == task && $0.key.split == .heldOut && $0.key.donor == donor.rawValue
        && $0.key.positions == positions && $0.key.recipient == "flipped-rule"
    }
  }

  /// Layers at which the mean logit difference of `a` exceeds that of `b`, by a paired permutation
  /// test with Holm's correction for the number of layers.
  public static func layersWhereGreater(_ a: LayerCurve, than b: LayerCurve, seed: UInt64) -> [Int]
  {
    let common = zip(a.points, b.points).filter { $0.layer == $1.layer }
    guard a.episodeIndices == b.episodeIndices, !common.isEmpty else { return [] }
    let tests = common.map { a, b in
      PermutationTest.paired(
        zip(a.logitDifferences, b.logitDifferences).map { $0 - $1 }, seed: seed)
    }
    let adjusted = Holm.adjusted(tests.map(\.pValue))
    return common.indices.filter { adjusted[$0] < Claim.level && tests[$0].meanDifference > 0 }
      .map { common[$0].0.layer }
  }
}

/// Makes the sentences of one analysis.
private struct Claims {
  let task: String
  let curves: [LayerCurve]
  let subsets: [SubsetCurve]
  let chosenLayer: Int?
  let globalLayers: [PatchAnalysis.GlobalKey: Int]
  let seed: UInt64

  var all: [Claim] { local + global + distribution }

  private func percent(_ interval: Interval) -> String { interval.text(digits: 2) }

  private func heldOut(_ positions: String, _ donor: Probe.Donor) -> LayerCurve? {
    curves.first {
      $0.key.task == task && $0.key.split == .heldOut && $0.key.donor == donor.rawValue
        && $0.key.positions == positions && $0.key.recipient == "flipped-rule"
    }
  }

  /// Where the rule is, at the layer that development episodes chose.
  private var local: [Claim] {
    guard let layer = chosenLayer, let answers = heldOut("answers", .clean),
      let point = answers.points.first(where: { $0.layer == layer })
    else { return labelCopy }
    var claims: [Claim] = []
    let effect = zip(point.logitDifferences, answers.recipient).map { $0 - $1 }
    for (name, other, words) in [
      ("answers-over-inputs", "inputs", "as many input positions"),
      ("answers-over-last", "last", "the last position"),
    ] {
      guard let curve = heldOut(other, .clean), curve.episodeIndices == answers.episodeIndices,
        let rival = curve.points.first(where: { $0.layer == layer })
      else { continue }
      claims.append(
        Claim(
          .local, name: name,
          sentence:
            "After layer \(layer) the rule is at the answer positions rather than at \(words).",
          evidence:
            "Recovery by all answer positions \(percent(point.recovery)), by \(words) "
            + "\(percent(rival.recovery)).",
          differences: zip(point.logitDifferences, rival.logitDifferences).map { $0 - $1 },
          seed: seed))
    }
    claims.insert(
      Claim(
        .local, name: "answers-carry-rule",
        sentence:
          "The residual stream at the answer positions after layer \(layer) carries the rule.",
        evidence: "Recovery \(percent(point.recovery)) of the clean run's logit difference.",
        differences: effect, seed: seed), at: 0)
    return claims + labelCopy
  }

  private var labelCopy: [Claim] {
    guard let layer = chosenLayer, let curve = heldOut("answers", .swappedSlots),
      let point = curve.points.first(where: { $0.layer == layer })
    else { return [] }
    return [
      Claim(
        .local, name: "more-than-label-copy",
        sentence: "The answer positions after layer \(layer) hold more than their own label.",
        evidence:
          "A donor with the same labels slot by slot but the other rule recovers "
          + "\(percent(point.recovery)); "
          + "copying labels predicts 0.",
        differences: zip(point.logitDifferences, curve.recipient).map { $0 - $1 }, seed: seed)
    ]
  }

  /// Whether one vector brings the rule: only where it does on a knowledge task does its absence mean
  /// anything.
  private var global: [Claim] {
    var claims: [Claim] = []
    let curves = curves.filter { $0.key.donor == "global" && $0.key.split == .heldOut }
    func point(_ curve: LayerCurve) -> LayerCurve.Point? {
      let key = PatchAnalysis.GlobalKey(task: curve.key.task, recipient: curve.key.recipient)
      return globalLayers[key].flatMap { layer in curve.points.first { $0.layer == layer } }
    }
    for control in curves where control.key.task != task {
      guard let best = point(control) else { continue }
      claims.append(
        Claim(
          .global, name: "global-vector-control-\(control.key.task)-\(control.key.recipient)",
          sentence:
            "Positive control: on \(control.key.task) one global vector brings the task to "
            + "\(words(control.key.recipient)).",
          evidence:
            "After layer \(best.layer): recovery \(percent(best.recovery)), accuracy over the "
            + "vocabulary \(percent(best.accuracy)).",
          differences: zip(best.logitDifferences, control.recipient).map { $0 - $1 }, seed: seed))
      guard
        let own = curves.first(where: {
          $0.key.task == task && $0.key.recipient == control.key.recipient
        }), let mine = point(own)
      else { continue }
      claims.append(difference(of: control, best, from: own, mine))
    }
    return claims
  }

  private func words(_ recipient: String) -> String {
    recipient == Probe.Recipient.zeroShot.rawValue
      ? "zero-shot prompts" : "prompts with dummy demonstrations"
  }

  /// Recovery on the control minus recovery here, by resampling the episodes of both.
  private func difference(
    of control: LayerCurve, _ best: LayerCurve.Point, from own: LayerCurve,
    _ mine: LayerCurve.Point
  ) -> Claim {
    func recoveries(_ curve: LayerCurve, _ point: LayerCurve.Point, _ stream: UInt64) -> [Double] {
      let count = curve.episodes
      return (0..<10_000).map { resample in
        var random = RandomStream(seed: seed, path: [0xD1FF, stream, UInt64(resample)])
        var top = 0.0
        var bottom = 0.0
        for _ in 0..<count {
          let episode = random.integer(below: count)
          top += point.logitDifferences[episode] - curve.recipient[episode]
          bottom += curve.donor[episode] - curve.recipient[episode]
        }
        return top / bottom
      }
    }
    let differences = zip(recoveries(control, best, 1), recoveries(own, mine, 2)).map { $0 - $1 }
    let below = differences.filter { !($0 > 0) }.count
    let above = differences.filter { !($0 < 0) }.count
    let share = Double(min(below, above) + 1) / Double(differences.count + 1)
    return Claim(
      ClaimTopic.global.rawValue, name: "no-global-vector-\(own.key.recipient)",
      sentence:
        "One global vector brings less of the rule of \(task) than of \(control.key.task), "
        + "into \(words(own.key.recipient)).",
      evidence:
        "Recovery \(percent(mine.recovery)) after layer \(mine.layer), accuracy over the "
        + "vocabulary \(percent(mine.accuracy)), "
        + "inside the two candidates \(percent(mine.candidateAccuracy)); "
        + "on \(control.key.task) recovery \(percent(best.recovery)).",
      difference: best.recovery.estimate - mine.recovery.estimate, pValue: min(1, 2 * share),
      samples: own.episodes)
  }

  /// How the effect of all answer positions is made up.
  private var distribution: [Claim] {
    subsets.filter { $0.key.task == task }.flatMap { curve -> [Claim] in
      let samples = curve.samples
      let n = curve.demonstrations
      let layer = curve.key.layer
      let joint = curve.doses[n].recovery
      let same = curve.key.donor == Probe.Donor.swappedSlots.rawValue
      let suffix = same ? "-same-labels" : ""
      let source = same ? "the run with the same labels" : "the clean run"
      guard curve.key.direction == .donorIntoRecipient else {
        return [
          Claim(
            .distribution, name: "answers-necessary" + suffix,
            sentence:
              "With the flipped run's answer positions after layer \(layer), \(source) loses "
              + "its rule.",
            evidence: "All \(n) together move \(percent(joint)) of the way to the flipped run.",
            differences: samples.joint, seed: seed),
          Claim(
            .distribution, name: "each-necessary" + suffix,
            sentence:
              "Each answer position of \(source) that is left uncorrupted keeps some of the rule.",
            evidence:
              "Leaving one of \(n) out of the corruption changes the effect by "
              + "\(formatted(mean(samples.meanLeftOut), digits: 3)) logits on average.",
            differences: samples.meanLeftOut, seed: seed),
        ]
      }
      return [
        Claim(
          .distribution, name: "each-contributes" + suffix,
          sentence:
            "A single answer position of \(source) brings some of the rule, on average over "
            + "the \(n).",
          evidence: "\(formatted(mean(samples.meanAlone), digits: 3)) logits each, "
            + "\(formatted(mean(samples.joint), digits: 3)) all together.",
          differences: samples.meanAlone, seed: seed),
        Claim(
          .distribution, name: "no-single-carrier" + suffix,
          sentence:
            "No single position of \(source) carries the rule: even the best one of each "
            + "episode brings less than half of what all bring.",
          evidence:
            "Best single \(formatted(mean(samples.bestAlone), digits: 3)) logits, half of all "
            + "\(formatted(mean(samples.joint) / 2, digits: 3))."
            + (same
              ? ""
              : " A single patch of \(source) also makes one label more frequent than the "
                + "other, which moves the answer whatever the rule; the donor with the same "
                + "labels does not."),
          differences: zip(samples.joint, samples.bestAlone).map { $0 / 2 - $1 }, seed: seed),
        Claim(
          .distribution, name: "overlap" + suffix,
          sentence:
            "Answer positions of \(source) overlap: k of them bring more than k/\(n) of "
            + "what all bring.",
          evidence:
            "Mean deviation from the straight line "
            + "\(formattedSigned(mean(samples.bend), digits: 3)) logits; additive model R² "
            + "\(percent(curve.additiveFit)).",
          differences: samples.bend, seed: seed),
      ]
    }
  }

  private func mean(_ values: [Double]) -> Double {
    values.reduce(0, +) / Double(max(values.count, 1))
  }
}
