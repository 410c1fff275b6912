import Reports
import TensorCore

/// One episode as a cooperative game: what every measured set of players brings, in logits, towards
/// the run that values come from.
struct Game: Sendable {
  let players: Int
  /// Distance between the two runs: what bringing everything would be.
  let span: Double
  private let values: [[Int]: Double]
  /// Orders in which players join.
  private let orders: [[Int]]

  /// Nil where a needed set is missing.
  init?(_ rows: [AggregationRow]) {
    guard let first = rows.first else { return nil }
    let forward = first.direction == .donorIntoRecipient
    let start = Double(forward ? first.outcome.recipient : first.outcome.donor)
    let sign: Double = forward ? 1 : -1
    let players = rows.map { $0.coalition.players.count }.max() ?? 0
    guard players > 1 else { return nil }
    self.players = players
    span = Double(first.outcome.donor) - Double(first.outcome.recipient)
    var values: [[Int]: Double] = [[]: 0]
    var orders: [Int: [Int]] = [:]
    for row in rows {
      values[row.coalition.players] =
        sign * (Double(row.outcome.patched.logitDifference) - start)
      if let number = row.coalition.permutation { orders[number] = row.coalition.order }
    }
    self.values = values
    guard players <= 3 || !orders.isEmpty else { return nil }
    let all = Array(0..<players)
    self.orders =
      orders.isEmpty ? Self.permutations(of: all) : orders.sorted { $0.key < $1.key }.map(\.value)
    for order in self.orders {
      for size in 0...players where values[order.prefix(size).sorted()] == nil { return nil }
    }
    for player in all where values[[player]] == nil || values[all.filter { $0 != player }] == nil {
      return nil
    }
  }

  private func value(_ players: some Collection<Int>) -> Double { values[players.sorted()] ?? .nan }

  /// What all players bring together.
  var joint: Double { value(0..<players) }
  /// What each brings alone.
  var alone: [Double] { (0..<players).map { value([$0]) } }
  /// What is lost without each.
  var lost: [Double] {
    (0..<players).map { left in joint - value((0..<players).filter { $0 != left }) }
  }

  /// What k players bring, k = 0…n: over all of them where one or all but one are taken, else over the
  /// orders, whose beginnings are random sets.
  var doses: [Double] {
    (0...players).map { size in
      switch size {
      case 0: 0
      case 1: mean(alone)
      case players - 1: joint - mean(lost)
      default: mean(orders.map { value($0.prefix(size)) })
      }
    }
  }

  /// Each player's mean marginal contribution over some of the orders: Shapley's value, estimated by
  /// sampling orders (Castro, Gómez and Tejada 2009). The values of each order sum to `joint`.
  func shapley(_ numbers: Range<Int>) -> [Double] {
    var sums = [Double](repeating: 0, count: players)
    for order in orders[numbers] {
      var before = 0.0
      for (index, player) in order.enumerated() {
        let after = value(order.prefix(index + 1))
        sums[player] += after - before
        before = after
      }
    }
    return sums.map { $0 / Double(numbers.count) }
  }

  var shapley: [Double] { shapley(0..<orders.count) }

  /// Estimates from two separate halves of the orders; nil where the values are exact.
  ///
  /// What is chosen or squared with one half is measured with the other: the product of both has no
  /// bias by noise, where the square of one would.
  var halves: (first: [Double], second: [Double])? {
    guard players > 3, orders.count > 1 else { return nil }
    // An order and its reverse stay together where there are several.
    let half = orders.count == 2 ? 1 : orders.count / 4 * 2
    guard half > 0 else { return nil }
    return (shapley(0..<half), shapley(half..<orders.count))
  }

  /// Standard error of a player's value by sampling orders, pooled over players; 0 where exact.
  var samplingError: Double {
    guard let (first, second) = halves else { return 0 }
    // Half the difference of two halves has the error of their mean.
    let squares = zip(first, second).map { ($0 - $1) * ($0 - $1) / 4 }
    return mean(squares).squareRoot()
  }

  /// The value of the player that one half of the orders finds best, in the other half; mean of both
  /// ways.
  var bestPlayer: Double {
    guard let (first, second) = halves else { return shapley.max() ?? .nan }
    func measured(_ chosen: [Double], _ by: [Double]) -> Double {
      by[chosen.indices.max { chosen[$0] < chosen[$1] } ?? 0]
    }
    return (measured(first, second) + measured(second, first)) / 2
  }

  /// Σ φ², without the bias of noise.
  var sumOfSquares: Double {
    let (first, second) = halves ?? (shapley, shapley)
    return zip(first, second).reduce(0) { $0 + $1.0 * $1.1 }
  }

  private func mean(_ values: [Double]) -> Double {
    values.reduce(0, +) / Double(max(values.count, 1))
  }

  private static func permutations(of elements: [Int]) -> [[Int]] {
    guard elements.count > 1 else { return [elements] }
    return elements.flatMap { first in
      permutations(of: elements.filter { $0 != first }).map { [first] + $0 }
    }
  }
}
