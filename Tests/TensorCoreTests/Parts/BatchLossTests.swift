import Testing

@testable import TensorCore

@Suite struct BatchLossTests {
  private static let inputs: [Float] = (0..<16 * 3 * 4).map { index -> Float in
    Float(index * 37 % 101) / 50 - 1
  }

  /// Samples at some positions, `[positions, 3, 4]`.
  private static func samples(_ positions: Range<Int>) -> Tensor {
    Tensor(
      Array(inputs[positions.lowerBound * 12..<positions.upperBound * 12]),
      shape: [positions.count, 3, 4])
  }

  /// A network with batch norm.
  private static func loss(_ weights: [Tensor], _ x: Tensor) -> Tensor {
    let hidden = (x * weights[0]).batchNormalised(weight: weights[1], bias: weights[2])
    return (hidden.leakyReLU(slope: 0.2) * weights[3] - 0.5).squared().mean()
  }

  /// R1 of the same, which takes a gradient of a gradient through the batch's statistics.
  private static func penalty(_ weights: [Tensor], _ x: Tensor) -> Tensor {
    gradient(at: x) { loss(weights, $0).scaled(by: Float(x.shape[0])) }.squared().sum()
      .scaled(by: 1 / Float(x.shape[0]))
  }

  private static let weights: [Tensor] = [
    Tensor((0..<12).map { index -> Float in Float(index % 5) / 4 + 0.3 }, shape: [1, 3, 4]),
    Tensor([1, 0.7, 1.3], shape: [3]), Tensor([0.1, -0.2, 0], shape: [3]),
    Tensor((0..<12).map { index -> Float in Float(index % 7) / 6 - 0.4 }, shape: [1, 3, 4]),
  ]

  @Sendable private static func part(_ weights: [Tensor], _ part: BatchPart) -> PartLoss<Int> {
    let x = samples(part.positions)
    let loss = loss(weights, x)
    return PartLoss(
      loss + penalty(weights, x).scaled(by: 0.3), figures: [loss.detached()[0]],
      extra: part.positions.lowerBound)
  }

  @Test func partsTogetherAreTheBatch() throws {
    let whole = valueWithGradient(at: Self.weights) {
      Self.loss($0, Self.samples(0..<16)) + Self.penalty($0, Self.samples(0..<16)).scaled(by: 0.3)
    }
    let found = try batchLoss(at: Self.weights, over: 0..<16, Self.part)
    #expect(abs(found.value[0] - whole.value[0]) < 1e-5)
    #expect(abs(found.figures[0] - Self.loss(Self.weights, Self.samples(0..<16))[0]) < 1e-5)
    #expect(found.extras == [0, 2, 4, 6, 8, 10, 12, 14])
    for (a, b) in zip(found.gradient, whole.gradient) {
      #expect(a.shape == b.shape)
      for (x, y) in zip(a.values, b.values) { #expect(abs(x - y) < 1e-4, "\(x) against \(y)") }
    }
  }

  @Test func anyNumberOfThreadsAndProcessesHasTheSameBits() throws {
    @Sendable func bits(_ found: BatchLoss<[Tensor], Int>) -> [Float] {
      found.value.values + found.figures + found.gradient.flatMap(\.values)
    }
    let one = bits(try batchLoss(at: Self.weights, over: 0..<16, Self.part))
    for threads in [1, 2, 3, 16] {
      let found = try Compute.$pool.withValue(ThreadPool(count: threads)) {
        try batchLoss(at: Self.weights, over: 0..<16, Self.part)
      }
      #expect(bits(found) == one, "\(threads) threads")
    }
    for ranks in [2, 3, 4, 8] {
      let results = FakeRanks.together(FakeRanks.group(of: ranks)) { _ in
        (try? batchLoss(at: Self.weights, over: 0..<16, Self.part)).map(bits)
      }
      #expect(results.count == ranks && results.allSatisfy { $0 == one }, "\(ranks) processes")
    }
  }

  /// An error in one part, before it meets the others or after, ends all, where others wait for its statistics or for
  /// their turn.
  @Test(arguments: [1, 2, 3, 8], [0, 5, 7])
  func anErrorEndsTheStep(threads: Int, broken: Int) {
    struct Broken: Error {}
    for meets in Array(repeating: [false, true], count: 20).joined() {
      #expect(throws: Broken.self) {
        try Compute.$pool.withValue(ThreadPool(count: threads)) {
          try batchLoss(at: Self.weights, over: 0..<16) { weights, part in
            if part.index == broken, !meets { throw Broken() }
            let loss = Self.loss(weights, Self.samples(part.positions))
            if part.index == broken { throw Broken() }
            return PartLoss(loss, extra: 0)
          }
        }
      }
    }
  }

  @Test func moreProcessesThanParts() {
    let errors = FakeRanks.together(FakeRanks.group(of: 3)) { _ in
      do {
        _ = try batchLoss(at: Self.weights, over: 0..<2, Self.part)
        return "none"
      } catch { return "\(error)" }
    }
    #expect(errors.allSatisfy { $0.contains("3 processes for a batch of 2 parts") })
  }
}
