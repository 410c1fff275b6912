import TensorCore

/// The vectors of all slots, or of one, taken behind some predecessors and put after one layer.
public struct SequenceRow: ResultRow, Equatable {
  let donor: Donor
  let predecessors: Predecessors
  /// The only slot that is patched; nil for all together.
  let slot: Int?
  /// Block whose output is patched.
  let layer: Int
  /// Mean distance between the positions where vectors are taken and where they are put, in tokens.
  let shift: Double
  /// By the donor's vectors.
  var outcome: Outcome
  /// Logit difference by the vectors of the flipped rule, taken alike.
  var flipped: Float

  /// Half the difference between the vectors of both rules.
  var bothRules: Outcome {
    var outcome = outcome
    outcome.flipped = Outcome.Counterpart(patched: flipped, donor: outcome.recipient)
    return outcome
  }

  init(
    donor: Donor, predecessors: Predecessors, slot: Int?, layer: Int, shift: Double,
    outcome: Outcome, flipped: Float
  ) {
    self.donor = donor
    self.predecessors = predecessors
    self.slot = slot
    self.layer = layer
    self.shift = shift
    self.outcome = outcome
    self.flipped = flipped
  }

  public init(_ columns: Columns) throws {
    self.init(
      donor: try columns.word("donor"), predecessors: try columns.word("predecessors"),
      slot: try columns.integerIfThere("slot"), layer: try columns.integer("layer"),
      shift: try columns.number("position_shift"), outcome: try Outcome(columns),
      flipped: Float(try columns.number("logit_difference_flipped")))
  }

  public var columns: [(key: String, value: JSONValue)] {
    [
      ("donor", .string(donor.rawValue)), ("predecessors", .string(predecessors.rawValue)),
      ("recipient", "flipped-rule"), ("positions", "answers"),
      ("slot", slot.map(JSONValue.integer) ?? .null), ("layer", .integer(layer)),
      ("position_shift", .number(shift)),
    ] + outcome.columns + [("logit_difference_flipped", .number(Double(flipped)))]
  }
}
