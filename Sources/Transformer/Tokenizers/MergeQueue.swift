/// Applies merges to one piece of text after another, always the earliest merge first and of equal
/// merges the leftmost. O(n log n) in the length of a piece.
struct MergeQueue {
  /// Tokens of the piece, linked in order; a merged one leaves its right neighbour unlinked.
  private var tokens: [Int32] = []
  private var next: [Int32] = []
  private var previous: [Int32] = []
  /// Rank of the merge of each token with its right neighbour.
  private var ranks: [UInt32] = []
  /// Binary heap of `rank << 32 | position`; entries whose rank is out of date are passed over.
  private var heap: [UInt64] = []

  /// Adds a token to the end of the piece.
  mutating func append(_ token: Int32) { tokens.append(token) }

  /// Merges the piece, adds its tokens to `output` and empties the queue.
  mutating func merge(by merges: MergeRanks, into output: inout [Int]) {
    defer { tokens.removeAll(keepingCapacity: true) }
    if tokens.count > 1 { mergeAll(by: merges) }
    if tokens.count == 1 { output.append(Int(tokens[0])) }
    guard tokens.count > 1 else { return }
    var position = 0
    while position < tokens.count {
      output.append(Int(tokens[position]))
      position = Int(next[position])
    }
  }

  private mutating func mergeAll(by merges: MergeRanks) {
    let count = tokens.count
    next.removeAll(keepingCapacity: true)
    previous.removeAll(keepingCapacity: true)
    ranks.removeAll(keepingCapacity: true)
    heap.removeAll(keepingCapacity: true)
    for position in 0..<count {
      next.append(Int32(truncatingIfNeeded: position + 1))
      previous.append(Int32(truncatingIfNeeded: position - 1))
      ranks.append(MergeRanks.none)
    }
    for position in 0..<count - 1 { rankPair(at: position, merges) }
    while let entry = popFirst() {
      let position = Int(entry & 0xFFFF_FFFF)
      let rank = UInt32(truncatingIfNeeded: entry >> 32)
      guard ranks[position] == rank else { continue }
      let absorbed = Int(next[position])
      let after = next[absorbed]
      tokens[position] = merges.results[Int(rank)]
      ranks[absorbed] = MergeRanks.none
      next[position] = after
      if after < count { previous[Int(after)] = Int32(truncatingIfNeeded: position) }
      rankPair(at: position, merges)
      if previous[position] >= 0 { rankPair(at: Int(previous[position]), merges) }
    }
  }

  /// Looks up the merge of the token at `position` with its right neighbour and queues it.
  private mutating func rankPair(at position: Int, _ merges: MergeRanks) {
    let right = Int(next[position])
    let rank =
      right < tokens.count ? merges.rank(tokens[position], tokens[right]) : MergeRanks.none
    ranks[position] = rank
    if rank != MergeRanks.none { push(UInt64(rank) << 32 | UInt64(position)) }
  }

  private mutating func push(_ entry: UInt64) {
    var hole = heap.count
    heap.append(entry)
    while hole > 0 {
      let parent = (hole - 1) / 2
      guard entry < heap[parent] else { break }
      heap[hole] = heap[parent]
      hole = parent
    }
    heap[hole] = entry
  }

  private mutating func popFirst() -> UInt64? {
    guard let last = heap.popLast() else { return nil }
    guard let first = heap.first else { return last }
    var hole = 0
    while true {
      var child = 2 * hole + 1
      guard child < heap.count else { break }
      if child + 1 < heap.count, heap[child + 1] < heap[child] { child += 1 }
      guard heap[child] < last else { break }
      heap[hole] = heap[child]
      hole = child
    }
    heap[hole] = last
    return first
  }
}
