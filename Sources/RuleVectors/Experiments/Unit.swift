import TensorCore

/// The stable address of a piece of work: the same in every run, process and order.
///
/// As text `probe/task/split/episode`, with `/part` behind it where a probe does several things with
/// one episode.
public struct UnitKey: Hashable, Sendable, CustomStringConvertible {
  public let probe: String
  /// Name of the task or of the file of pairs.
  public let task: String
  public let split: Split
  /// The episode, or the first of several.
  public let episode: Int
  public let part: String?

  public init(probe: String, task: String, split: Split, episode: Int, part: String? = nil) {
    self.probe = probe
    self.task = task
    self.split = split
    self.episode = episode
    self.part = part
  }

  public var description: String {
    "\(probe)/\(task)/\(split.rawValue)/\(episode)" + (part.map { "/\($0)" } ?? "")
  }

  /// A stream of random numbers of the unit's own: whoever computes the unit draws the same.
  func stream(seed: UInt64, purpose: UInt64) -> RandomStream {
    // FNV-1a of the address.
    let digest = description.utf8.reduce(0xCBF2_9CE4_8422_2325 as UInt64) {
      ($0 ^ UInt64($1)) &* 0x100_0000_01B3
    }
    return RandomStream(seed: seed, path: [purpose, digest])
  }
}

/// A piece of work whose rows are computed and written together.
///
/// A unit depends on nothing but the run's setting and the rows of the units that it names.
public struct Unit: Sendable {
  public let key: UnitKey
  /// Kind of the experiment, and version of what its rows mean.
  public let experiment: String
  public let version: Int
  /// Units whose rows this one reads; they come before it.
  public let needs: [UnitKey]
  /// Row-layers that the unit is expected to compute: for time left, not for results.
  public let cost: Int
  /// Draws what the unit will draw, so that a task with too few items is known before the first
  /// forward pass.
  let check: @Sendable (Laboratory) throws -> Void
  let compute: @Sendable (Laboratory, NeededRows) throws -> [any ResultRow]

  init<Kind: RowKind>(
    _ kind: Kind.Type, _ key: UnitKey, needs: [UnitKey] = [], cost: Int,
    check: @escaping @Sendable (Laboratory) throws -> Void = { _ in },
    compute: @escaping @Sendable (Laboratory, NeededRows) throws -> [Kind.Row]
  ) {
    self.key = key
    experiment = kind.kind
    version = kind.version
    self.needs = needs
    self.cost = cost
    self.check = check
    self.compute = { try compute($0, $1) }
  }
}

/// The rows of the units that a unit named.
public struct NeededRows: Sendable {
  let rows: [UnitKey: [StoredRow]]

  /// Rows of `keys`, in their order.
  ///
  /// - Throws: `UserError` where a unit has none: it was not computed before.
  func rows<Row: ResultRow>(of keys: [UnitKey], as type: Row.Type = Row.self) throws -> [Row] {
    try keys.flatMap { key -> [Row] in
      guard let stored = rows[key], !stored.isEmpty else {
        throw UserError(
          "the unit \(key) is not there, and others wait for it",
          remedy: "run the same command again")
      }
      return try stored.map { try Row($0.columns) }
    }
  }
}
