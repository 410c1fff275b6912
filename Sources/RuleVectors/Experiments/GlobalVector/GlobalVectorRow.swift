import TensorCore

/// One vector after one layer of one recipient; or, without a layer, the recipient unpatched; or,
/// without a recipient, the prompt with its demonstrations.
public struct GlobalVectorRow: ResultRow, Equatable {
  let recipient: GlobalVector.Recipient?
  let form: GlobalVector.Form?
  /// Whether donors follow the flipped rule. Right and wrong stay those of the episode's own rule.
  let isFlipped: Bool
  let layer: Int?
  var outcome: Outcome

  init(
    recipient: GlobalVector.Recipient?, form: GlobalVector.Form?, isFlipped: Bool, layer: Int?,
    outcome: Outcome
  ) {
    self.recipient = recipient
    self.form = form
    self.isFlipped = isFlipped
    self.layer = layer
    self.outcome = outcome
  }

  public init(_ columns: Columns) throws {
    self.init(
      recipient: try columns.textIfThere("recipient") == nil ? nil : columns.word("recipient"),
      form: try columns.textIfThere("form") == nil ? nil : columns.word("form"),
      isFlipped: try columns.text("rule") == "flipped",
      layer: try columns.integerIfThere("layer"), outcome: try Outcome(columns))
  }

  public var columns: [(key: String, value: JSONValue)] {
    [
      ("recipient", recipient.map { .string($0.rawValue) } ?? .null),
      ("form", form.map { .string($0.rawValue) } ?? .null),
      ("rule", .string(isFlipped ? "flipped" : "own")), ("positions", "last"),
      ("layer", layer.map(JSONValue.integer) ?? .null),
    ] + outcome.columns
  }
}
