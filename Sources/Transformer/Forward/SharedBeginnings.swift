import TensorCore

/// Which requests begin alike, and so share rows.
///
/// A row depends on the tokens and interventions at its own and earlier positions only. Where two
/// requests agree in both up to some position, the rows before it are the same, and one of the two
/// computes them for both. In an order that puts like beginnings together, each request shares as much
/// with the one before it as with any earlier one.
struct SharedBeginnings {
  /// Indices of the requests, like beginnings together.
  let order: [Int]
  /// How many positions each, in that order, leaves to the one before it.
  let shared: [Int]

  /// Requests that start at the same block go together: their rows live through the same layers.
  ///
  /// - Parameter regimes: requests of different numbers share nothing.
  init(_ requests: [ForwardRequest], plans: [RowPlan], regimes: [Int]) {
    let beginnings = requests.map(Beginning.init)
    let order = requests.indices.sorted { a, b in
      if regimes[a] != regimes[b] { return regimes[a] < regimes[b] }
      if plans[a].firstLayer != plans[b].firstLayer {
        return plans[a].firstLayer < plans[b].firstLayer
      }
      if beginnings[a].keys != beginnings[b].keys {
        return beginnings[a].keys.lexicographicallyPrecedes(beginnings[b].keys)
      }
      return a < b
    }
    self.order = order
    shared = order.indices.map { index in
      guard index > 0 else { return 0 }
      let (before, this) = (order[index - 1], order[index])
      guard regimes[this] == regimes[before],
        beginnings[this].keys.first == beginnings[before].keys.first
      else { return 0 }
      return Self.shared(
        requests[this], plans[this], beginnings[this], with: requests[before], plans[before],
        beginnings[before])
    }
  }

  /// Positions whose rows `previous` computes for `request` too.
  private static func shared(
    _ request: ForwardRequest, _ plan: RowPlan, _ beginning: Beginning,
    with previous: ForwardRequest, _ previousPlan: RowPlan, _ previousBeginning: Beginning
  ) -> Int {
    guard request.base === previous.base, !request.keepsRun, !request.extendsBase else { return 0 }
    var count = 0
    let most = min(request.tokens.count, previous.tokens.count, beginning.firstRead)
    while count < most, beginning.keys[count] == previousBeginning.keys[count],
      request.tokens[count] == previous.tokens[count],
      beginning.equals(previousBeginning, at: count)
    {
      count += 1
    }
    return plan.covers(previousPlan, before: count) ? count : 0
  }
}

/// What a request's rows depend on, position by position.
private struct Beginning {
  /// A digest of each position's token and interventions: an order, not yet a proof of equality.
  let keys: [UInt64]
  /// First position that the request itself reads something of.
  let firstRead: Int
  private let interventions: [Intervention]
  /// For each position the interventions on it, and which of its positions it is.
  private let touching: [Int: [(intervention: Int, index: Int)]]

  init(_ request: ForwardRequest) {
    interventions = request.interventions
    var touching: [Int: [(intervention: Int, index: Int)]] = [:]
    for (number, intervention) in request.interventions.enumerated() {
      for (index, position) in intervention.touchedPositions.enumerated() {
        touching[position, default: []].append((number, index))
      }
    }
    self.touching = touching
    keys = request.tokens.indices.map { position in
      var digest = Digest()
      digest.add(UInt64(truncatingIfNeeded: request.tokens[position]))
      for (number, index) in touching[position] ?? [] {
        request.interventions[number].digest(index, into: &digest)
      }
      return digest.value
    }
    let read =
      request.recordings.map { $0.positions?.first ?? 0 }
      + (request.logits.positions ?? [request.tokens.count - 1])
    firstRead = read.min() ?? request.tokens.count
  }

  /// Whether the interventions at `position` are the same.
  func equals(_ other: Beginning, at position: Int) -> Bool {
    let (mine, theirs) = (touching[position] ?? [], other.touching[position] ?? [])
    return mine.count == theirs.count
      && zip(mine, theirs).allSatisfy { mine, theirs in
        interventions[mine.intervention].equals(
          mine.index, other.interventions[theirs.intervention], theirs.index)
      }
  }
}

/// A digest of 64 bits, the same in every process (FNV-1a, a word at a time).
private struct Digest {
  private(set) var value: UInt64 = 0xCBF2_9CE4_8422_2325

  mutating func add(_ word: UInt64) {
    value = (value ^ word) &* 0x100_0000_01B3
    value ^= value >> 29
  }
}

extension Intervention {
  /// - Parameter index: which of the touched positions.
  fileprivate func digest(_ index: Int, into digest: inout Digest) {
    switch self {
    case .edit(let edit):
      digest.add(UInt64(truncatingIfNeeded: edit.hook.layer ?? -1))
      switch edit.change {
      case .replace(let source), .add(let source):
        source.withRow(index) { row in
          // A few values tell rows apart; equality is checked in full.
          for column in stride(from: 0, to: row.count, by: max(row.count / 16, 1)) {
            digest.add(UInt64(row[column].bitPattern))
          }
        }
      case .scale(let factor): digest.add(UInt64(factor.bitPattern))
      case .zero: digest.add(1)
      }
    case .knockout(let edges):
      for key in edges.keys { digest.add(UInt64(truncatingIfNeeded: key) | 1 << 32) }
    }
  }

  /// Whether this does to its position number `index` what `other` does to number `otherIndex`.
  fileprivate func equals(_ index: Int, _ other: Intervention, _ otherIndex: Int) -> Bool {
    switch (self, other) {
    case (.edit(let a), .edit(let b)):
      guard a.hook == b.hook, a.heads == b.heads else { return false }
      switch (a.change, b.change) {
      case (.replace(let x), .replace(let y)), (.add(let x), .add(let y)):
        return x.withRow(index) { row in
          y.withRow(otherIndex) { other in
            row.count == other.count
              && zip(row, other).allSatisfy { $0.bitPattern == $1.bitPattern }
          }
        }
      case (.scale(let x), .scale(let y)): return x.bitPattern == y.bitPattern
      case (.zero, .zero): return true
      default: return false
      }
    case (.knockout(let a), .knockout(let b)):
      return a.layers == b.layers && a.heads == b.heads && a.keys == b.keys
    default: return false
    }
  }
}

extension RowSource {
  /// Reads the row of the edit's position number `index`.
  fileprivate func withRow<Result>(
    _ index: Int, _ body: (UnsafeBufferPointer<Float>) -> Result
  ) -> Result {
    tensor.withPointer {
      body(UnsafeBufferPointer(start: $0 + rows[index] * tensor.columns, count: tensor.columns))
    }
  }
}

extension RowPlan {
  /// Whether `previous` computes every key and value of positions below `count` that this does; false
  /// where this computes none, and so has nothing to share.
  fileprivate func covers(_ previous: RowPlan, before count: Int) -> Bool {
    let beginning = Positions.range(0..<count)
    var computes = false
    for (mine, theirs) in zip(keyValue, previous.keyValue) {
      let wanted = mine.intersection(beginning)
      guard wanted == theirs.intersection(beginning) else { return false }
      computes = computes || !wanted.isEmpty
    }
    return computes
  }

  /// The plan without the rows of positions below `count`, which another request computes.
  func dropping(before count: Int) -> RowPlan {
    guard count > 0 else { return self }
    var plan = self
    let rest = Positions.range(count..<Int.max)
    plan.state = state.map { $0.intersection(rest) }
    plan.keyValue = keyValue.map { $0.intersection(rest) }
    plan.full = full.map { $0.intersection(rest) }
    return plan
  }
}
