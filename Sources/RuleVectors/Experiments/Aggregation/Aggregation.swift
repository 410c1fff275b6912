import TensorCore
import Transformer

/// At one layer, how the effect of all answer positions is made up: each player alone, all but one,
/// and along random orders in which they join, in both directions.
///
/// Players are single demonstrations, or pairs of one demonstration of either label: patching pairs
/// changes no label's frequency, which with the clean donor would move the answer whatever the rule.
struct Aggregation: Experiment {
  typealias Row = AggregationRow
  static let kind = "aggregation"
  static let version = 1

  enum Players: String, Sendable, CaseIterable {
    case demonstrations
    /// One demonstration of either label.
    case pairs

    var words: String { self == .pairs ? "pair" : "demonstration" }
  }

  let donor: Donor
  let players: Players
  let choice: LayerChoice
  /// Random orders, even; of more than two, each with its reverse.
  let permutations: Int
  let directions: [Direction]

  init(_ keys: ProbeKeys) throws {
    donor = try keys.word("donor")
    players = try keys.word("players")
    choice = try LayerChoice(keys.required("layer"))
    permutations = try keys.integer("permutations", 2...1000, or: 4)
    guard permutations.isMultiple(of: 2) else {
      throw UserError(
        "found \(permutations), allowed is an even number: every order comes with its reverse",
        at: "\(keys.place), permutations", remedy: "use \(permutations + 1)")
    }
    directions = try keys.words("directions", or: Direction.allCases)
  }

  func plan(_ probe: String, _ setting: Setting) throws -> Plan {
    let task: RuleTask
    switch setting.subject.task(patchedFrom: [donor] + choice.donors) {
    case .success(let found): task = found
    case .failure(let reason): return .skipped(reason.text)
    }
    let count = players == .pairs ? setting.demonstrations / 2 : setting.demonstrations
    guard count >= 2 else {
      return .skipped("\(setting.demonstrations) demonstrations are too few to take apart")
    }
    try choice.validate(setting.architecture.layers, probe: probe)
    let choosing = choice.units(task, setting)
    let split = setting.split
    let variants = directions.count * (2 * count + 1 + permutations * max(0, count - 3))
    var typical = setting.architecture.layers / 2
    if case .fixed(let layer) = choice { typical = layer }
    // Nested sets share rows: about two thirds are computed.
    let cost = 2 * setting.wholeRun + variants * setting.above(typical) * 2 / 3
    return .units(
      choosing
        + (0..<setting.episodes).map { index in
          Unit(
            Self.self, UnitKey(probe: probe, task: task.name, split: split, episode: index),
            needs: choosing.map(\.key), cost: cost,
            check: { try $0.check(donor, $0.episode(task, index, split), task) },
            compute: { laboratory, needed in
              try rows(laboratory, task, index, split, layer: choice.layer(task, needed))
            })
        })
  }

  private func rows(
    _ laboratory: Laboratory, _ task: RuleTask, _ index: Int, _ split: Split, layer: Int
  ) throws
    -> [AggregationRow]
  {
    let episode = try laboratory.episode(task, index, split)
    let pair = try laboratory.pair(donor, episode, task)
    var random = UnitKey(
      probe: Self.kind, task: task.name, split: split, episode: index, part: players.rawValue
    ).stream(seed: laboratory.seed, purpose: 0x5B5E7)
    let members = members(of: episode, random: &random)
    let coalitions = Coalition.all(members.count, orders: permutations, random: &random)

    var rows: [AggregationRow] = []
    var requests: [ForwardRequest] = []
    for direction in directions {
      let (from, into) =
        direction == .donorIntoRecipient
        ? (pair.donor, pair.recipient) : (pair.recipient, pair.donor)
      for coalition in coalitions {
        let slots = coalition.players.flatMap { members[$0] }.sorted()
        rows.append(
          AggregationRow(
            donor: donor, direction: direction, layer: layer, coalition: coalition, slots: slots,
            outcome: pair.outcome(pair.recipient.measurement)))
        let values = from.run.residualPost(
          layer: layer, positions: slots.map { from.prompt.answerPositions[$0] })
        requests.append(
          laboratory.request(
            into.tokens, base: into.run,
            interventions: [
              Laboratory.patch(layer, slots.map { into.prompt.answerPositions[$0] }, values)
            ],
            contrast: into.contrast, reference: pair.donor.logProbabilities))
      }
    }
    let results = try laboratory.run(requests)
    for (number, result) in results.enumerated() {
      rows[number].outcome.patched = try laboratory.measure(result, pair.donor.contrast)
    }
    return rows
  }

  /// The demonstrations of each player, ascending, players by their first demonstration.
  func members(of episode: Episode, random: inout RandomStream) -> [[Int]] {
    let slots = Array(episode.demonstrations.indices)
    guard players == .pairs else { return slots.map { [$0] } }
    var right = slots.filter { episode.demonstrations[$0].answer == episode.right }
    var wrong = slots.filter { episode.demonstrations[$0].answer != episode.right }
    random.shuffle(&right)
    random.shuffle(&wrong)
    var pairs = zip(right, wrong).map { [$0, $1].sorted() }
    // An odd one out joins the last pair.
    let rest = right.dropFirst(pairs.count) + wrong.dropFirst(pairs.count)
    if !pairs.isEmpty { pairs[pairs.count - 1] = (pairs[pairs.count - 1] + rest).sorted() }
    return pairs.sorted { ($0.first ?? 0) < ($1.first ?? 0) }
  }
}

/// A set of players that are patched together, and why it is among those that are.
struct Coalition: Sendable, Equatable {
  /// Ascending.
  let players: [Int]
  /// Number of the random order that it is a beginning of; nil for single players, all but one, and
  /// all.
  let permutation: Int?
  /// The whole order.
  let order: [Int]

  /// Each player alone, all but each, all, and the beginnings of `orders` random orders from two
  /// players on: every second order is the reverse of the one before, which makes the mean over both
  /// less noisy. Two orders alone are independent: each measures what the other finds, and an order
  /// and its reverse err in opposite ways. Of up to three players these are all sets, and no orders
  /// are drawn.
  static func all(_ count: Int, orders: Int, random: inout RandomStream) -> [Coalition] {
    let all = Array(0..<count)
    var coalitions = all.map { Coalition(players: [$0], permutation: nil, order: []) }
    if count > 2 {
      coalitions += all.map { left in
        Coalition(players: all.filter { $0 != left }, permutation: nil, order: [])
      }
    }
    if count > 1 { coalitions.append(Coalition(players: all, permutation: nil, order: [])) }
    guard count > 3 else { return coalitions }
    var order = all
    for number in 0..<orders {
      let isReverse = orders > 2 && !number.isMultiple(of: 2)
      if isReverse { order.reverse() } else { random.shuffle(&order) }
      for size in 2...(count - 2) {
        coalitions.append(
          Coalition(players: order.prefix(size).sorted(), permutation: number, order: order))
      }
    }
    return coalitions
  }
}
