import Reports
import TensorCore

/// One line of a decoding probe: a slot of an episode, a patch, or a figure of all episodes at one
/// layer.
public enum DecodingRow: ResultRow, Equatable {
  case slot(DecodingSlot)
  case patch(LayerSweepRow)
  case figure(DecodingFigure)

  private enum Kind: String, CaseIterable { case slot, patch, figure }

  public init(_ columns: Columns) throws {
    switch try columns.word("row") as Kind {
    case .slot: self = .slot(try DecodingSlot(columns))
    case .patch: self = .patch(try LayerSweepRow(columns))
    case .figure: self = .figure(try DecodingFigure(columns))
    }
  }

  public var columns: [(key: String, value: JSONValue)] {
    switch self {
    case .slot(let slot): [("row", .string(Kind.slot.rawValue))] + slot.columns
    case .patch(let patch): [("row", .string(Kind.patch.rawValue))] + patch.columns
    case .figure(let figure): [("row", .string(Kind.figure.rawValue))] + figure.columns
    }
  }
}

/// What one demonstration of an episode shows: the key to the rows of its stored activations.
public struct DecodingSlot: Sendable, Equatable {
  let form: String
  let slot: Int
  let input: String
  let category: String
  /// Under the episode's own rule; the flipped prompt shows the other one.
  let label: String
  /// +1 where the class that comes first in the design has the label that comes first in the task.
  let rule: Int

  init(form: String, slot: Int, input: String, category: String, label: String, rule: Int) {
    self.form = form
    self.slot = slot
    self.input = input
    self.category = category
    self.label = label
    self.rule = rule
  }

  init(_ columns: Columns) throws {
    self.init(
      form: try columns.text("form"), slot: try columns.integer("slot"),
      input: try columns.text("input"), category: try columns.text("category"),
      label: try columns.text("label"), rule: try columns.integer("rule"))
  }

  var columns: [(key: String, value: JSONValue)] {
    [
      ("form", .string(form)), ("slot", .integer(slot)), ("input", .string(input)),
      ("category", .string(category)), ("label", .string(label)), ("rule", .integer(rule)),
    ]
  }
}

/// A figure of all episodes of a split at one layer.
public struct DecodingFigure: Sendable, Equatable {
  enum Measure: String, Sendable, CaseIterable {
    /// Share of forced choices that are right.
    case accuracy
    /// Rank correlation of distances between bindings of classes to labels in two forms.
    case similarity
    /// Share of the variance of all vectors.
    case variance
    /// Share of the leading demixed axis' variance that belongs to its own marginalisation.
    case demixed
  }

  var measure: Measure
  var positions: PositionGroup
  /// −1 for the embeddings.
  var layer: Int
  /// A target, a marginalisation, or a kind of similarity.
  var target: String
  var heldOut: DecodingDesign.HeldOut?
  /// How it was fitted: `ridge` or `logistic`.
  var decoder: String?
  /// The surface form that was fitted to or compared, and the one that was tested.
  var trained: String
  var tested: String
  /// Of a figure of one slot alone.
  var slot: Int?
  var interval: Interval
  /// What the middle 95 % of permutations lie between.
  var chanceLow: Double?
  var chanceHigh: Double?
  var pValue: Double?
  /// Episodes.
  var count: Int

  init(
    _ measure: Measure, at positions: PositionGroup, layer: Int, target: String,
    heldOut: DecodingDesign.HeldOut? = nil, decoder: String? = nil, trained: String,
    tested: String, slot: Int? = nil, interval: Interval,
    chance: (pValue: Double, low: Double, high: Double)? = nil, pValue: Double? = nil, count: Int
  ) {
    self.measure = measure
    self.positions = positions
    self.layer = layer
    self.target = target
    self.heldOut = heldOut
    self.decoder = decoder
    self.trained = trained
    self.tested = tested
    self.slot = slot
    self.interval = interval
    chanceLow = chance?.low
    chanceHigh = chance?.high
    self.pValue = chance?.pValue ?? pValue
    self.count = count
  }

  init(_ columns: Columns) throws {
    func bound(_ name: String, _ missing: Double) throws -> Double {
      try columns.numberIfThere(name) ?? missing
    }
    self.init(
      try columns.word("measure"), at: try columns.word("positions"),
      layer: try columns.integer("layer"), target: try columns.text("target"),
      heldOut: try columns.textIfThere("held_out") == nil ? nil : columns.word("held_out"),
      decoder: try columns.textIfThere("decoder"), trained: try columns.text("trained_on"),
      tested: try columns.text("tested_on"), slot: try columns.integerIfThere("slot"),
      interval: Interval(
        estimate: try bound("mean", .nan), low: try bound("low", -.infinity),
        high: try bound("high", .infinity), level: 0.95),
      pValue: try columns.numberIfThere("p"), count: try columns.integer("episodes"))
    chanceLow = try columns.numberIfThere("chance_low")
    chanceHigh = try columns.numberIfThere("chance_high")
  }

  var columns: [(key: String, value: JSONValue)] {
    func number(_ value: Double?) -> JSONValue {
      value.flatMap { $0.isFinite ? .number($0) : nil } ?? .null
    }
    return [
      ("measure", .string(measure.rawValue)), ("positions", .string(positions.rawValue)),
      ("layer", .integer(layer)), ("target", .string(target)),
      ("held_out", heldOut.map { .string($0.rawValue) } ?? .null),
      ("decoder", decoder.map(JSONValue.string) ?? .null), ("trained_on", .string(trained)),
      ("tested_on", .string(tested)), ("slot", slot.map(JSONValue.integer) ?? .null),
      ("mean", number(interval.estimate)), ("low", number(interval.low)),
      ("high", number(interval.high)), ("chance_low", number(chanceLow)),
      ("chance_high", number(chanceHigh)), ("p", number(pValue)), ("episodes", .integer(count)),
    ]
  }
}
