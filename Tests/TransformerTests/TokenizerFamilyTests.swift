import TensorCore
import Testing

@testable import Transformer

/// Ids and texts are those of Hugging Face tokenizers 0.23.3 and sentencepiece 0.2.3.
@Suite struct TokenizerFamilyTests {
  @Test(arguments: TokenizerFamily.json + TokenizerFamily.sentencePiece)
  func textsAreCutAndReadAsByThePeer(_ name: String) throws {
    let tokenizer = try TokenizerFamily.tokenizer(name)
    let texts = try JSONReader(contentsOf: TokenizerFamily.path("texts.json")).list()
      .map { try $0.string() }
    let cases = try #require(try TokenizerFamily.object("cases.json")[name])
    let fields = Dictionary(uniqueKeysWithValues: try cases.entries())
    let ids = try #require(try fields["ids"]?.list())
    let decoded = try #require(try fields["decoded"]?.list())
    #expect(texts.count == 100 && ids.count == 100 && decoded.count == 100)
    for (index, text) in texts.enumerated() {
      let expected = try ids[index].list().map { try $0.integer() }
      let found = try tokenizer.encode(text, parsingSpecialTokens: !name.hasPrefix("spm"))
      #expect(found == expected, "\(name): \(text.debugDescription)")
      let read = decoded[index].value == .null ? text : try decoded[index].string()
      #expect(tokenizer.decode(expected).utf8.elementsEqual(read.utf8), "\(name): \(expected)")
    }
  }

  /// Special tokens are parsed in the texts of even number.
  @Test(arguments: TokenizerFamily.json + TokenizerFamily.sentencePiece)
  func tenThousandRandomTextsGiveThePeersDigest(_ name: String) throws {
    let tokenizer = try TokenizerFamily.tokenizer(name)
    let texts = try RandomTexts(seed: 14)
    var idDigest = Digest()
    var textDigest = Digest()
    for index in 0..<10_000 {
      let ids = try tokenizer.encode(
        texts[index], parsingSpecialTokens: index % 2 == 0 && !name.hasPrefix("spm"))
      for id in ids { idDigest.add(UInt32(id)) }
      idDigest.add(.max)
      textDigest.add(tokenizer.decode(ids).utf8)
      textDigest.add([0xFF])
    }
    let digests = try #require(try TokenizerFamily.object("digests.json")[name])
    let fields = Dictionary(uniqueKeysWithValues: try digests.entries())
    #expect(try idDigest.text == fields["ids"]?.string())
    #expect(try textDigest.text == fields["decoded"]?.string())
  }

  /// `tokenizers` gives [0, 12, 1] and [0, 11, 0, 6, 12] for the like of these.
  @Test func addedTokensTakeSpacesAndStandAlone() throws {
    let tokenizer = try TokenizerFamily.tokenizer("gpt2")
    let (a, b, x) = (
      try tokenizer.encode("a"), try tokenizer.encode("b"), try tokenizer.encode("x")
    )
    let mark = try tokenizer.encode("<m>")
    let word = try tokenizer.encode("xa")
    #expect(mark.count == 1 && word.count == 1)
    #expect(try tokenizer.encode("a <m> b") == a + mark + b)
    #expect(try tokenizer.encode("a \n<m>\u{3000}b") == a + mark + b)
    #expect(try tokenizer.encode("axa") == a + x + a)
    #expect(try tokenizer.encode("axa xa") == a + x + a + (try tokenizer.encode(" ")) + word)
    #expect(try tokenizer.encode("xa_") != word + (try tokenizer.encode("_")))
    #expect(try tokenizer.encode("xa-") == word + (try tokenizer.encode("-")))
  }
}
