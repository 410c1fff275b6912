import TensorCore

/// One class of edges, or its control, cut in a window of layers of the clean run.
public struct KnockoutRow: ResultRow, Equatable {
  let edges: EdgeClass
  /// Whether as many other edges of the same queries were cut instead.
  let isControl: Bool
  /// First and last layer of the window.
  let layers: ClosedRange<Int>
  /// How many edges.
  let count: Int
  let clean: Measurement
  var cut: Measurement

  init(
    edges: EdgeClass, isControl: Bool, layers: ClosedRange<Int>, count: Int, clean: Measurement,
    cut: Measurement
  ) {
    self.edges = edges
    self.isControl = isControl
    self.layers = layers
    self.count = count
    self.clean = clean
    self.cut = cut
  }

  /// What cutting costs, in logits.
  var loss: Double { Double(clean.logitDifference) - Double(cut.logitDifference) }

  public init(_ columns: Columns) throws {
    let first = try columns.integer("first_layer")
    self.init(
      edges: try columns.word("edges"), isControl: try columns.bool("control"),
      layers: first...max(first, try columns.integer("last_layer")),
      count: try columns.integer("edge_count"),
      clean: Measurement(
        logitDifference: Float(try columns.number("logit_difference_clean")),
        probability: Float(try columns.number("probability_clean")),
        isTop: try columns.bool("top_clean"),
        isRight: try columns.boolIfThere("right_clean")), cut: try Measurement(columns))
  }

  public var columns: [(key: String, value: JSONValue)] {
    [
      ("edges", .string(edges.rawValue)), ("control", .bool(isControl)),
      ("first_layer", .integer(layers.lowerBound)), ("last_layer", .integer(layers.upperBound)),
      ("edge_count", .integer(count)),
    ] + cut.columns + [
      ("logit_difference_clean", .number(Double(clean.logitDifference))),
      ("probability_clean", .number(Double(clean.probability))), ("top_clean", .bool(clean.isTop)),
      ("right_clean", .bool(clean.isRight)),
    ]
  }
}
