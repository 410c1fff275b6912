/// A token whose text is cut out of the input before anything else: `<|im_start|>`, or a piece that
/// the model's makers defined.
struct AddedToken: Sendable {
  var id: Int
  var text: [UInt8]
  /// A control token, which is text like any other unless special tokens are parsed.
  var isSpecial = false
  /// Whether it takes the whitespace before and behind it.
  var stripsLeft = false
  var stripsRight = false
  /// Whether it must not touch letters, digits, marks or connectors.
  var isSingleWord = false
  /// Whether it is looked for, itself normalised, in the normalised text.
  var isNormalised = false
}

/// Finds added tokens as Hugging Face's tokenizers do: from the left, the longest first. One that may
/// not be taken where it was found is text, and no other is looked for inside it.
struct AddedTokens: Sendable {
  /// A stretch of the input.
  enum Part: Equatable {
    case text(Range<Int>)
    case token(Int)
  }

  private let tokens: [AddedToken]
  private let table: ByteStringTable
  /// Lengths of the texts that begin with a byte, longest first.
  private let lengths: [[Int]]

  var isEmpty: Bool { tokens.isEmpty }

  init(_ tokens: [AddedToken]) {
    // Of equal texts the special one counts.
    let tokens = (tokens.filter(\.isSpecial) + tokens.filter { !$0.isSpecial })
      .filter { !$0.text.isEmpty }
    var lengths = Array(repeating: Set<Int>(), count: 256)
    var strings = ByteStrings(capacity: tokens.count)
    for token in tokens {
      if let first = token.text.first { lengths[Int(first)].insert(token.text.count) }
      strings.append(contentsOf: token.text)
      strings.finish()
    }
    self.tokens = tokens
    table = ByteStringTable(strings)
    self.lengths = lengths.map { $0.sorted(by: >) }
  }

  /// Cuts `text` at added tokens.
  func parts(of text: Span<UInt8>, parsingSpecialTokens: Bool) -> [Part] {
    guard !text.isEmpty else { return [] }
    guard !tokens.isEmpty else { return [.text(0..<text.count)] }
    var parts: [Part] = []
    var start = 0
    var position = 0
    while position < text.count {
      guard let (token, length) = match(in: text, at: position) else {
        position += 1
        continue
      }
      let found = position
      position += length
      guard parsingSpecialTokens || !token.isSpecial else { continue }
      if token.isSingleWord, touchesWord(text, found..<position) { continue }
      var first = found
      var last = position
      while token.stripsLeft, first > start {
        let (scalar, length) = text.scalar(before: first)
        guard scalar.isWhiteSpace else { break }
        first -= length
      }
      while token.stripsRight, last < text.count {
        let (scalar, length) = text.scalar(at: last)
        guard scalar.isWhiteSpace else { break }
        last += length
      }
      if start < first { parts.append(.text(start..<first)) }
      parts.append(.token(token.id))
      start = last
    }
    if start < text.count { parts.append(.text(start..<text.count)) }
    return parts
  }

  private func match(in text: Span<UInt8>, at position: Int) -> (token: AddedToken, length: Int)? {
    for length in lengths[Int(text[position])] where position + length <= text.count {
      if let found = table.index(of: text.extracting(position..<position + length)) {
        return (tokens[found], length)
      }
    }
    return nil
  }

  private func touchesWord(_ text: Span<UInt8>, _ range: Range<Int>) -> Bool {
    let before = range.lowerBound > 0 && text.scalar(before: range.lowerBound).scalar.isWordOfRust
    let after =
      range.upperBound < text.count && text.scalar(at: range.upperBound).scalar.isWordOfRust
    return before || after
  }
}
