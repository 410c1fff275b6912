import Reports
import TensorCore

/// Recovery and accuracy by layer, for one way of patching.
public struct LayerCurve: Sendable {
  /// What the points share.
  public struct Key: Hashable, Sendable {
    public let probe: String
    public let task: String
    public let split: Split
    public let donor: String
    public let recipient: String
    public let direction: Probe.Direction
    public let positions: String

    /// Short enough for a legend.
    public var label: String {
      switch donor {
      case "global": "\(task), \(recipient)"
      case Probe.Donor.swappedSlots.rawValue: "\(positions), same labels"
      default: positions
      }
    }
  }

  public struct Point: Sendable {
    public let layer: Int
    /// (mean patched − mean recipient) / (mean donor − mean recipient) of logit differences.
    public let recovery: Interval
    /// Share of episodes in which the right answer has the largest logit of all.
    public let accuracy: Interval
    /// Share of episodes in which the right answer beats the wrong one.
    public let candidateAccuracy: Interval
    /// Mean probability of the right answer.
    public let probability: Interval
    /// Mean KL(donor ‖ patched), in nats.
    public let divergence: Interval?
    /// Logit difference after patching, episode by episode.
    public let logitDifferences: [Double]
  }

  public let key: Key
  /// Episodes, ascending; as many values has each point.
  public let episodeIndices: [Int]
  public let points: [Point]
  /// Logit differences of the unpatched runs, episode by episode.
  public let donor: [Double]
  public let recipient: [Double]

  public var episodes: Int { episodeIndices.count }

  /// The curves of all whole groups of positions in `effects`, in order of appearance.
  ///
  /// - Parameter seed: of the bootstrap.
  public static func all(in effects: [Effect], seed: UInt64) -> [LayerCurve] {
    var order: [Key] = []
    var rows: [Key: [Effect]] = [:]
    for effect in effects {
      let condition = effect.condition
      guard condition.layer != nil, condition.subset == nil else { continue }
      let key = Key(
        probe: condition.probe, task: condition.task, split: condition.split,
        donor: condition.donor, recipient: condition.recipient, direction: condition.direction,
        positions: condition.positions)
      if rows[key] == nil { order.append(key) }
      rows[key, default: []].append(effect)
    }
    return order.map { LayerCurve(key: $0, effects: rows[$0] ?? [], seed: seed) }
  }

  /// - Parameter effects: rows of this key; episodes that lack a layer are left out.
  init(key: Key, effects: [Effect], seed: UInt64) {
    self.key = key
    var byLayer: [Int: [Int: Effect]] = [:]
    for effect in effects {
      guard let layer = effect.condition.layer else { continue }
      byLayer[layer, default: [:]][effect.condition.episode] = effect
    }
    let complete = byLayer.values.reduce(into: nil as Set<Int>?) { common, rows in
      common = common.map { $0.intersection(rows.keys) } ?? Set(rows.keys)
    }
    let episodes = (complete ?? []).sorted()
    episodeIndices = episodes
    let layers = byLayer.keys.sorted()
    let first = layers.first.flatMap { byLayer[$0] } ?? [:]
    donor = episodes.compactMap { first[$0].map { Double($0.donorLogitDifference) } }
    recipient = episodes.compactMap { first[$0].map { Double($0.recipientLogitDifference) } }
    guard !episodes.isEmpty else {
      points = []
      return
    }
    let bootstrap = Bootstrap(samples: episodes.count, seed: seed)
    let (donor, recipient) = (donor, recipient)
    points = layers.map { layer in
      let rows = episodes.compactMap { byLayer[layer]?[$0] }
      let differences = rows.map { Double($0.measurement.logitDifference) }
      let divergences = rows.compactMap { $0.measurement.divergence.map(Double.init) }
      return Point(
        layer: layer,
        recovery: bootstrap.recovery(patched: differences, recipient: recipient, donor: donor),
        accuracy: Wilson.interval(
          successes: rows.filter(\.measurement.isTop).count, trials: rows.count),
        candidateAccuracy: Wilson.interval(
          successes: rows.filter(\.measurement.isRight).count, trials: rows.count),
        probability: bootstrap.mean(rows.map { Double($0.measurement.probability) }),
        divergence: divergences.count == rows.count ? bootstrap.mean(divergences) : nil,
        logitDifferences: differences)
    }
  }
}
