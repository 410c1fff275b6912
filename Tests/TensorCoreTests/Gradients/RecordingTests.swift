import Testing

@testable import TensorCore

@Suite struct RecordingTests {
  @Test func nothingIsRecordedOutside() {
    let x = random([4], 1)
    #expect((x * x).exp().node == nil)
    let result = valueWithGradient(at: x) { ($0 * $0).sum() }
    #expect(result.value.node == nil)
    #expect(result.gradient.node == nil)
  }

  @Test func frozenInputsKeepNothing() {
    let (x, weight) = (random([1, 2, 4, 4], 1), random([3, 2, 3, 3], 2))
    weak var activation: FloatBuffer?
    func layers(_ x: Tensor) -> Tensor {
      let y = x.convolved(weight, padding: 1)
      activation = y.storage
      // Only the frozen weight's gradient would need the first result.
      return y.convolved(random([1, 3, 1, 1], 3))
    }
    _ = valueWithGradient(at: x) { x in
      let z = layers(x)
      #expect(activation == nil)
      return z.sum()
    }
  }

  @Test func activationsAreReleasedWhileTheBackwardPassGoesOn() {
    final class Seen { weak var early: FloatBuffer?; weak var late: FloatBuffer? }
    let seen = Seen()
    _ = gradient(at: random([64], 1)) { x in
      let early = x.exp()
      // Runs between the pullbacks of the two exponentials.
      let watched = early.recorded(
        Pullback(early) { gradient in
          #expect(seen.late == nil)
          #expect(seen.early != nil)
          return gradient
        })
      let late = watched.sine().exp()
      seen.early = early.storage
      seen.late = late.storage
      return late.sum()
    }
    #expect(seen.early == nil)
  }

  @Test func branchesAddUp() {
    let x = random([5], 1)
    let slope = gradient(at: x) { x in (x + x + x * x).sum() }
    #expect(slope.values == (x * 2 + 2).values)
  }

  @Test func innerGradientIsAFunction() {
    // d/dx (d/dx x³ · y) = 6 x y, and with respect to y, 3 x².
    let (x, y) = (Tensor(2), Tensor(5))
    let outer = gradient(at: [x, y]) { outer in
      gradient(at: outer[0]) { $0 * $0 * $0 * outer[1] }
    }
    #expect(outer.map { $0[0] } == [60, 12])
    let third = gradient(at: x) { gradient(at: $0) { gradient(at: $0) { $0 * $0 * $0 } } }
    #expect(third[0] == 6)
  }

  @Test func innerRecordingSeesOuterAsConstant() {
    let result = gradient(at: Tensor(3)) { w in
      let inner = gradient(at: Tensor(2)) { x in x * x * w }
      return inner.detached() * w
    }
    #expect(result[0] == 12)
  }

  @Test func unusedInputsHaveZeroGradients() {
    let gradients = gradient(at: [random([3], 1), random([2, 2], 2)]) { $0[0].sum() }
    #expect(gradients[1].values == [0, 0, 0, 0])
  }

  @Test func sameBitsForAnyNumberOfThreads() {
    let x = random([9, 6, 12, 12], 1)
    let weights = [
      random([8, 6, 3, 3], 2), random([8], 3), random([8], 4), random([5, 8, 4, 4], 5),
      random([3, 5 * 36], 6),
    ]
    func gradients(threads: Int) -> [[Float]] {
      Compute.$pool.withValue(ThreadPool(count: threads)) {
        gradient(at: weights + [x]) { w in
          let h = w[5].convolved(w[0], padding: 1)
            .groupNormalised(groups: 2, weight: w[1], bias: w[2], epsilon: 1e-5, silu: true)
          let y = h.convolved(w[3], stride: 2, padding: 1)
          return y.reshaped([9, -1]).linear(w[4]).softmax().squared().sum() + h.mean()
        }.map(\.values)
      }
    }
    let one = gradients(threads: 1)
    for threads in [2, 3, 7] { #expect(gradients(threads: threads) == one) }
  }

  @Test func releasedBuffersAreUsedAgain() {
    let pool = BufferPool()
    pool.limit = 1 << 20
    let first = pool.take(bytes: 64 << 10)
    pool.give(first, bytes: 64 << 10)
    #expect(pool.kept == 64 << 10)
    #expect(pool.take(bytes: 64 << 10) == first)
    #expect(pool.kept == 0)
    pool.give(first, bytes: 64 << 10)
    pool.limit = 0
    #expect(pool.kept == 0)
  }
}
