/// The text of each token of a sequence, where one character may be spread over several tokens.
///
/// A character (a Unicode scalar) belongs to the token that holds its first byte; a token that only
/// goes on with one has no text of its own. Together the texts are the sequence's text.
public struct TokenTexts: Sendable {
  /// By place in the sequence.
  public let texts: [String]
  /// Whether a token begins inside a character, by place in the sequence.
  public let continues: [Bool]

  public init(_ ids: [Int], tokenizer: some Tokenizer) {
    let pieces = ids.map { tokenizer.bytes(of: $0) }
    // A space that the vocabulary put before the text belongs to no token.
    var added = pieces.reduce(0) { $0 + $1.count } - tokenizer.bytes(of: ids).count
    var bytes: [UInt8] = []
    var starts: [Int] = []
    for piece in pieces {
      starts.append(bytes.count)
      let dropped = min(max(added, 0), piece.count)
      added -= dropped
      bytes += piece.dropFirst(dropped)
    }
    let scalars = Self.scalarStarts(bytes)
    var texts: [String] = []
    var continues: [Bool] = []
    var scalar = 0
    for (token, start) in starts.enumerated() {
      let end = token + 1 < starts.count ? starts[token + 1] : bytes.count
      let first = scalar
      while scalar < scalars.count, scalars[scalar] < end { scalar += 1 }
      func place(_ index: Int) -> Int { index < scalars.count ? scalars[index] : bytes.count }
      texts.append(
        first == scalar
          ? "" : String(decoding: bytes[place(first)..<place(scalar)], as: UTF8.self))
      continues.append(start < end && place(first) != start)
    }
    self.texts = texts
    self.continues = continues
  }

  /// Where each scalar begins, and each maximal ill-formed part, which decodes to U+FFFD.
  private static func scalarStarts(_ bytes: [UInt8]) -> [Int] {
    var starts: [Int] = []
    var position = 0
    var parser = Unicode.UTF8.ForwardParser()
    var rest = bytes.makeIterator()
    while true {
      switch parser.parseScalar(from: &rest) {
      case .valid(let scalar):
        starts.append(position)
        position += scalar.count
      case .error(let length):
        starts.append(position)
        position += length
      case .emptyInput: return starts
      }
    }
  }
}

extension Tokenizer {
  /// The text of each token of a sequence; see `TokenTexts`. Joined they are `decode(ids)`.
  public func texts(of ids: [Int]) -> [String] { TokenTexts(ids, tokenizer: self).texts }
}
