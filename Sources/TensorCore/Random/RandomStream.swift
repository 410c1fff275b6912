/// Counter-based random numbers (Philox 4×32-10; Salmon et al. 2011, "Parallel Random Numbers: As
/// Easy as 1, 2, 3").
///
/// A stream is named by a seed and a path of integers, so that sample *i* of seed *s* is the same in
/// any batch, on any thread, in any order.
public struct RandomStream: RandomNumberGenerator, Sendable {
  private let key: SIMD2<UInt32>
  private let stream: UInt64
  private var counter: UInt64 = 0
  private var block = SIMD4<UInt32>()
  private var used = 4

  /// - Parameters:
  ///   - seed: the run's seed.
  ///   - path: which stream of that seed, for example `[purpose, episode]`.
  public init(seed: UInt64, path: [UInt64] = []) {
    key = SIMD2(UInt32(truncatingIfNeeded: seed), UInt32(truncatingIfNeeded: seed >> 32))
    var name: UInt64 = 0x9E37_79B9_7F4A_7C15
    for part in path {
      // SplitMix64's finaliser keeps neighbouring paths apart.
      name = (name ^ part) &+ 0x9E37_79B9_7F4A_7C15
      name = (name ^ (name >> 30)) &* 0xBF58_476D_1CE4_E5B9
      name = (name ^ (name >> 27)) &* 0x94D0_49BB_1331_11EB
      name ^= name >> 31
    }
    stream = name
  }

  /// The Philox 4×32-10 block function.
  public static func philox(counter: SIMD4<UInt32>, key: SIMD2<UInt32>) -> SIMD4<UInt32> {
    var c = counter
    var k = key
    for _ in 0..<10 {
      let p0 = 0xD251_1F53 as UInt64 * UInt64(c[0])
      let p1 = 0xCD9E_8D57 as UInt64 * UInt64(c[2])
      c = SIMD4(
        UInt32(truncatingIfNeeded: p1 >> 32) ^ c[1] ^ k[0], UInt32(truncatingIfNeeded: p1),
        UInt32(truncatingIfNeeded: p0 >> 32) ^ c[3] ^ k[1], UInt32(truncatingIfNeeded: p0))
      k = k &+ SIMD2(0x9E37_79B9, 0xBB67_AE85)
    }
    return c
  }

  public mutating func nextUInt32() -> UInt32 {
    if used == 4 {
      let at = SIMD4(
        UInt32(truncatingIfNeeded: counter), UInt32(truncatingIfNeeded: counter >> 32),
        UInt32(truncatingIfNeeded: stream), UInt32(truncatingIfNeeded: stream >> 32))
      block = Self.philox(counter: at, key: key)
      counter &+= 1
      used = 0
    }
    defer { used += 1 }
    return block[used]
  }

  public mutating func next() -> UInt64 {
    UInt64(nextUInt32()) | UInt64(nextUInt32()) << 32
  }

  /// A whole number in `0..<bound`, without modulo bias (Lemire 2019).
  public mutating func integer(below bound: Int) -> Int {
    precondition(bound > 0 && bound <= Int(UInt32.max))
    let range = UInt64(bound)
    var product = UInt64(nextUInt32()) * range
    if product & 0xFFFF_FFFF < range {
      let threshold = (0x1_0000_0000 - range) % range
      while product & 0xFFFF_FFFF < threshold { product = UInt64(nextUInt32()) * range }
    }
    return Int(product >> 32)
  }

  /// A number in `0..<1` with 24 random bits.
  public mutating func uniform() -> Float { Float(nextUInt32() >> 8) * 0x1p-24 }

  /// Fisher–Yates shuffle by this stream alone: the standard library's may change between versions.
  public mutating func shuffle<Element>(_ elements: inout [Element]) {
    guard elements.count > 1 else { return }
    for i in stride(from: elements.count - 1, to: 0, by: -1) {
      elements.swapAt(i, integer(below: i + 1))
    }
  }

  /// `count` different elements in random order.
  public mutating func sample<Element>(_ count: Int, of elements: [Element]) -> [Element] {
    var pool = elements
    shuffle(&pool)
    return Array(pool.prefix(count))
  }
}
