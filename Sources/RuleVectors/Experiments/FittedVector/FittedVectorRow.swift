import TensorCore

/// What one rule's test prompts answer, in the mean: with a vector, without one, with demonstrations.
public struct FittedVectorRow: ResultRow, Equatable {
  enum Source: String, Sendable, CaseIterable {
    case fitted
    /// The mean last-position residual of prompts with demonstrations, in place of the recipient's own.
    case mean
    /// The recipients as they are.
    case unpatched
    /// The test prompts with demonstrations.
    case demonstrations
  }

  let episode: Int
  let source: Source
  /// Nil for prompts with demonstrations.
  let form: FittedVector.Form?
  let layer: Int?
  /// Means over the prompts.
  let logitDifference: Double
  let probability: Double
  /// Shares of the prompts whose right answer beats the other candidates, and all other tokens.
  let accuracy: Double
  let topAccuracy: Double
  let prompts: Int
  /// Whether the task's rules are drawn, and not one that the model may know.
  let isDrawn: Bool
  /// Cross entropy of the prompts that a vector was fitted to, before and after.
  let fit: VectorFit.Course?

  public var ownEpisode: Int? { episode }

  init(
    episode: Int, source: Source, form: FittedVector.Form?, layer: Int?,
    measurements: [Measurement], isDrawn: Bool, fit: VectorFit.Course?
  ) {
    let count = Double(measurements.count)
    self.episode = episode
    self.source = source
    self.form = form
    self.layer = layer
    logitDifference = measurements.reduce(0) { $0 + Double($1.logitDifference) } / count
    probability = measurements.reduce(0) { $0 + Double($1.probability) } / count
    accuracy = Double(measurements.count(where: \.isRight)) / count
    topAccuracy = Double(measurements.count(where: \.isTop)) / count
    prompts = measurements.count
    self.isDrawn = isDrawn
    self.fit = fit
  }

  public init(_ columns: Columns) throws {
    episode = try columns.integer("episode")
    source = try columns.word("source")
    form = try columns.textIfThere("form") == nil ? nil : try columns.word("form")
    layer = try columns.integerIfThere("layer")
    logitDifference = try columns.number("logit_difference")
    probability = try columns.number("probability")
    accuracy = try columns.number("accuracy")
    topAccuracy = try columns.number("top_accuracy")
    prompts = try columns.integer("prompts")
    isDrawn = try columns.bool("rule_is_drawn")
    fit = try columns.numberIfThere("loss_before").flatMap { before in
      try columns.numberIfThere("loss_after").map { VectorFit.Course(before: before, after: $0) }
    }
  }

  public var columns: [(key: String, value: JSONValue)] {
    [
      ("episode", .integer(episode)), ("source", .string(source.rawValue)),
      ("form", form.map { .string($0.rawValue) } ?? .null),
      ("layer", layer.map(JSONValue.integer) ?? .null),
      ("logit_difference", .number(logitDifference)), ("probability", .number(probability)),
      ("accuracy", .number(accuracy)), ("top_accuracy", .number(topAccuracy)),
      ("prompts", .integer(prompts)), ("rule_is_drawn", .bool(isDrawn)),
      ("loss_before", fit.map { .number($0.before) } ?? .null),
      ("loss_after", fit.map { .number($0.after) } ?? .null),
    ]
  }
}
