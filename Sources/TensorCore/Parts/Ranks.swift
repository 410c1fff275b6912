/// The processes that train one network together, each on some parts of every batch.
///
/// What they exchange are numbers of which every process has the same count. Calls come from one thread at a time, and in
/// the same order in every process.
public protocol Ranks: Sendable {
  /// The number of this process, from 0.
  var rank: Int { get }
  var count: Int { get }

  /// What all processes give, one after another in the order of their numbers: `counts[r]` numbers of process `r`.
  func gather(_ values: [Float], counts: [Int]) -> [Float]

  /// Sends `sent[r]` of the numbers in `values`, which lie one after another, to process `r`, and returns what the others
  /// sent here, `received[r]` numbers of process `r`, one after another.
  func exchange(_ values: [Float], sent: [Int], received: [Int]) -> [Float]
}

/// A process by itself.
public struct SingleRank: Ranks {
  public init() {}
  public var rank: Int { 0 }
  public var count: Int { 1 }
  public func gather(_ values: [Float], counts: [Int]) -> [Float] { values }
  public func exchange(_ values: [Float], sent: [Int], received: [Int]) -> [Float] { values }
}

extension Compute {
  /// The processes that share the work of a training step; results are the same bits for any number.
  @TaskLocal public static var ranks: any Ranks = SingleRank()
}

extension Ranks {
  /// Which of `count` things in a row process `rank` has: as many as any other, or one less.
  func share(of count: Int, rank: Int) -> Range<Int> {
    rank * count / self.count..<(rank + 1) * count / self.count
  }

  /// The sum over all parts of a batch, in the order of `tree`.
  ///
  /// Every process adds up one stretch of the numbers and all get the stretches: of `n` numbers, each sends and receives
  /// about `2 n (R − 1) / R` where the parts of all `R` are one node of the tree.
  ///
  /// - Parameter own: sums of the nodes that `tree.nodes` gives for this process' parts, `length` numbers each.
  func sum(_ own: [Range<Int>: [Float]], of tree: PartTree, length: Int) -> [Float] {
    guard count > 1 else { return tree.sum(own) }
    let nodes = (0..<count).map { tree.nodes(of: share(of: tree.count, rank: $0)) }
    let stretches = (0..<count).map { share(of: length, rank: $0) }
    var outgoing: [Float] = []
    outgoing.reserveCapacity(nodes[rank].count * length)
    for stretch in stretches {
      for node in nodes[rank] { outgoing += (own[node] ?? [])[stretch] }
    }
    let mine = stretches[rank].count
    let incoming = exchange(
      outgoing, sent: stretches.map { $0.count * nodes[rank].count },
      received: nodes.map { $0.count * mine })
    var known: [Range<Int>: [Float]] = [:]
    var position = 0
    for node in nodes.joined() {
      known[node] = Array(incoming[position..<position + mine])
      position += mine
    }
    return gather(tree.sum(known), counts: stretches.map(\.count))
  }
}
