import Testing

@testable import TensorCore

@Suite struct PartTreeTests {
  /// What any number of processes add up, and in any order, is what one does.
  @Test(arguments: 1...13) func sumsDoNotDependOnWhoHasTheParts(_ count: Int) {
    let tree = PartTree(count: count)
    // Of very different sizes: another order has other bits.
    var stream = RandomStream(seed: 5)
    let parts = (0..<count).map { _ in
      (0..<40).map { index -> Float in Float(1 << (index % 20)) * (stream.uniform() - 0.5) }
    }
    var whole = PartSums(tree)
    for (part, values) in parts.enumerated() { whole.add(values, part: part) }
    let sum = tree.sum(whole.waiting)
    for ranks in 1...count {
      let group = FakeRanks.group(of: ranks)
      let results = FakeRanks.together(group) { rank in
        var sums = PartSums(tree)
        let own = rank.share(of: count, rank: rank.rank)
        for part in own.reversed() { sums.add(parts[part], part: part) }
        #expect(Set(sums.waiting.keys) == Set(tree.nodes(of: own)))
        return rank.sum(sums.waiting, of: tree, length: 40)
      }
      #expect(results.allSatisfy { $0 == sum }, "\(count) parts on \(ranks) processes")
    }
    for (index, value) in sum.enumerated() {
      let plain = parts.reduce(0.0) { $0 + Double($1[index]) }
      #expect(abs(Double(value) - plain) < 1e-6 * Double(1 << 20) * Double(count))
    }
  }

  @Test func aProcessAddsUpWhatItCan() {
    let tree = PartTree(count: 8)
    #expect(tree.nodes(of: 0..<8) == [0..<8])
    #expect(tree.nodes(of: 4..<8) == [4..<8])
    #expect(tree.nodes(of: 2..<5) == [2..<4, 4..<5])
    #expect(tree.nodes(of: 1..<7) == [1..<2, 2..<4, 4..<6, 6..<7])
  }

  @Test func partsOfABatch() {
    let sizes = [1: 1, 7: 1, 16: 2, 32: 4, 48: 6, 63: 7, 64: 16, 100: 10, 256: 16, 512: 16]
    for (batch, samples) in sizes { #expect(BatchPart.samples(ofBatch: batch) == samples) }
  }
}
