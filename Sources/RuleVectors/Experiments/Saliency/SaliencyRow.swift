import TensorCore

/// One class of attention edges in one layer, or, where it was cut, in a window of layers.
public struct SaliencyRow: ResultRow, Equatable {
  /// Nil for all edges that belong to none of the classes.
  let edges: EdgeClass?
  let layers: ClosedRange<Int>
  /// Mean over the edges and layers of |Σ over heads A · ∂L/∂A|, in nats.
  let saliency: Double
  /// What cutting costs in logits, by gradients; nil for the rest.
  let estimate: Double?
  /// What it does cost; nil where it was not done.
  var loss: Double?
  /// Logit difference of the clean run.
  let clean: Double

  init(
    edges: EdgeClass?, layers: ClosedRange<Int>, saliency: Double, estimate: Double?,
    loss: Double?, clean: Double
  ) {
    self.edges = edges
    self.layers = layers
    self.saliency = saliency
    self.estimate = estimate
    self.loss = loss
    self.clean = clean
  }

  public init(_ columns: Columns) throws {
    let first = try columns.integer("first_layer")
    let edges = try columns.textIfThere("edges")
    self.init(
      edges: edges == nil ? nil : try columns.word("edges"),
      layers: first...max(first, try columns.integer("last_layer")),
      saliency: try columns.number("saliency"), estimate: try columns.numberIfThere("estimate"),
      loss: try columns.numberIfThere("logits_lost"),
      clean: try columns.number("logit_difference_clean"))
  }

  public var columns: [(key: String, value: JSONValue)] {
    [
      ("edges", edges.map { .string($0.rawValue) } ?? .null),
      ("first_layer", .integer(layers.lowerBound)), ("last_layer", .integer(layers.upperBound)),
      ("saliency", .number(saliency)), ("estimate", estimate.map(JSONValue.number) ?? .null),
      ("logits_lost", loss.map(JSONValue.number) ?? .null),
      ("logit_difference_clean", .number(clean)),
    ]
  }
}
