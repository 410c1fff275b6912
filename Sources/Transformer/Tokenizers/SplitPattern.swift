/// What a step of a tokenizer looks for in a text.
enum SplitPattern: Sendable {
  /// A rule that cuts all of the text.
  case rule(PieceRule)
  case expression(RegularExpression)
  /// This very text.
  case text([Unicode.Scalar])
  /// Each scalar of general category N.
  case numbers
  case punctuation
  /// Each whitespace scalar.
  case whitespace

  /// Where it is found, from the left, none overlapping another, as ranges of scalars.
  func matches(in text: ClassifiedText) throws -> [Range<Int>] {
    switch self {
    case .rule(let rule):
      let ends = rule.pieceEnds(of: text)
      return zip([0] + ends, ends).map { $0..<$1 }
    case .expression(let expression): return try expression.matches(in: text)
    case .numbers: return text.scalars(where: \.isNumber)
    case .punctuation: return text.scalars(where: \.isPunctuation)
    case .whitespace: return text.scalars(where: \.isWhiteSpace)
    case .text(let wanted):
      var matches: [Range<Int>] = []
      var position = 0
      while !wanted.isEmpty, position + wanted.count <= text.count {
        if wanted.indices.allSatisfy({ text[position + $0] == wanted[$0] }) {
          matches.append(position..<position + wanted.count)
          position += wanted.count
        } else {
          position += 1
        }
      }
      return matches
    }
  }
}

extension ClassifiedText {
  fileprivate func scalars(where isWanted: (Unicode.Scalar) -> Bool) -> [Range<Int>] {
    (0..<count).filter { isWanted(self[$0]) }.map { $0..<$0 + 1 }
  }
}

extension Unicode.Scalar {
  /// General category N*, in the newest Unicode, as Rust's `is_numeric` has it.
  fileprivate var isNumber: Bool {
    if isASCII { return ("0"..."9").contains(self) }
    return switch properties.generalCategory {
    case .decimalNumber, .letterNumber, .otherNumber: true
    default: false
    }
  }

  /// ASCII's punctuation and signs, and what is punctuation in Unicode 8, as the Rust crate has it
  /// that Hugging Face's tokenizers ask.
  fileprivate var isPunctuation: Bool {
    switch value {
    case 0x21...0x2F, 0x3A...0x40, 0x5B...0x60, 0x7B...0x7E, 0x166D, 0x111C9: true
    default:
      !ScalarCategory(of: self).isDisjoint(with: .punctuation)
        && properties.age.map { $0.major <= 8 } ?? false
    }
  }
}

/// What becomes of the text that a pattern matches, as Hugging Face names it.
enum SplitBehavior: String, Sendable {
  case removed = "Removed"
  case isolated = "Isolated"
  case mergedWithPrevious = "MergedWithPrevious"
  case mergedWithNext = "MergedWithNext"
  case contiguous = "Contiguous"

  /// The pieces of a text of `count` scalars with these matches, without what is dropped.
  ///
  /// - Parameter inverts: whether the text between the matches counts as the matches.
  func pieces(_ matches: [Range<Int>], count: Int, inverts: Bool) -> [Range<Int>] {
    var parts: [(range: Range<Int>, isMatch: Bool)] = []
    var start = 0
    for match in matches {
      if start < match.lowerBound { parts.append((start..<match.lowerBound, inverts)) }
      parts.append((match, !inverts))
      start = match.upperBound
    }
    if start < count { parts.append((start..<count, inverts)) }

    var pieces: [Range<Int>] = []
    func extend(_ range: Range<Int>) {
      guard let last = pieces.popLast() else { return pieces.append(range) }
      pieces.append(last.lowerBound..<range.upperBound)
    }
    var previous: Bool?
    switch self {
    case .removed: pieces = parts.filter { !$0.isMatch }.map(\.range)
    case .isolated: pieces = parts.map(\.range)
    case .contiguous:
      for part in parts {
        if part.isMatch == previous { extend(part.range) } else { pieces.append(part.range) }
        previous = part.isMatch
      }
    case .mergedWithPrevious:
      for part in parts {
        if part.isMatch, previous == false { extend(part.range) } else { pieces.append(part.range) }
        previous = part.isMatch
      }
    case .mergedWithNext:
      for part in parts {
        if !part.isMatch, previous == true { extend(part.range) } else { pieces.append(part.range) }
        previous = part.isMatch
      }
    }
    return pieces.filter { !$0.isEmpty }
  }
}
