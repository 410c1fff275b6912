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

  /// Which rank counts where a merge is listed twice.
  enum Repeats: Sendable {
    /// The earlier, as in llama.cpp.
    case first
    /// The later, as in Hugging Face's tokenizers.
    case last
  }

  /// - Parameters:
  ///   - merges: the earliest first.
  ///   - pieces: the piece texts that the merges are written in.
  /// - Throws: `UserError` at `place` for a merge that is not two pieces that make a third.
  init(
    _ merges: PieceMerges, pieces: ByteStringTable, repeats: Repeats = .first, place: String
  ) throws {
    var capacity = 16
    while capacity < merges.count * 2 { capacity *= 2 }
    keys = Array(repeating: .max, count: capacity)
    ranks = Array(repeating: Self.none, count: capacity)
    mask = capacity - 1
    results.reserveCapacity(merges.count)
    var joined: [UInt8] = []
    for rank in 0..<merges.count {
      joined.removeAll(keepingCapacity: true)
      // Vocabularies mostly list the results of merges in the order of the merges.
      let guess = results.last.map { Int($0) + 1 } ?? 0
      guard let length = merges.join(rank, into: &joined),
        let left = pieces.index(of: joined.span.extracting(..<length)),
        let right = pieces.index(of: joined.span.extracting(length...)),
        let whole = pieces.index(of: joined.span, guess: guess)
      else { throw merges.error(rank, at: place) }
      insert(Self.key(left, right), rank: UInt32(truncatingIfNeeded: rank), repeats)
      results.append(Int32(truncatingIfNeeded: whole))
    }
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

  private mutating func insert(_ key: UInt64, rank: UInt32, _ repeats: Repeats) {
    var slot = Self.home(key) & mask
    while keys[slot] != .max {
      if keys[slot] == key {
        if repeats == .last { ranks[slot] = rank }
        return
      }
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
