import Reports

/// What rows say, cell by cell and part by part.
extension PathPatching {
  /// One class of paths with its ends, episode by episode.
  struct Cell {
    let path: PathClass
    let senders: HeadSet
    let receivers: HeadSet?
    let outcomes: [Outcome]

    var recovery: Interval { outcomes.recovery }
    var logits: Interval { MeanInterval.student(outcomes.map(\.effect)) }
    var pValue: Double { StudentTest.pValue(outcomes.map(\.effect)) }
    var name: String { senders.label + (receivers.map { " → \($0.label)" } ?? "") }
  }

  /// Where the effect of one set of senders goes, part by part; the parts add up to the whole.
  struct Decomposition {
    let senders: HeadSet
    let total: [Outcome]
    /// Name and effects, episode by episode.
    let parts: [(name: String, effects: [Double])]

    /// Share of the total effect.
    func share(_ part: Int) -> Interval {
      RatioInterval.fieller(parts[part].effects, over: total.map(\.effect))
    }

    /// Share of the distance between the two runs.
    func recovery(_ part: Int) -> Interval {
      RatioInterval.fieller(parts[part].effects, over: total.map(\.gap))
    }

    static let direct = 0
    static let laterAnswers = 2
  }

  /// What held-out episodes say, and what development episodes chose.
  struct Results {
    let cells: [Cell]
    let splits: [Decomposition]
    /// Of the largest total effect; nil where development episodes are missing, as below.
    let split: Decomposition?
    let directEdge: Cell?
    let turnedEdge: Cell?
    let lastEdge: Cell?
    /// In the order that development episodes put them.
    let heads: [Cell]
  }

  func results(_ records: [Record<PathPatchingRow>]) -> Results {
    let development = records.filter { $0.key.split == .development }
    let reported = records.filter { $0.key.split != .development }
      .sorted { $0.episode < $1.episode }.map(\.row)
    var order: [[String]] = []
    var grouped: [[String]: [PathPatchingRow]] = [:]
    for row in reported {
      let key = [row.path.rawValue, row.senders.label, row.receivers?.label ?? ""]
      if grouped[key] == nil { order.append(key) }
      grouped[key, default: []].append(row)
    }
    let all = order.compactMap { key in
      grouped[key].flatMap { rows in
        rows.first.map {
          Cell(
            path: $0.path, senders: $0.senders, receivers: $0.receivers,
            outcomes: rows.map(\.outcome))
        }
      }
    }
    func cell(_ path: PathClass, _ senders: HeadSet, _ receivers: HeadSet? = nil) -> Cell? {
      all.first { $0.path == path && $0.senders == senders && $0.receivers == receivers }
    }
    let windows = all.filter { $0.senders.head == nil }
    let splits = windows.filter { $0.path == .total }.compactMap { total -> Decomposition? in
      guard let direct = cell(.direct, total.senders), let own = cell(.ownHeads, total.senders),
        let answers = cell(.answers, total.senders)
      else { return nil }
      return Self.split(total, direct, own, answers)
    }
    let choosing = development.filter { $0.key.part == nil }
    let isChosen = Set(choosing.map(\.key)).count == self.development
    func chosen(_ path: PathClass) -> Cell? {
      guard isChosen, let best = Self.strongest(path, in: choosing.map(\.row)) else { return nil }
      return cell(path, best.senders, best.receivers)
    }
    let following = development.filter { $0.key.part == Self.headPart }
    let isFollowed = Set(following.map(\.key)).count == self.development
    return Results(
      cells: windows, splits: splits,
      split: chosen(.total).flatMap { best in splits.first { $0.senders == best.senders } },
      directEdge: chosen(.answerToLast), turnedEdge: chosen(.answerToLaterAnswers),
      lastEdge: chosen(.lastToLogits),
      heads: isFollowed
        ? Self.strongestHeads(heads, in: following.map(\.row)).compactMap {
          cell(.answerToLast, $0.senders, $0.receivers)
        } : [])
  }

  private static func split(_ total: Cell, _ direct: Cell, _ own: Cell, _ answers: Cell)
    -> Decomposition
  {
    func difference(_ a: Cell, _ b: Cell) -> [Double] {
      zip(a.outcomes, b.outcomes).map { $0.effect - $1.effect }
    }
    return Decomposition(
      senders: total.senders, total: total.outcomes,
      parts: [
        ("directly to the last position", direct.outcomes.map(\.effect)),
        ("through the same answer's heads", difference(own, direct)),
        ("through later answers", difference(answers, own)),
        ("through other positions", difference(total, answers)),
      ])
  }
}
