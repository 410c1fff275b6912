/// The replacements of characters that a `tokenizer.model` brings along: `precompiled_charsmap` of its
/// normalizer.
///
/// libsentencepiece walks through it without looking where it goes, so it is checked before.
/// Source: Darts-clone's double array of 32-bit units behind its length in bytes, then texts that end
/// in NUL, to which the array's values point.
enum SentencePieceCharacterMap {
  /// Whether every step through the array and every value of it stays inside.
  static func isSound(_ bytes: ArraySlice<UInt8>) -> Bool {
    guard !bytes.isEmpty else { return true }
    func number(_ index: Int) -> UInt32 {
      let start = bytes.startIndex + 4 * index
      return bytes[start..<start + 4].reversed().reduce(0) { $0 << 8 | UInt32($1) }
    }
    guard bytes.count >= 4 else { return false }
    let length = Int(number(0))
    guard length % 4 == 0, length > 0, length < bytes.count - 4, bytes.last == 0 else {
      return false
    }
    let count = length / 4
    let texts = bytes.count - 4 - length
    for index in 0..<count {
      let unit = number(1 + index)
      // A value, into which no step leads.
      guard unit >> 31 == 0 else { continue }
      let offset = Int(unit >> 10) << Int(unit >> 6 & 8)
      // A step goes to any of the 256 units of a block.
      guard (index ^ offset) | 0xFF < count else { return false }
      let hasValue = unit >> 8 & 1 != 0
      guard !hasValue || Int(number(1 + (index ^ offset)) & 0x7FFF_FFFF) < texts else {
        return false
      }
    }
    return true
  }
}
