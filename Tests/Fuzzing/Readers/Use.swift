import TensorCore

@testable import Transformer

extension FuzzedReader {
  /// Texts that reach what tokenizers do with spaces, digits, marks, bytes and special tokens.
  private static let texts = [
    "", " a  b\n\n12345 ", "don't é e\u{301} ▁x\0\u{10FFFF}", "<s><unk><|im_start|>[PAD]",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
  ]

  /// Encodes and decodes, and holds the tokenizer to ids that exist.
  ///
  /// - Throws: what encoding throws.
  static func use(_ tokenizer: any Tokenizer) throws {
    let count = tokenizer.vocabularySize
    for text in texts {
      for parses in [false, true] {
        let ids = try tokenizer.encode(text, parsingSpecialTokens: parses)
        precondition(ids.allSatisfy { (0..<count).contains($0) }, "an id outside the vocabulary")
        let decoded = tokenizer.decode(ids)
        precondition(
          tokenizer.texts(of: ids).joined() == decoded, "the tokens' texts are not the text")
      }
    }
    for id in [-1, 0, count - 1, count, Int.max] { _ = tokenizer.bytes(of: id) }
  }

  /// Runs a small model on two tokens; its numbers may be anything.
  static func use(_ model: LanguageModel) throws {
    let architecture = model.architecture
    let sizes = [
      architecture.queryWidth, architecture.keyWidth, architecture.hiddenWidth, architecture.width,
      architecture.vocabulary,
    ]
    guard architecture.layers <= 4, sizes.allSatisfy({ $0 <= 4096 }) else { return }
    let engine = Engine(model: model, threads: 1)
    _ = try engine.forward(
      ForwardRequest(
        tokens: [0, architecture.vocabulary - 1],
        logits: LogitRequest(positions: [1], tokens: .all)))
  }
}
