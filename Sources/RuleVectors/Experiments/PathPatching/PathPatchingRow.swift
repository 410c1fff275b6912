import TensorCore

/// One class of paths of one set of senders, with the receivers where the class has them.
public struct PathPatchingRow: ResultRow, Equatable {
  let donor: Donor
  let path: PathClass
  let senders: HeadSet
  let receivers: HeadSet?
  var outcome: Outcome

  init(
    donor: Donor, path: PathClass, senders: HeadSet, receivers: HeadSet? = nil, outcome: Outcome
  ) {
    self.donor = donor
    self.path = path
    self.senders = senders
    self.receivers = receivers
    self.outcome = outcome
  }

  public init(_ columns: Columns) throws {
    func heads(_ name: String) throws -> HeadSet? {
      guard let first = try columns.integerIfThere("first_\(name)_layer") else { return nil }
      let last = max(first, try columns.integer("last_\(name)_layer"))
      return HeadSet(first...last, head: try columns.integerIfThere("\(name)_head"))
    }
    guard let senders = try heads("sender") else {
      throw UserError(
        "the row names no senders", at: "first_sender_layer",
        remedy: "the row is of another version; run the same command with --again")
    }
    self.init(
      donor: try columns.word("donor"), path: try columns.word("path"), senders: senders,
      receivers: try heads("receiver"), outcome: try Outcome(columns))
  }

  public var columns: [(key: String, value: JSONValue)] {
    func heads(_ name: String, _ set: HeadSet?) -> [(key: String, value: JSONValue)] {
      [
        ("first_\(name)_layer", set.map { .integer($0.layers.lowerBound) } ?? .null),
        ("last_\(name)_layer", set.map { .integer($0.layers.upperBound) } ?? .null),
        ("\(name)_head", set?.head.map(JSONValue.integer) ?? .null),
      ]
    }
    return [
      ("donor", .string(donor.rawValue)), ("recipient", "flipped-rule"),
      ("path", .string(path.rawValue)),
    ] + heads("sender", senders) + heads("receiver", receivers) + outcome.columns
  }
}
