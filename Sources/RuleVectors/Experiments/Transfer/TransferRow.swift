import TensorCore

/// The vectors of all answer positions, taken in one format and put into another after one layer.
public struct TransferRow: ResultRow, Equatable {
  let donor: Donor
  let change: FormatChange
  /// The donor's format.
  let format: String
  /// Whether the donor follows the flipped rule, as the recipient does. Right and wrong stay those of the
  /// episode's own rule.
  let isFlipped: Bool
  let layer: Int
  /// Logit difference of the donor's own run between its own two answers.
  let own: Float
  /// Full recovery is the run of the same format under the donor's rule.
  var outcome: Outcome

  init(
    donor: Donor, change: FormatChange, format: String, isFlipped: Bool, layer: Int, own: Float,
    outcome: Outcome
  ) {
    self.donor = donor
    self.change = change
    self.format = format
    self.isFlipped = isFlipped
    self.layer = layer
    self.own = own
    self.outcome = outcome
  }

  public init(_ columns: Columns) throws {
    self.init(
      donor: try columns.word("donor"), change: try columns.word("change"),
      format: try columns.text("donor_format"),
      isFlipped: try columns.text("donor_rule") == "flipped", layer: try columns.integer("layer"),
      own: Float(try columns.number("logit_difference_own_format")), outcome: try Outcome(columns))
  }

  public var columns: [(key: String, value: JSONValue)] {
    [
      ("donor", .string(donor.rawValue)), ("change", .string(change.rawValue)),
      ("donor_format", .string(format)),
      ("donor_rule", .string(isFlipped ? "flipped" : "own")), ("recipient", "flipped-rule"),
      ("positions", "answers"), ("layer", .integer(layer)),
      ("logit_difference_own_format", .number(Double(own))),
    ] + outcome.columns
  }
}
