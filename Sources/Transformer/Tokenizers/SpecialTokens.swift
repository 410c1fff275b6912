/// Tokens whose text is cut out of the input before anything else: control tokens such as
/// `<|im_start|>` and pieces that the model's makers defined.
struct SpecialTokens: Sendable {
  /// A stretch of the input.
  enum Part: Equatable {
    case text(Range<Int>)
    case token(Int)
  }

  private let table: ByteStringTable
  /// Lengths of the special texts that begin with a byte, longest first.
  private let lengths: [[Int]]

  /// - Parameters:
  ///   - strings: the texts of all tokens.
  ///   - isSpecial: whether a token's text is cut out.
  init(_ strings: ByteStrings, where isSpecial: (Int) -> Bool) {
    var lengths = Array(repeating: Set<Int>(), count: 256)
    for index in 0..<strings.count where isSpecial(index) {
      let bytes = strings[index]
      if let first = bytes.first { lengths[Int(first)].insert(bytes.count) }
    }
    table = ByteStringTable(strings, where: isSpecial)
    self.lengths = lengths.map { $0.sorted(by: >) }
  }

  /// Cuts `text` at special texts, from the left, the longest first.
  func parts(of text: Span<UInt8>) -> [Part] {
    var parts: [Part] = []
    var start = 0
    var position = 0
    scan: while position < text.count {
      for length in lengths[Int(text[position])] where position + length <= text.count {
        let found = table.index(of: text.extracting(position..<position + length))
        guard let found else { continue }
        if start < position { parts.append(.text(start..<position)) }
        parts.append(.token(found))
        position += length
        start = position
        continue scan
      }
      position += 1
    }
    if start < text.count { parts.append(.text(start..<text.count)) }
    return parts
  }
}
