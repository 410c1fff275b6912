/// A published rule that cuts text into pieces, matched by hand over classes of Unicode scalars: what
/// most models have, and many times as fast as `RegularExpression`, which runs all others.
enum PieceRule: Sendable, Equatable {
  /// GPT-2: `'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`.
  case gpt2
  /// SmolLM: each number scalar by itself, GPT-2's rule on each stretch between them.
  case smollm
  /// Llama 3 (numbers of up to three digits) and Qwen 2 (single digits):
  /// `(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,n}| ?[^\s\p{L}\p{N}]+[\r\n]*`
  /// `|\s*[\r\n]+|\s+(?!\S)|\s+`.
  case lineAware(maximumDigits: Int)

  /// The rule that a regular expression spells out, if it is one of these.
  init?(expression: String) {
    switch expression {
    case Self.gpt2Expression: self = .gpt2
    case Self.lineAwareExpression(digits: #"\p{N}{1,3}"#): self = .lineAware(maximumDigits: 3)
    case Self.lineAwareExpression(digits: #"\p{N}"#): self = .lineAware(maximumDigits: 1)
    default: return nil
    }
  }

  static let gpt2Expression =
    #"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"#

  /// The expression of Llama 3 and Qwen 2, which differ in how they cut numbers.
  static func lineAwareExpression(digits: String) -> String {
    #"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|"# + digits
      + #"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"#
  }

  /// Cuts a text.
  ///
  /// - Returns: where each piece ends, as an index of scalars, in rising order; the last is the
  ///   text's end.
  func pieceEnds(of scalars: ClassifiedText) -> [Int] {
    var ends: [Int] = []
    ends.reserveCapacity(scalars.count / 3)
    var start = 0
    // Where the next number is (SmolLM), so that each is looked for once.
    var stretchEnd = 0
    while start < scalars.count {
      let end: Int
      switch self {
      case .gpt2: end = scalars.endOfGPT2Piece(from: start, limit: scalars.count)
      case .smollm:
        if stretchEnd <= start { stretchEnd = scalars.nextNumber(from: start) }
        end =
          stretchEnd == start
          ? start + 1 : scalars.endOfGPT2Piece(from: start, limit: stretchEnd)
      case .lineAware(let digits):
        end = scalars.endOfLineAwarePiece(from: start, maximumDigits: digits)
      }
      ends.append(end)
      start = end
    }
    return ends
  }
}

extension ClassifiedText {
  /// Where GPT-2's rule ends the piece that starts at `start`, in a text that ends at `limit`.
  func endOfGPT2Piece(from start: Int, limit: Int) -> Int {
    if let end = endOfContraction(from: start, limit: limit, ignoringCase: false) { return end }
    // " ?" takes a space only where the run behind it is not whitespace.
    let leadsRun = self[start] == " " && start + 1 < limit && classes[start + 1] != .whitespace
    let first = leadsRun ? start + 1 : start
    if classes[first] != .whitespace {
      return endOfRun(of: classes[first], from: first, limit: limit)
    }
    return endOfWhitespace(from: start, limit: limit)
  }

  /// The first number at or after `start`, or the end of the text.
  func nextNumber(from start: Int) -> Int {
    classes[start...].firstIndex(of: .number) ?? count
  }

  /// Where the rule of Llama 3 and Qwen 2 ends the piece that starts at `start`.
  func endOfLineAwarePiece(from start: Int, maximumDigits: Int) -> Int {
    if let end = endOfContraction(from: start, limit: count, ignoringCase: true) { return end }
    switch classes[start] {
    case .letter: return endOfRun(of: .letter, from: start, limit: count)
    case .number:
      return endOfRun(of: .number, from: start, limit: min(count, start + maximumDigits))
    case .whitespace, .other:
      if !isLineBreak(start), start + 1 < count, classes[start + 1] == .letter {
        return endOfRun(of: .letter, from: start + 1, limit: count)
      }
    }
    let leadsRun = self[start] == " " && start + 1 < count && classes[start + 1] == .other
    let first = leadsRun ? start + 1 : start
    if classes[first] == .other {
      var end = endOfRun(of: .other, from: first, limit: count)
      while end < count, isLineBreak(end) { end += 1 }
      return end
    }
    let runEnd = endOfRun(of: .whitespace, from: start, limit: count)
    if let lineBreak = (start..<runEnd).last(where: isLineBreak) { return lineBreak + 1 }
    return endOfWhitespace(from: start, limit: count)
  }

  /// `\s+(?!\S)|\s+`: whitespace before a word leaves its last scalar to the word.
  private func endOfWhitespace(from start: Int, limit: Int) -> Int {
    let end = endOfRun(of: .whitespace, from: start, limit: limit)
    return end < limit && end - start > 1 ? end - 1 : end
  }

  private func endOfRun(of kind: ScalarClass, from start: Int, limit: Int) -> Int {
    var end = start
    while end < limit, classes[end] == kind { end += 1 }
    return end
  }

  private func isLineBreak(_ index: Int) -> Bool { self[index] == "\n" || self[index] == "\r" }

  /// The end of `'s 't 're 've 'm 'll 'd` at `start`, if one is there.
  private func endOfContraction(from start: Int, limit: Int, ignoringCase: Bool) -> Int? {
    guard self[start] == "'", start + 1 < limit else { return nil }
    func letter(_ index: Int) -> Unicode.Scalar? {
      guard index < limit else { return nil }
      let scalar = self[index]
      guard ignoringCase else { return scalar }
      // The only scalar outside ASCII that case-folds to one of these letters.
      if scalar == "\u{17F}" { return "s" }
      guard scalar.isASCII, scalar.properties.isUppercase else { return scalar }
      return Unicode.Scalar(UInt8(truncatingIfNeeded: scalar.value) | 0x20)
    }
    switch (letter(start + 1), letter(start + 2)) {
    case ("s", _), ("t", _), ("m", _), ("d", _): return start + 2
    case ("r", "e"), ("v", "e"), ("l", "l"): return start + 3
    default: return nil
    }
  }
}
