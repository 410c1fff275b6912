import TensorCore
import Testing

@testable import Transformer

@Suite struct TokenTextsTests {
  /// One token for each of some byte strings, by their place in the list.
  private struct Pieces: Tokenizer {
    let pieces: [[UInt8]]
    var vocabularySize: Int { pieces.count }
    func encode(_ text: String, parsingSpecialTokens: Bool) -> [Int] { [] }
    func bytes(of id: Int) -> [UInt8] { pieces.indices.contains(id) ? pieces[id] : [] }
  }

  private func read(_ pieces: [UInt8]...) -> TokenTexts {
    TokenTexts(Array(pieces.indices), tokenizer: Pieces(pieces: pieces))
  }

  @Test func aCharacterIsShownWhereItBegins() {
    // U+1F600 is F0 9F 98 80, "é" is C3 A9.
    let face = read([0x61, 0xF0], [0x9F, 0x98], [0x80, 0x62], [0xC3, 0xA9], [0x63])
    #expect(face.texts == ["a😀", "", "b", "é", "c"])
    #expect(face.continues == [false, true, true, false, false])
    #expect(read([0xC3], [0xA9]).texts == ["é", ""])
    #expect(read().texts == [])
  }

  @Test func illFormedBytesAreReplacedOnce() {
    // A lead byte without the rest, then a lonely trail byte, as String(decoding:) has them.
    let torn = read([0xF0], [0x9F], [0x61], [0x80])
    #expect(torn.texts == ["\u{FFFD}", "", "a", "\u{FFFD}"])
    #expect(torn.continues == [false, true, false, false])
    // A token without bytes goes on with nothing.
    #expect(read([0xC3], [], [0xA9]).texts == ["é", "", ""])
    #expect(read([0xC3], [], [0xA9]).continues == [false, false, true])
  }

  @Test func emojiAndChineseInSmolLM2() throws {
    let tokenizer = try Golden.smollm2.get().tokenizer
    for text in ["I like 😀!", "你好，世界", "龘𠮷 a", "naïve 🤷‍♀️"] {
      let ids = try tokenizer.encode(text)
      let shown = TokenTexts(ids, tokenizer: tokenizer)
      #expect(shown.texts.joined() == text)
      #expect(!shown.texts.joined().contains("\u{FFFD}"))
      #expect(shown.continues.contains(true), "\(text) has no spread character")
      #expect(tokenizer.texts(of: ids) == shown.texts)
    }
    let face = try tokenizer.texts(of: tokenizer.encode("I like 😀!"))
    #expect(face.prefix(2) == ["I", " like"] && face.contains { $0.hasSuffix("😀") })
    #expect(face.last == "!")
  }

  @Test func anAddedSpaceBelongsToNoToken() throws {
    let tokenizer = try SentencePieceTokenizer(
      TokenizerVocabulary(
        model: "llama", pieces: ["<unk>", "▁", "▁a", "a"], scores: [0, -2, -1, -3],
        kinds: [.unknown, .normal, .normal, .normal], addsSpacePrefix: true), place: "x.gguf")
    #expect(try tokenizer.encode("a a") == [2, 2])
    #expect(tokenizer.texts(of: [2, 2]) == ["a", " a"])
  }
}
