import Foundation
import Testing

@testable import TensorCore

@Suite struct SoftmaxKernelTests {
  /// As many values as fill vectors, and some behind.
  @Test(arguments: [1, 8, 13, 1003])
  func divergenceIsThatOfDoubles(count: Int) {
    var stream = RandomStream(seed: 4)
    func logits() -> [Float] { (0..<count).map { _ in 12 * stream.uniform() - 6 } }
    let (expected, found) = (logits(), logits())
    func logProbabilities(_ values: [Float]) -> [Double] {
      let sum = values.reduce(0) { $0 + exp(Double($1)) }
      return values.map { Double($0) - log(sum) }
    }
    let (p, q) = (logProbabilities(expected), logProbabilities(found))
    let exact = zip(p, q).reduce(0) { $0 + exp($1.0) * ($1.0 - $1.1) }
    let total = logSumExp(found, count: count).logSumExp
    let value = divergence(p.map { Float($0) }, from: found, logSumExp: total, count: count)
    #expect(abs(value - exact) < 2e-6, "\(value), exactly \(exact)")
    let same = divergence(q.map { Float($0) }, from: found, logSumExp: total, count: count)
    #expect(abs(same) < 1e-6)
  }
}
