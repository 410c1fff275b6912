import Reports
import TensorCore

@testable import RuleVectors

/// Whole probes of synthetic rows.
enum SectionFixtures {
  /// Effect and gap of one episode.
  typealias Draw = (effect: Double, gap: Double)

  static func records<Row: ResultRow>(_ rows: [StoredRow], _ type: Row.Type = Row.self) throws
    -> [Record<Row>]
  {
    try rows.map { try Record<Row>($0) }
  }

  /// A sweep of one layer, group by group.
  static func sweep(
    donor: Donor = .clean, layer: Int = 2, _ groups: [(PositionGroup, [Draw])]
  ) throws -> Section {
    let words = groups.map { "\"\($0.0.rawValue)\"" }.joined(separator: ", ")
    let sweep = try experiment(
      LayerSweep.self,
      "\"donor\": \"\(donor.rawValue)\", \"positions\": [\(words)], \"layer\": \(layer)")
    let count = groups.first?.1.count ?? 0
    let rows = (0..<count).flatMap { episode in
      RowFixtures.stored(
        LayerSweep.self, probe: "p", episode: episode,
        groups.map { group, draws in
          LayerSweepRow(
            donor: donor, positions: group, layer: layer,
            outcome: RowFixtures.outcome(effect: draws[episode].effect, gap: draws[episode].gap))
        })
    }
    return try sweep.section(records(rows), RowFixtures.findings())
  }

  /// Games of one direction, one an episode.
  static func aggregation(
    players: Int, direction: Direction = .donorIntoRecipient, orders: Int = 4, episodes: Int,
    gap: Double = 12, _ value: (Int, [Int]) -> Double
  ) throws -> Section {
    let game = try experiment(
      Aggregation.self,
      "\"donor\": \"clean\", \"players\": \"demonstrations\", \"layer\": 1, "
        + "\"directions\": [\"\(direction.rawValue)\"]")
    let rows = (0..<episodes).flatMap { episode in
      RowFixtures.stored(
        Aggregation.self, probe: "p", episode: episode,
        gameRows(
          players, orders: orders, seed: UInt64(episode), direction: direction,
          donor: gap - 4, recipient: -4
        ) { value(episode, $0) })
    }
    return try game.section(records(rows), RowFixtures.findings())
  }

  /// Rows of one global vector in one form after the given layers of one recipient; effects by layer.
  ///
  /// - Parameter comparesRules: as for a categorization, with a preference for the right answer that
  ///   both rules share.
  static func vectorRows(
    task: String, split: Split, episode: Int, comparesRules: Bool, gap: Double, _ effects: [Double]
  ) -> [StoredRow] {
    let preference = comparesRules ? 3.0 : 0
    let recipient = -1.0
    func outcome(_ patched: Double, _ donor: Double) -> Outcome {
      Outcome(
        patched: RowFixtures.measurement(patched), donor: Float(donor),
        recipient: Float(comparesRules ? recipient + preference : recipient))
    }
    var rows: [GlobalVectorRow] = []
    for rule in comparesRules ? [1.0, -1] : [1.0] {
      let donor = recipient + preference + rule * gap
      for (layer, effect) in effects.enumerated() {
        rows.append(
          GlobalVectorRow(
            recipient: .zeroShot, form: .mean, isFlipped: rule < 0, layer: layer,
            outcome: outcome(recipient + preference + rule * effect, donor)))
      }
      if rule > 0 {
        rows.append(
          GlobalVectorRow(
            recipient: .zeroShot, form: nil, isFlipped: false, layer: nil,
            outcome: outcome(recipient + preference, donor)))
      }
      rows.append(
        GlobalVectorRow(
          recipient: nil, form: nil, isFlipped: rule < 0, layer: nil, outcome: outcome(donor, donor)
        ))
    }
    return RowFixtures.stored(
      GlobalVector.self, probe: "p", task: task, split: split, episode: episode, rows)
  }

  /// - Parameters:
  ///   - own: held-out episodes of the rule, with effects by layer.
  ///   - control: the same for a knowledge task; empty for none.
  ///   - development: two episodes' effects by layer.
  static func vector(
    own: [(gap: Double, effects: [Double])], control: [(gap: Double, effects: [Double])] = [],
    development: [[Double]] = [[1], [1]], margin: Double = 0.25
  ) throws -> Section {
    let kind = try experiment(
      GlobalVector.self,
      "\"forms\": [\"mean\"], \"recipients\": [\"zero-shot\"], \"development\": "
        + "\(development.count), \"margin\": \(margin), \"controls\": [\"known\"]")
    var rows: [StoredRow] = []
    for (task, episodes) in [("small", own), ("known", control)] where !episodes.isEmpty {
      let comparesRules = task == "small"
      for (index, effects) in development.enumerated() {
        rows += vectorRows(
          task: task, split: .development, episode: index, comparesRules: comparesRules, gap: 8,
          effects)
      }
      for (index, draw) in episodes.enumerated() {
        rows += vectorRows(
          task: task, split: .heldOut, episode: index, comparesRules: comparesRules, gap: draw.gap,
          draw.effects)
      }
    }
    return try kind.section(records(rows), RowFixtures.findings())
  }
}

extension Section {
  /// The claim whose name begins so behind the probe's.
  func claim(_ name: String) -> Claim? { claims.first { $0.name.hasPrefix("p.\(name)") } }
}
