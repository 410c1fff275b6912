import Foundation
import TensorCore

/// Cosines and sines of a rotary encoding, `[positions, pairs]`.
struct RotaryTable: Sendable {
  let pairing: Architecture.Rotary.Pairing
  let pairs: Int
  let cosines: Tensor
  let sines: Tensor

  /// - Parameters:
  ///   - regime: a length of the sequences that use the table.
  ///   - positions: as many rows.
  init(_ rotary: Architecture.Rotary, forLength regime: Int, positions: Int) {
    let frequencies = rotary.frequencies(length: regime)
    let factor = rotary.attentionFactor
    let pairs = frequencies.count
    pairing = rotary.pairing
    self.pairs = pairs
    func table(_ function: (Double) -> Double) -> Tensor {
      Tensor(shape: [positions, pairs]) { out in
        for position in 0..<positions {
          for (pair, frequency) in frequencies.enumerated() {
            out[position * pairs + pair] = Float(
              factor * function(Double(position) * frequency))
          }
        }
      }
    }
    cosines = table(cos)
    sines = table(sin)
  }
}

/// The tables that a model's passes have needed so far, by encoding and, where it depends on that, by the
/// length of the sequence.
struct RotaryTables {
  private struct Key: Hashable {
    let rotary: Architecture.Rotary
    let regime: Int
  }

  private var tables: [Key: RotaryTable] = [:]

  /// For each block, the table of each sequence; nil for blocks that are not rotated.
  mutating func tables(
    for architecture: Architecture, lengths: [Int]
  ) -> [[RotaryTable]?] {
    let longest = lengths.max() ?? 0
    var known: [Architecture.Rotary: [RotaryTable]] = [:]
    return architecture.blocks.map { block in
      guard let rotary = block.rotary else { return nil }
      if let found = known[rotary] { return found }
      let found = lengths.map {
        table(rotary, length: $0, positions: longest, most: architecture.contextLength)
      }
      known[rotary] = found
      return found
    }
  }

  /// A table of at least `positions`, made longer by halves at least, so that a growing sequence does not
  /// pay for all its positions with every token.
  private mutating func table(
    _ rotary: Architecture.Rotary, length: Int, positions: Int, most: Int
  ) -> RotaryTable {
    let regime = rotary.regime(length: length)
    let key = Key(rotary: rotary, regime: regime)
    let held = tables[key]
    if let held, held.cosines.rows >= positions { return held }
    // Tables of a regime for one length alone would pile up.
    if regime > 1 { tables = tables.filter { $0.key.regime <= 1 } }
    let rows = held?.cosines.rows ?? 0
    let table = RotaryTable(
      rotary, forLength: length, positions: max(positions, min(rows + rows / 2, most)))
    tables[key] = table
    return table
  }
}
