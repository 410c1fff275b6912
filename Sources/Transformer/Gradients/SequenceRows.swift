import TensorCore

/// The rows of several sequences, one after the other: of each the positions from some first one to its
/// end, which a differentiable pass computes, while those before it are constants.
public struct SequenceRows {
  struct Sequence {
    let tokens: [Int]
    /// First position that has a row.
    let first: Int
    /// Keys and values of the positions before it; nil where it is 0.
    let base: RecordedRun?
    /// Its rows.
    let rows: Range<Int>
  }

  let sequences: [Sequence]
  private let architecture: Architecture
  /// For each block, the angles of all rows; nil for blocks that are not rotated.
  let angles: [RotaryAngles?]

  /// Number of rows.
  public var count: Int { sequences.last?.rows.upperBound ?? 0 }

  /// Token of each row.
  public var tokens: [Int] { sequences.flatMap { $0.tokens[$0.first...] } }

  /// Position of each row.
  public var positions: [Int] { sequences.flatMap { Array($0.first..<$0.tokens.count) } }

  /// The row of each sequence's last position.
  public var last: [Int] { sequences.map { $0.rows.upperBound - 1 } }

  /// Whole sequences.
  public init(_ sequences: [[Int]], _ architecture: Architecture) {
    self.init(sequences.map { ($0, 0, nil) }, architecture)
  }

  /// - Precondition: a sequence whose `first` is not 0 has a base run.
  init(_ parts: [(tokens: [Int], first: Int, base: RecordedRun?)], _ architecture: Architecture) {
    var start = 0
    var sequences: [Sequence] = []
    for part in parts {
      let count = part.tokens.count - part.first
      sequences.append(
        Sequence(
          tokens: part.tokens, first: part.first, base: part.first > 0 ? part.base : nil,
          rows: start..<start + count))
      start += count
    }
    self.sequences = sequences
    self.architecture = architecture
    var known: [Architecture.Rotary: RotaryAngles] = [:]
    angles = architecture.blocks.map { block in
      guard let rotary = block.rotary else { return nil }
      if let found = known[rotary] { return found }
      let found = Self.angles(rotary, sequences)
      known[rotary] = found
      return found
    }
  }

  private static func angles(_ rotary: Architecture.Rotary, _ sequences: [Sequence])
    -> RotaryAngles
  {
    let tables = sequences.map {
      RotaryTable(rotary, length: $0.tokens.count, positions: $0.tokens.count)
    }
    func rows(_ values: (RotaryTable) -> Tensor) -> Tensor {
      .concatenated(
        zip(sequences, tables).map { sequence, table in
          values(table).slice(0, sequence.first..<sequence.tokens.count)
        }, 0)
    }
    return RotaryAngles(
      cosines: rows(\.cosines), sines: rows(\.sines),
      pairsNeighbours: rotary.pairing == .neighbours)
  }

  /// What the attention of block `layer` computes, for all rows or for those of `last`, ascending.
  func attention(_ layer: Int, only last: [Int]?) -> [CausalAttention.Sequence] {
    var done = 0
    return sequences.map { sequence in
      let taken = last.map { $0.filter(sequence.rows.contains) } ?? Array(sequence.rows)
      defer { done += taken.count }
      return CausalAttention.Sequence(
        queries: done..<done + taken.count,
        positions: taken.map { $0 - sequence.rows.lowerBound + sequence.first },
        keys: sequence.rows, past: past(sequence, layer))
    }
  }

  private func past(_ sequence: Sequence, _ layer: Int) -> CausalAttention.Past? {
    guard let base = sequence.base else { return nil }
    let width = architecture.headWidth
    let count = sequence.first * width
    func copy(_ pointer: (Int) -> UnsafeMutablePointer<Float>) -> Tensor {
      Tensor(shape: [architecture.keyValueHeads, sequence.first, width]) { out in
        for group in 0..<architecture.keyValueHeads {
          (out + group * count).update(from: pointer(group), count: count)
        }
      }
    }
    return CausalAttention.Past(
      keys: copy { base.keys(layer, group: $0, headWidth: width) },
      values: copy { base.values(layer, group: $0, headWidth: width) })
  }
}
