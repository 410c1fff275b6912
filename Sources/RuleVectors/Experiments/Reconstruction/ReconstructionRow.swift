import TensorCore

/// A vector, as it is or put together from parts, put at the last position of the prompt without
/// demonstrations after one layer.
public struct ReconstructionRow: ResultRow, Equatable {
  /// Nil for the vector behind all demonstrations itself.
  let parts: ReconstructionParts?
  /// Whether all is under the flipped rule. Right and wrong stay those of the episode's own rule.
  let isFlipped: Bool
  let layer: Int
  let fit: Fit?
  var outcome: Outcome

  /// How well the parts give the vector.
  struct Fit: Sendable, Equatable {
    /// Squared distance of the vector from the development mean, and from its reconstruction, without
    /// the coordinates that are left out.
    let total: Double
    let residual: Double
    /// The same with all coordinates.
    let totalWhole: Double
    let residualWhole: Double
    /// Of development episodes, by part.
    let coefficients: [Double]
  }

  init(
    parts: ReconstructionParts?, isFlipped: Bool, layer: Int, fit: Fit?, outcome: Outcome
  ) {
    self.parts = parts
    self.isFlipped = isFlipped
    self.layer = layer
    self.fit = fit
    self.outcome = outcome
  }

  public init(_ columns: Columns) throws {
    let parts: ReconstructionParts? =
      try columns.textIfThere("parts") == nil ? nil : columns.word("parts")
    self.init(
      parts: parts, isFlipped: try columns.text("rule") == "flipped",
      layer: try columns.integer("layer"),
      fit: parts == nil
        ? nil
        : Fit(
          total: try columns.number("total"), residual: try columns.number("residual"),
          totalWhole: try columns.number("total_whole"),
          residualWhole: try columns.number("residual_whole"),
          coefficients: try columns.numbers("coefficients")),
      outcome: try Outcome(columns))
  }

  public var columns: [(key: String, value: JSONValue)] {
    func number(_ value: Double?) -> JSONValue { value.map(JSONValue.number) ?? .null }
    return [
      ("parts", parts.map { .string($0.rawValue) } ?? .null),
      ("rule", .string(isFlipped ? "flipped" : "own")), ("recipient", "zero-shot"),
      ("positions", "last"), ("layer", .integer(layer)),
      ("total", number(fit?.total)), ("residual", number(fit?.residual)),
      ("total_whole", number(fit?.totalWhole)), ("residual_whole", number(fit?.residualWhole)),
      ("coefficients", fit.map { .flat(values: $0.coefficients) } ?? .null),
    ] + outcome.columns
  }
}
