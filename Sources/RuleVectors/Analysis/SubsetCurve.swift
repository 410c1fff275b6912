import Reports
import TensorCore

/// How the effect grows with the number of patched answer positions, and what each brings: one task,
/// one layer, one direction.
public struct SubsetCurve: Sendable {
  public struct Key: Hashable, Sendable {
    public let probe: String
    public let task: String
    public let donor: String
    public let layer: Int
    public let direction: Probe.Direction
  }

  public struct Dose: Sendable {
    /// Number of patched answer positions.
    public let count: Int
    /// Effect as a share of the distance between donor and recipient; mean over the subsets of an
    /// episode, then over episodes.
    public let recovery: Interval
    /// Share of runs in which the donor's answer beats the other one.
    public let candidateAccuracy: Interval
    /// The straight line that additivity predicts: count / n of the joint effect.
    public let additive: Double
  }

  public let key: Key
  public let episodes: Int
  /// Demonstrations of a prompt.
  public let demonstrations: Int
  public let doses: [Dose]
  /// Recovery by each demonstration's answer position alone.
  public let alone: [Interval]
  /// Recovery that is lost when each demonstration's answer position is left out of all.
  public let leftOut: [Interval]
  /// Participation ratio of the single effects, 1…n; mean over episodes.
  public let participationRatio: Interval
  /// Gini coefficient of the single effects, 0…1 − 1/n; mean over episodes.
  public let gini: Interval
  /// R² of the additive prediction, the sum of the single effects, over the subsets; mean over
  /// episodes. Below 0 where the mean of the subsets predicts better.
  public let additiveFit: Interval
  /// Per-episode effects on the logit difference, for tests; all towards the run that values come
  /// from.
  public let samples: Samples

  public struct Samples: Sendable {
    /// Of all answer positions together.
    public let joint: [Double]
    /// Mean over the positions, each alone.
    public let meanAlone: [Double]
    /// Largest over the positions, each alone.
    public let bestAlone: [Double]
    /// Mean over the positions of what is lost without it.
    public let meanLeftOut: [Double]
    /// Mean over k = 1…n − 1 of the effect minus k / n of the joint effect.
    public let bend: [Double]
  }

  /// The curves in `effects`, in order of appearance.
  public static func all(in effects: [Effect], seed: UInt64) -> [SubsetCurve] {
    var order: [Key] = []
    var rows: [Key: [Effect]] = [:]
    for effect in effects where effect.condition.subset != nil {
      let condition = effect.condition
      guard let layer = condition.layer, condition.split == .heldOut else { continue }
      let key = Key(
        probe: condition.probe, task: condition.task, donor: condition.donor, layer: layer,
        direction: condition.direction)
      if rows[key] == nil { order.append(key) }
      rows[key, default: []].append(effect)
    }
    return order.compactMap { SubsetCurve(key: $0, effects: rows[$0] ?? [], seed: seed) }
  }

