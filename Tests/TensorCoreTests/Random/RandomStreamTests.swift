import Testing

@testable import TensorCore

struct RandomStreamTests {
  /// Known answers of Random123's `philox4x32-10`.
  @Test func agreesWithRandom123() {
    let ones = UInt32.max
    #expect(
      RandomStream.philox(counter: SIMD4(0, 0, 0, 0), key: SIMD2(0, 0))
        == SIMD4(0x6627_E8D5, 0xE169_C58D, 0xBC57_AC4C, 0x9B00_DBD8))
    #expect(
      RandomStream.philox(counter: SIMD4(ones, ones, ones, ones), key: SIMD2(ones, ones))
        == SIMD4(0x408F_276D, 0x41C8_3B0E, 0xA20B_C7C6, 0x6D54_51FD))
    #expect(
      RandomStream.philox(
        counter: SIMD4(0x243F_6A88, 0x85A3_08D3, 0x1319_8A2E, 0x0370_7344),
        key: SIMD2(0xA409_3822, 0x299F_31D0))
        == SIMD4(0xD16C_FE09, 0x94FD_CCEB, 0x5001_E420, 0x2412_6EA1))
  }

  @Test func repeatsAndSeparates() {
    func draw(_ seed: UInt64, _ path: [UInt64]) -> [UInt64] {
      var stream = RandomStream(seed: seed, path: path)
      return (0..<8).map { _ in stream.next() }
    }
    #expect(draw(1, [2, 3]) == draw(1, [2, 3]))
    let all = [
      draw(1, []), draw(2, []), draw(1, [0]), draw(1, [0, 0]), draw(1, [2, 3]), draw(1, [3, 2]),
    ]
    #expect(Set(all).count == all.count)
  }

  @Test func staysInRangeAndIsEven() {
    var stream = RandomStream(seed: 7)
    var counts = [0, 0, 0, 0, 0]
    for _ in 0..<50_000 { counts[stream.integer(below: 5)] += 1 }
    #expect(counts.allSatisfy { abs($0 - 10_000) < 500 })
    let numbers = (0..<10_000).map { _ in stream.uniform() }
    #expect(numbers.allSatisfy { $0 >= 0 && $0 < 1 })
    #expect(abs(numbers.reduce(0, +) / 10_000 - 0.5) < 0.02)
  }

  @Test func shufflesAndSamplesWithoutLoss() {
    var stream = RandomStream(seed: 3)
    var numbers = Array(0..<100)
    stream.shuffle(&numbers)
    #expect(numbers != Array(0..<100))
    #expect(numbers.sorted() == Array(0..<100))
    #expect(Set(stream.sample(10, of: numbers)).count == 10)
    #expect(stream.sample(5, of: [1, 2]).sorted() == [1, 2])
  }
}
