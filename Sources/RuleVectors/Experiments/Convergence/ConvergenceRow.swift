import TensorCore

/// Cosines after one layer of one episode's pairs of a kind.
public struct ConvergenceRow: ResultRow, Equatable {
  let pairs: Convergence.Pairs
  /// What the rule is held against: "flipped", or the name of another knowledge task; nil for nothing.
  let otherRule: String?
  let layer: Int
  /// Of whole vectors.
  var whole: VectorCosines
  /// Without the coordinates of the largest mean square.
  var rest: VectorCosines
  /// Their share of the local vectors' squared length.
  let largestShare: Double

  init(
    pairs: Convergence.Pairs, otherRule: String?, layer: Int, whole: VectorCosines,
    rest: VectorCosines, largestShare: Double
  ) {
    self.pairs = pairs
    self.otherRule = otherRule
    self.layer = layer
    self.whole = whole
    self.rest = rest
    self.largestShare = largestShare
  }

  public init(_ columns: Columns) throws {
    func cosines(_ suffix: String) throws -> VectorCosines {
      var cosines = VectorCosines([], left: [[]], right: [[]])
      cosines.within = try columns.numberIfThere("cosine_within\(suffix)")
      cosines.between = try columns.numberIfThere("cosine_between\(suffix)")
      cosines.centred = try columns.numberIfThere("cosine_centred\(suffix)")
      return cosines
    }
    self.init(
      pairs: try columns.word("pairs"), otherRule: try columns.textIfThere("other_rule"),
      layer: try columns.integer("layer"),
      whole: try cosines("_whole"), rest: try cosines(""),
      largestShare: try columns.number("largest_coordinates_share"))
  }

  public var columns: [(key: String, value: JSONValue)] {
    func columns(_ cosines: VectorCosines, _ suffix: String) -> [(key: String, value: JSONValue)] {
      [
        ("cosine_within", cosines.within), ("cosine_between", cosines.between),
        ("cosine_centred", cosines.centred),
      ].map { ($0.0 + suffix, $0.1.map(JSONValue.number) ?? .null) }
    }
    let own: [(key: String, value: JSONValue)] = [
      ("pairs", .string(pairs.rawValue)), ("other_rule", otherRule.map(JSONValue.string) ?? .null),
      ("positions", "answers"), ("layer", .integer(layer)),
    ]
    return own + columns(rest, "") + columns(whole, "_whole")
      + [("largest_coordinates_share", .number(largestShare))]
  }
}
