import TensorCore
import Transformer

/// One group of positions patched after one layer.
public struct LayerSweepRow: ResultRow, Equatable {
  let donor: Donor
  let positions: PositionGroup
  /// Block whose output is patched.
  let layer: Int
  let outcome: Outcome

  init(donor: Donor, positions: PositionGroup, layer: Int, outcome: Outcome) {
    self.donor = donor
    self.positions = positions
    self.layer = layer
    self.outcome = outcome
  }

  public init(_ columns: Columns) throws {
    self.init(
      donor: try columns.word("donor"), positions: try columns.word("positions"),
      layer: try columns.integer("layer"), outcome: try Outcome(columns))
  }

  public var columns: [(key: String, value: JSONValue)] {
    [
      ("donor", .string(donor.rawValue)), ("recipient", "flipped-rule"),
      ("positions", .string(positions.rawValue)), ("layer", .integer(layer)),
    ] + outcome.columns
  }
}

extension Laboratory {
  /// Position groups patched together, layer by layer, from a donor's run into the same prompt under
  /// the flipped rule.
  func sweep(
    _ donor: Donor, _ task: RuleTask, _ index: Int, _ split: Split, groups: [PositionGroup],
    layers: [Int]
  ) throws -> [LayerSweepRow] {
    try sweep(
      donor, try pair(donor, try episode(task, index, split), task), groups: groups, layers: layers)
  }

  /// The same for runs that are there.
  func sweep(
    _ donor: Donor, _ pair: PatchedPair, groups: [PositionGroup], layers: [Int]
  ) throws -> [LayerSweepRow] {
    let cells = groups.flatMap { group in layers.map { (group: group, layer: $0) } }
    let results = try run(
      cells.map { group, layer in
        let rows = pair.donor.run.residualPost(
          layer: layer, positions: pair.donor.positions(group))
        return request(
          pair.recipient.tokens, base: pair.recipient.run,
          interventions: [Self.patch(layer, pair.recipient.positions(group), rows)],
          contrast: pair.recipient.contrast, reference: pair.donor.logProbabilities)
      })
    return try zip(cells, results).map { cell, result in
      LayerSweepRow(
        donor: donor, positions: cell.group, layer: cell.layer,
        outcome: pair.outcome(try measure(result, pair.recipient.contrast)))
    }
  }
}
