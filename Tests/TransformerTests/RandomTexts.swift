import Foundation
import TensorCore

/// Texts by number, which a program in another language makes from the same rules, so that digests of
/// what a peer made of ten thousand of them can be compared.
///
/// Text `index` under `seed` is drawn by SplitMix64 from the state `seed ^ ((index + 1) · odd)`. Of 1
/// to 12 parts each is, in 16 of 36 draws, one of the snippets in Resources/tokenizer/families, and
/// otherwise 1 to 5 scalars of one range; what is no scalar is a space.
struct RandomTexts {
  let seed: UInt64
  let snippets: [String]

  init(seed: UInt64) throws {
    self.seed = seed
    snippets = try JSONReader(contentsOf: TokenizerFamily.path("snippets.json")).list()
      .map { try $0.string() }
  }

  private static let ranges: [ClosedRange<Int>] = [
    0x20...0x7E, 0x20...0x7E, 0x61...0x7A, 0x41...0x5A, 0x30...0x39, 0xA0...0x24F, 0x250...0x52F,
    0x300...0x36F, 0x590...0x7FF, 0x900...0xDFF, 0x1E00...0x20CF, 0x2100...0x2BFF, 0x3000...0x30FF,
    0x4E00...0x9FFF, 0xAC00...0xD7A3, 0xF900...0xFFFD, 0x1F300...0x1FAFF, 0...0xFFFF,
    0...0x10FFFF, 0x1D400...0x1D7FF,
  ]

  private struct SplitMix64 {
    var state: UInt64

    mutating func below(_ count: Int) -> Int {
      state &+= 0x9E37_79B9_7F4A_7C15
      var mixed = state
      mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
      mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
      return Int((mixed ^ (mixed >> 31)) % UInt64(count))
    }
  }

  subscript(index: Int) -> String {
    var random = SplitMix64(state: seed ^ (UInt64(index + 1) &* 0xD134_2543_DE82_EF95))
    var text = String.UnicodeScalarView()
    for _ in 0..<1 + random.below(12) {
      let kind = random.below(Self.ranges.count + 16)
      guard kind < Self.ranges.count else {
        text.append(contentsOf: snippets[random.below(snippets.count)].unicodeScalars)
        continue
      }
      let range = Self.ranges[kind]
      for _ in 0..<1 + random.below(5) {
        let value = range.lowerBound + random.below(range.count)
        text.append(Unicode.Scalar(UInt32(value)) ?? " ")
      }
    }
    return String(text)
  }
}

/// FNV-1a, 64 bits.
struct Digest {
  private var hash: UInt64 = 0xCBF2_9CE4_8422_2325

  mutating func add(_ bytes: some Sequence<UInt8>) {
    for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
  }

  /// Four bytes, the lowest first.
  mutating func add(_ number: UInt32) {
    add((0..<4).map { UInt8(truncatingIfNeeded: number >> ($0 * 8)) })
  }

  var text: String {
    let digits = String(hash, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }
}
