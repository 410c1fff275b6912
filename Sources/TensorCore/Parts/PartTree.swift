/// The order in which the parts of a batch are added up: a binary tree over their numbers, the same for any number of
/// processes and threads, so that a sum has the same bits wherever its parts were computed.
struct PartTree: Sendable {
  /// Number of parts.
  let count: Int

  var root: Range<Int> { 0..<count }

  /// The two halves of a node: the left one has the largest power of two below its size.
  func halves(of node: Range<Int>) -> (left: Range<Int>, right: Range<Int>) {
    var left = 1
    while 2 * left < node.count { left *= 2 }
    let middle = node.lowerBound + left
    return (node.lowerBound..<middle, middle..<node.upperBound)
  }

  /// The fewest nodes whose parts are those of `parts`: what a process that has these can add up by itself.
  func nodes(of parts: Range<Int>) -> [Range<Int>] { nodes(of: parts, below: root) }

  private func nodes(of parts: Range<Int>, below node: Range<Int>) -> [Range<Int>] {
    guard parts.overlaps(node) else { return [] }
    if parts.lowerBound <= node.lowerBound, node.upperBound <= parts.upperBound { return [node] }
    let (left, right) = halves(of: node)
    return nodes(of: parts, below: left) + nodes(of: parts, below: right)
  }

  /// The sum over all parts, from those of nodes that cover them.
  func sum(_ known: [Range<Int>: [Float]]) -> [Float] { sum(known, at: root) }

  private func sum(_ known: [Range<Int>: [Float]], at node: Range<Int>) -> [Float] {
    if let values = known[node] { return values }
    precondition(node.count > 1, "part \(node.lowerBound) is missing")
    let (left, right) = halves(of: node)
    return Self.added(sum(known, at: left), sum(known, at: right))
  }

  static func added(_ a: [Float], _ b: [Float]) -> [Float] {
    precondition(a.count == b.count, "parts of \(a.count) and \(b.count) numbers")
    return [Float](unsafeUninitializedCapacity: a.count) { out, count in
      for index in a.indices { out[index] = a[index] + b[index] }
      count = a.count
    }
  }
}

/// Sums of parts that arrive in any order, each added as soon as its neighbour in the tree is there, so that few are
/// kept.
struct PartSums {
  private let tree: PartTree
  /// Sums of nodes that wait for their neighbour.
  private(set) var waiting: [Range<Int>: [Float]] = [:]

  init(_ tree: PartTree) { self.tree = tree }

  mutating func add(_ values: [Float], part: Int) {
    var path: [(node: Range<Int>, other: Range<Int>)] = []
    var node = tree.root
    while node.count > 1 {
      let (left, right) = tree.halves(of: node)
      path.append(left.contains(part) ? (node, right) : (node, left))
      node = left.contains(part) ? left : right
    }
    var sum = values
    for (parent, other) in path.reversed() {
      guard let neighbour = waiting.removeValue(forKey: other) else { break }
      sum =
        other.lowerBound > node.lowerBound
        ? PartTree.added(sum, neighbour) : PartTree.added(neighbour, sum)
      node = parent
    }
    waiting[node] = sum
  }
}
