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

  /// A run with a vector after a layer, without one, or with demonstrations.
  private struct VectorRun {
    let isDemonstrated: Bool
    let isFlipped: Bool
    let layer: Int?
    let outcome: Outcome
  }

  /// One vector after the given layers of one recipient; effects by layer.
  ///
  /// - Parameter comparesRules: as for a categorization, with a preference for the right answer that
  ///   both rules share.
  private static func vectorRuns(comparesRules: Bool, gap: Double, _ effects: [Double])
    -> [VectorRun]
  {
    let preference = comparesRules ? 3.0 : 0
    let recipient = -1.0
    func run(
      _ patched: Double, _ donor: Double, _ rule: Double, layer: Int? = nil,
      isDemonstrated: Bool = false
    ) -> VectorRun {
      VectorRun(
        isDemonstrated: isDemonstrated, isFlipped: rule < 0, layer: layer,
        outcome: Outcome(
          patched: RowFixtures.measurement(patched), donor: Float(donor),
          recipient: Float(comparesRules ? recipient + preference : recipient)))
    }
    var runs: [VectorRun] = []
    for rule in comparesRules ? [1.0, -1] : [1.0] {
      let donor = recipient + preference + rule * gap
      for (layer, effect) in effects.enumerated() {
        runs.append(run(recipient + preference + rule * effect, donor, rule, layer: layer))
      }
      if rule > 0 { runs.append(run(recipient + preference, donor, rule)) }
      runs.append(run(donor, donor, rule, isDemonstrated: true))
    }
    return runs
  }

  /// Of a task and a control, development and held-out episodes.
  private static func vectorRows<Kind: RowKind>(
    _ kind: Kind.Type, own: [(gap: Double, effects: [Double])],
    control: [(gap: Double, effects: [Double])], development: [[Double]],
    _ row: (VectorRun) -> Kind.Row
  ) -> [StoredRow] {
    var rows: [StoredRow] = []
    for (task, episodes) in [("small", own), ("known", control)] where !episodes.isEmpty {
      for (split, draws) in [
        (Split.development, development.map { (gap: 8.0, effects: $0) }), (.heldOut, episodes),
      ] {
        for (index, draw) in draws.enumerated() {
          rows += RowFixtures.stored(
            kind, probe: "p", task: task, split: split, episode: index,
            vectorRuns(comparesRules: task == "small", gap: draw.gap, draw.effects).map(row))
        }
      }
    }
    return rows
  }

  /// One global vector.
  ///
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
    let rows = vectorRows(
      GlobalVector.self, own: own, control: control, development: development
    ) { run in
      GlobalVectorRow(
        recipient: run.isDemonstrated ? nil : .zeroShot, form: run.layer.map { _ in .mean },
        isFlipped: run.isFlipped, layer: run.layer, outcome: run.outcome)
    }
    return try kind.section(records(rows), RowFixtures.findings())
  }

  /// A function vector; parameters as above.
  static func functionVector(
    own: [(gap: Double, effects: [Double])], control: [(gap: Double, effects: [Double])],
    development: [[Double]]
  ) throws -> Section {
    let kind = try experiment(
      FunctionVector.self,
      "\"recipients\": [\"zero-shot\"], \"development\": \(development.count), "
        + "\"margin\": 0.25, \"controls\": [\"known\"]")
    let rows = vectorRows(
      FunctionVector.self, own: own, control: control, development: development
    ) { run in
      FunctionVectorRow(
        recipient: run.isDemonstrated ? nil : .zeroShot, form: run.layer.map { _ in .function },
        isFlipped: run.isFlipped, layer: run.layer, outcome: run.outcome)
    }
    return try kind.section(records(rows), RowFixtures.findings())
  }

  /// What vectors bring to one rule's test prompts, by form and layer.
  struct FittedDraw {
    let gap: Double
    let fitted: [FittedVector.Form: [Double]]
    let mean: [FittedVector.Form: [Double]]
  }

  /// Fitted vectors, and means beside them, of a task and a control that choose their layers alike.
  static func fittedVector(
    own: [FittedDraw], control: [FittedDraw], development: [FittedDraw]
  ) throws -> Section {
    let kind = try experiment(
      FittedVector.self,
      "\"development\": \(development.count), \"margin\": 0.25, \"controls\": [\"known\"]")
    func rows(_ draw: FittedDraw, _ episode: Int, isDrawn: Bool) -> [FittedVectorRow] {
      func row(
        _ source: FittedVectorRow.Source, _ form: FittedVector.Form?, _ layer: Int?,
        _ effect: Double
      ) -> FittedVectorRow {
        FittedVectorRow(
          episode: episode, source: source, form: form, layer: layer,
          measurements: [RowFixtures.measurement(effect - 1)], isDrawn: isDrawn, fit: nil)
      }
      var rows = [row(.demonstrations, nil, nil, draw.gap)]
      for form in FittedVector.Form.allCases {
        rows.append(row(.unpatched, form, nil, 0))
        for (source, effects) in [
          (FittedVectorRow.Source.fitted, draw.fitted), (.mean, draw.mean),
        ] {
          rows += (effects[form] ?? []).enumerated().map { row(source, form, $0, $1) }
        }
      }
      return rows
    }
    var stored: [StoredRow] = []
    for (task, reported) in [("small", own), ("known", control)] {
      for (split, draws) in [(Split.development, development), (.heldOut, reported)] {
        stored += RowFixtures.stored(
          FittedVector.self, probe: "p", task: task, split: split, episode: 0,
          draws.enumerated().flatMap { rows($1, $0, isDrawn: task == "small") })
      }
    }
    return try kind.section(records(stored), RowFixtures.findings())
  }

  /// What heads of one layer do in one episode.
  struct PathDraw {
    /// Of the effect of what they write at the answers: directly, through the same answer's heads, through later
    /// answers, through other positions.
    let parts: [Double]
    /// To a layer at the last position, and by way of later answers.
    var atLast = 0.0
    var atLaterAnswers = 0.0
    /// Of two pairs of heads.
    var pairs = [0.0, 0.0]
  }

  /// Paths from layers 0 and 1 to layer 2; pairs of heads are those of layer 1.
  static func path(
    episodes: Int, development: Int = 4, _ draw: (Split, _ episode: Int, _ layer: Int) -> PathDraw
  ) throws -> Section {
    let kind = try experiment(
      PathPatching.self, "\"window\": 1, \"heads\": 1, \"development\": \(development)")
    let end = HeadSet(2...2)
    func row(
      _ path: PathClass, _ senders: HeadSet, to receivers: HeadSet? = nil, _ effect: Double
    ) -> PathPatchingRow {
      PathPatchingRow(
        donor: .swappedSlots, path: path, senders: senders, receivers: receivers,
        outcome: RowFixtures.outcome(effect: effect, gap: 10))
    }
    var stored: [StoredRow] = []
    for (split, count) in [(Split.development, development), (.heldOut, episodes)] {
      for episode in 0..<count {
        let windows = (0..<2).flatMap { layer -> [PathPatchingRow] in
          let drawn = draw(split, episode, layer)
          let senders = HeadSet(layer...layer)
          let sums = drawn.parts.indices.map { drawn.parts[...$0].reduce(0, +) }
          return zip([PathClass.direct, .ownHeads, .answers, .total], sums).map {
            row($0, senders, $1)
          } + [
            row(.answerToLast, senders, to: end, drawn.atLast),
            row(.answerToLaterAnswers, senders, to: end, drawn.atLaterAnswers),
          ]
        }
        let pairs = draw(split, episode, 1).pairs.enumerated().map { head, effect in
          row(.answerToLast, HeadSet(1...1, head: head), to: HeadSet(2...2, head: 0), effect)
        }
        // Development episodes follow heads up in units of their own.
        let units: [(String?, [PathPatchingRow])] =
          split == .development
          ? [(nil, windows), (PathPatching.headPart, pairs)] : [(nil, windows + pairs)]
        for (part, rows) in units {
          stored += RowFixtures.stored(
            PathPatching.self, probe: "p", split: split, episode: episode, part: part, rows)
        }
      }
    }
    return try kind.section(records(stored), RowFixtures.findings())
  }

  /// Saliency in six layers, of every class of edges and of all others (nil), and cuts in three windows.
  static func saliency(
    episodes: Int, saliency: (_ episode: Int, EdgeClass?, _ layer: Int) -> Double,
    cut: (_ episode: Int, EdgeClass, _ window: Int) -> (loss: Double, estimate: Double)
  ) throws -> Section {
    let kind = try experiment(Saliency.self, "\"window\": 2")
    let rows = (0..<episodes).flatMap { episode in
      let profiles = (kind.classes.map(Optional.some) + [nil]).flatMap { edges in
        (0..<6).map { layer in
          SaliencyRow(
            edges: edges, layers: layer...layer, saliency: saliency(episode, edges, layer),
            estimate: edges.map { _ in 0 }, loss: nil, clean: 8)
        }
      }
      let cuts = kind.classes.flatMap { edges in
        (0..<3).map { window in
          let made = cut(episode, edges, window)
          return SaliencyRow(
            edges: edges, layers: 2 * window...2 * window + 1, saliency: 1,
            estimate: made.estimate, loss: made.loss, clean: 8)
        }
      }
      return RowFixtures.stored(Saliency.self, probe: "p", episode: episode, profiles + cuts)
    }
    return try kind.section(records(rows), RowFixtures.findings())
  }
}

extension Section {
  /// The claim whose name begins so behind the probe's.
  func claim(_ name: String) -> Claim? { claims.first { $0.name.hasPrefix("p.\(name)") } }
}
