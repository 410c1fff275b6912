import TensorCore

/// One coalition of players patched after one layer.
public struct AggregationRow: ResultRow, Equatable {
  let donor: Donor
  let direction: Direction
  let layer: Int
  let coalition: Coalition
  /// Demonstrations whose answer positions are patched, ascending.
  let slots: [Int]
  var outcome: Outcome

  init(
    donor: Donor, direction: Direction, layer: Int, coalition: Coalition, slots: [Int],
    outcome: Outcome
  ) {
    self.donor = donor
    self.direction = direction
    self.layer = layer
    self.coalition = coalition
    self.slots = slots
    self.outcome = outcome
  }

  public init(_ columns: Columns) throws {
    self.init(
      donor: try columns.word("donor"), direction: try columns.word("direction"),
      layer: try columns.integer("layer"),
      coalition: Coalition(
        players: try columns.integers("players"),
        permutation: try columns.integerIfThere("permutation"),
        order: try columns.integers("order")),
      slots: try columns.integers("demonstrations"), outcome: try Outcome(columns))
  }

  public var columns: [(key: String, value: JSONValue)] {
    [
      ("donor", .string(donor.rawValue)), ("recipient", "flipped-rule"),
      ("direction", .string(direction.rawValue)), ("layer", .integer(layer)),
      ("count", .integer(coalition.players.count)), ("players", .flat(coalition.players)),
      ("permutation", coalition.permutation.map(JSONValue.integer) ?? .null),
      ("order", .flat(coalition.order)), ("demonstrations", .flat(slots)),
    ] + outcome.columns
  }
}
