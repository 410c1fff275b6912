import Testing

@testable import Transformer

@Suite struct SentencePieceCharacterMapTests {
  /// One block of 256 units and the text "b": from the root, whose offset is `offset`, the character
  /// "a" leads to a unit with a value, which stands in unit 1.
  private static func map(
    offset: UInt32 = 1, value: UInt32 = 0, text: [UInt8] = [0x62, 0], units: Int = 256
  ) -> [UInt8] {
    var array = [UInt32](repeating: 0, count: units)
    array[0] = offset << 10
    let node = Int(1 ^ UInt8(ascii: "a"))
    array[node] = UInt32(UInt8(ascii: "a")) | 1 << 8 | UInt32(node ^ 1) << 10
    array[1] = 1 << 31 | value
    func bytes(_ number: UInt32) -> [UInt8] { (0..<4).map { UInt8(number >> ($0 * 8) & 0xFF) } }
    return bytes(UInt32(4 * units)) + array.flatMap(bytes) + text
  }

  private static func isSound(_ map: [UInt8]) -> Bool {
    SentencePieceCharacterMap.isSound(map[...])
  }

  @Test func noneAndOneInsideAreSound() {
    #expect(Self.isSound([]))
    #expect(Self.isSound(Self.map()))
    #expect(Self.isSound(Self.map(value: 1)))
  }

  @Test func whatLeadsOutsideIsNot() {
    #expect(!Self.isSound(Self.map(offset: 256)))
    #expect(!Self.isSound(Self.map(units: 255)))
    #expect(!Self.isSound(Self.map(value: 2)))
    #expect(!Self.isSound(Self.map(text: [0x62])))
    #expect(!Self.isSound(Self.map(text: [])))
    #expect(!Self.isSound([0xFF, 0xFF, 0xFF, 0x7F, 0]))
    #expect(!Self.isSound([0, 0]))
  }
}
