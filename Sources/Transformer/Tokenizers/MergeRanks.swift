import TensorCore

/// The merges of a byte-pair encoding: which two neighbouring tokens become which one, and how early.
///
/// An open-addressing hash table on the pair of ids.
struct MergeRanks: Sendable {
  /// Rank of a pair that does not merge.
  static let none = UInt32.max

  /// The token that the merge of each rank makes.
  private(set) var results: [Int32] = []
  private var keys: [UInt64]
  private var ranks: [UInt32]
  private let mask: Int

  /// - Parameters:
  ///   - merges: `left right`, the earliest first.
  ///   - pieces: the piece texts that the merges are written in.
  /// - Throws: `UserError` at `place` for a merge that is not two pieces that make a third.
  init(_ merges: [String], pieces: ByteStringTable, place: String) throws {
    var capacity = 16
    while capacity < merges.count * 2 { capacity *= 2 }
    keys = Array(repeating: .max, count: capacity)
    ranks = Array(repeating: Self.none, count: capacity)
    mask = capacity - 1
    results.reserveCapacity(merges.count)
    var joined: [UInt8] = []
    for (rank, merge) in merges.enumerated() {
      joined.removeAll(keepingCapacity: true)
      joined.append(contentsOf: merge.utf8)
      // Vocabularies mostly list the results of merges in the order of the merges.
      let guess = results.last.map { Int($0) + 1 } ?? 0
      guard let result = Self.join(&joined, pieces, guess: guess) else {
        throw UserError(
          "merge \(rank), \"\(merge)\", is not two pieces of the vocabulary that make a third",
          at: place, remedy: "get the model file again")
      }
      insert(Self.key(result.left, result.right), rank: UInt32(truncatingIfNeeded: rank))
      results.append(Int32(truncatingIfNeeded: result.whole))
    }
  }

  /// The ids of `left`, `right` and the piece they make, where `text` is `left right`.
  private static func join(
    _ text: inout [UInt8], _ pieces: ByteStringTable, guess: Int
  ) -> (left: Int, right: Int, whole: Int)? {
    // Piece texts have no real space in them: a space is written "Ġ".
    guard let space = text.firstIndex(of: 0x20),
      let left = pieces.index(of: text.span.extracting(..<space)),
      let right = pieces.index(of: text.span.extracting((space + 1)...))
    else { return nil }
    text.remove(at: space)
    guard let whole = pieces.index(of: text.span, guess: guess) else { return nil }
    return (left, right, whole)
  }

  /// The rank of the pair, or `none`.
  func rank(_ left: Int32, _ right: Int32) -> UInt32 {
    let key = Self.key(Int(left), Int(right))
    var slot = Self.home(key) & mask
    while keys[slot] != key {
      if keys[slot] == .max { return Self.none }
      slot = (slot + 1) & mask
    }
    return ranks[slot]
  }

  private mutating func insert(_ key: UInt64, rank: UInt32) {
    var slot = Self.home(key) & mask
    while keys[slot] != .max {
      // Of a merge that is listed twice the earlier counts.
      if keys[slot] == key { return }
      slot = (slot + 1) & mask
    }
    keys[slot] = key
    ranks[slot] = rank
  }

  private static func key(_ left: Int, _ right: Int) -> UInt64 {
    UInt64(UInt32(truncatingIfNeeded: left)) << 32 | UInt64(UInt32(truncatingIfNeeded: right))
  }

  private static func home(_ key: UInt64) -> Int {
    let mixed = (key ^ (key >> 29)) &* 0x9E37_79B9_7F4A_7C15
    return Int(truncatingIfNeeded: mixed >> 32)
  }
}
