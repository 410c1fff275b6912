import TensorCore

/// One head or one vector put into one recipient; or, without a form, the recipient unpatched; or,
/// without a recipient, the prompt with its demonstrations.
public struct FunctionVectorRow: ResultRow, Equatable {
  let recipient: FunctionVector.Recipient?
  let form: FunctionVector.Form?
  /// Whether donors follow the flipped rule. Right and wrong stay those of the episode's own rule.
  let isFlipped: Bool
  let layer: Int?
  let head: Int?
  var outcome: Outcome

  init(
    recipient: FunctionVector.Recipient?, form: FunctionVector.Form?, isFlipped: Bool,
    layer: Int? = nil, head: Int? = nil, outcome: Outcome
  ) {
    self.recipient = recipient
    self.form = form
    self.isFlipped = isFlipped
    self.layer = layer
    self.head = head
    self.outcome = outcome
  }

  public init(_ columns: Columns) throws {
    self.init(
      recipient: try columns.textIfThere("recipient") == nil ? nil : columns.word("recipient"),
      form: try columns.textIfThere("form") == nil ? nil : columns.word("form"),
      isFlipped: try columns.text("rule") == "flipped",
      layer: try columns.integerIfThere("layer"), head: try columns.integerIfThere("head"),
      outcome: try Outcome(columns))
  }

  public var columns: [(key: String, value: JSONValue)] {
    [
      ("recipient", recipient.map { .string($0.rawValue) } ?? .null),
      ("form", form.map { .string($0.rawValue) } ?? .null),
      ("rule", .string(isFlipped ? "flipped" : "own")), ("positions", "last"),
      ("layer", layer.map(JSONValue.integer) ?? .null),
      ("head", head.map(JSONValue.integer) ?? .null),
    ] + outcome.columns
  }
}
