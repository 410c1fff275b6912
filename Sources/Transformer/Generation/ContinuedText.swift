/// The text of tokens behind a prompt, as they come: a character that is spread over several tokens
/// comes with the last of them.
public struct ContinuedText {
  private let tokenizer: any Tokenizer
  private var tokens: [Int]
  /// Bytes of the whole sequence that have been given out, the prompt's to begin with.
  private var given: Int

  /// - Parameter prompt: its tokens; a first token of its own might lose its space.
  public init(after prompt: [Int], tokenizer: any Tokenizer) {
    self.tokenizer = tokenizer
    tokens = prompt
    given = tokenizer.bytes(of: prompt).count
  }

  /// The text that `token` completes.
  public mutating func append(_ token: Int) -> String {
    tokens.append(token)
    return text(upTo: { $0.count - Self.unfinished($0) })
  }

  /// What is left in the end: bytes of a character that never came, as U+FFFD.
  public mutating func finish() -> String { text(upTo: \.count) }

  private mutating func text(upTo end: ([UInt8]) -> Int) -> String {
    let bytes = tokenizer.bytes(of: tokens)
    let end = max(end(bytes), given)
    defer { given = end }
    return given < end ? String(decoding: bytes[given..<end], as: UTF8.self) : ""
  }

  /// Bytes at the end that begin a character of UTF-8 and lack its rest.
  private static func unfinished(_ bytes: [UInt8]) -> Int {
    for count in 1...3 where count <= bytes.count {
      let byte = bytes[bytes.count - count]
      if byte & 0xC0 == 0x80 { continue }
      let length = byte < 0xC0 ? 1 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : byte < 0xF8 ? 4 : 1
      return length > count ? count : 0
    }
    return 0
  }
}