  /// Nil where no episode has all of its subsets.
  init?(key: Key, effects: [Effect], seed: UInt64) {
    let demonstrations = effects.map { $0.condition.subset?.count ?? 0 }.max() ?? 0
    let grouped = Dictionary(grouping: effects, by: \.condition.episode)
    let expected = grouped.values.map(\.count).max() ?? 0
    let episodes = grouped.keys.sorted().compactMap { index -> EpisodeEffects? in
      guard let rows = grouped[index], rows.count == expected else { return nil }
      return EpisodeEffects(rows, demonstrations: demonstrations, direction: key.direction)
    }
    guard demonstrations > 1, !episodes.isEmpty else { return nil }
    self.key = key
    self.episodes = episodes.count
    self.demonstrations = demonstrations
    let bootstrap = Bootstrap(samples: episodes.count, seed: seed)
    let spans = episodes.map(\.span)
    let joint = episodes.map { $0.mean(count: demonstrations) }
    let jointRecovery = bootstrap.ratio(joint, over: spans)
    doses = (0...demonstrations).map { count in
      let right = episodes.map { $0.shareRight(count: count) }
      return Dose(
        count: count,
        recovery: bootstrap.ratio(episodes.map { $0.mean(count: count) }, over: spans),
        candidateAccuracy: bootstrap.mean(right),
        additive: jointRecovery.estimate * Double(count) / Double(demonstrations))
    }
    let positions = 0..<demonstrations
    alone = positions.map { position in
      bootstrap.ratio(episodes.map { $0.alone[position] }, over: spans)
    }
    leftOut = positions.map { position in
      bootstrap.ratio(episodes.map { $0.lost[position] }, over: spans)
    }
    participationRatio = bootstrap.mean(
      episodes.map { Concentration.participationRatio($0.alone) })
    gini = bootstrap.mean(episodes.map { Concentration.gini($0.alone) })
    additiveFit = bootstrap.mean(episodes.map(\.additiveRSquared))
    func mean(_ values: [Double]) -> Double { values.reduce(0, +) / Double(values.count) }
    samples = Samples(
      joint: joint, meanAlone: episodes.map { mean($0.alone) },
      bestAlone: episodes.map { $0.alone.max() ?? 0 },
      meanLeftOut: episodes.map { mean($0.lost) },
      bend: episodes.enumerated().map { number, episode in
        mean(
          (1..<demonstrations).map {
            episode.mean(count: $0) - joint[number] * Double($0) / Double(demonstrations)
          })
      })
  }
}

/// Effects of subsets in one episode: changes of the logit difference, positive towards the run that
/// values come from.
private struct EpisodeEffects {
  /// Distance between the two runs.
  let span: Double
  /// Of each position alone, and what leaving it out loses.
  let alone: [Double]
  let lost: [Double]
  /// R² of the sum of single effects over subsets of two and more.
  let additiveRSquared: Double
  private let byCount: [Int: [(effect: Double, isRight: Bool)]]

  init?(_ rows: [Effect], demonstrations: Int, direction: Probe.Direction) {
    guard let first = rows.first else { return nil }
    let donor = Double(first.donorLogitDifference)
    let recipient = Double(first.recipientLogitDifference)
    let sign: Double = direction == .donorIntoRecipient ? 1 : -1
    let start = direction == .donorIntoRecipient ? recipient : donor
    span = sign * ((direction == .donorIntoRecipient ? donor : recipient) - start)
    var byCount: [Int: [(effect: Double, isRight: Bool)]] = [:]
    var bySubset: [[Int]: Double] = [:]
    for row in rows {
      guard let subset = row.condition.subset else { return nil }
      let effect = sign * (Double(row.measurement.logitDifference) - start)
      bySubset[subset] = effect
      byCount[subset.count, default: []].append((effect, row.measurement.isRight))
    }
    self.byCount = byCount
    let all = Array(0..<demonstrations)
    guard let joint = bySubset[all] else { return nil }
    let alone = all.compactMap { bySubset[[$0]] }
    let lost = all.compactMap { left in
      bySubset[all.filter { $0 != left }].map { joint - $0 }
    }
    guard alone.count == demonstrations, lost.count == demonstrations else { return nil }
    self.alone = alone
    self.lost = lost
    // The single effects themselves fit perfectly and prove nothing.
    let pairs = bySubset.filter { $0.key.count > 1 }
      .sorted { $0.key.lexicographicallyPrecedes($1.key) }
    additiveRSquared = LinearFit.rSquared(
      of: pairs.map { pair in pair.key.reduce(0) { $0 + alone[$1] } }, for: pairs.map(\.value))
  }

  func mean(count: Int) -> Double {
    let values = byCount[count] ?? []
    return values.reduce(0) { $0 + $1.effect } / Double(max(values.count, 1))
  }

  func shareRight(count: Int) -> Double {
    let values = byCount[count] ?? []
    return Double(values.filter(\.isRight).count) / Double(max(values.count, 1))
  }
}
