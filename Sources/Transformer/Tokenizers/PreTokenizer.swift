/// How text is cut into pieces that merges never cross, as steps in their order.
struct PreTokenizer: Sendable {
  enum Step: Sendable {
    case split(SplitPattern, SplitBehavior, inverts: Bool)
    /// A space before each piece that does not begin with one (ByteLevel's `add_prefix_space`).
    case spaceBefore
    /// Bytes become the characters of GPT-2's alphabet (ByteLevel, where other steps follow).
    case alphabet
    case metaspace(Metaspace)
  }

  /// SentencePiece's way with spaces, which become a visible character.
  struct Metaspace: Sendable {
    enum Prefix: String, Sendable {
      case always, first, never
    }

    var replacement: Unicode.Scalar
    var prefix: Prefix
    var splits: Bool
  }

  /// A text and where its pieces end.
  struct Pieces {
    var text: [UInt8]
    var ends: [Int] = []

    mutating func endPiece() {
      if text.count > (ends.last ?? 0) { ends.append(text.count) }
    }
  }

  var steps: [Step]

  init(_ steps: [Step]) { self.steps = steps }

  /// Where the pieces of `text` end, in bytes, if the steps leave the text as it is and there is but
  /// one: what most models have, without a copy of the text.
  func endsOfOneStep(_ text: Span<UInt8>) throws -> [Int]? {
    if steps.isEmpty { return [text.count] }
    guard steps.count == 1, case .split(let pattern, let behavior, let inverts) = steps[0],
      behavior != .removed
    else { return nil }
    let scalars = ClassifiedText(text)
    if case .rule(let rule) = pattern, !inverts {
      return rule.pieceEnds(of: scalars).map(scalars.offset)
    }
    return behavior.pieces(
      try pattern.matches(in: scalars), count: scalars.count, inverts: inverts
    ).map { scalars.offset(of: $0.upperBound) }
  }

  /// The pieces of `text`.
  ///
  /// - Parameter isFirst: whether the whole input begins with it.
  func pieces(of text: [UInt8], isFirst: Bool) throws -> Pieces {
    var pieces = Pieces(text: text)
    pieces.endPiece()
    for step in steps {
      var next = Pieces(text: [])
      var start = 0
      for end in pieces.ends {
        let piece = pieces.text[start..<end]
        try Self.add(piece, isFirst: isFirst && start == 0, step, to: &next)
        start = end
      }
      try Normalizer.checkGrowth(of: text.count, to: next.text.count)
      pieces = next
    }
    return pieces
  }

  private static func add(
    _ piece: ArraySlice<UInt8>, isFirst: Bool, _ step: Step, to pieces: inout Pieces
  ) throws {
    switch step {
    case .split(let pattern, let behavior, let inverts):
      try piece.withUnsafeBufferPointer { bytes in
        let scalars = ClassifiedText(bytes.span)
        let ranges = behavior.pieces(
          try pattern.matches(in: scalars), count: scalars.count, inverts: inverts)
        for range in ranges {
          let first = scalars.offset(of: range.lowerBound)
          pieces.text += bytes[first..<scalars.offset(of: range.upperBound)]
          pieces.endPiece()
        }
      }
    case .spaceBefore:
      if piece.first != 0x20 { pieces.text.append(0x20) }
      pieces.text += piece
      pieces.endPiece()
    case .alphabet:
      for byte in piece { pieces.text += String(ByteLevelAlphabet.scalars[Int(byte)]).utf8 }
      pieces.endPiece()
    case .metaspace(let metaspace): add(piece, isFirst: isFirst, metaspace, to: &pieces)
    }
  }

  private static func add(
    _ piece: ArraySlice<UInt8>, isFirst: Bool, _ rule: Metaspace, to pieces: inout Pieces
  ) {
    let mark = Array(String(rule.replacement).utf8)
    let addsMark =
      switch rule.prefix {
      case .always: true
      case .first: isFirst
      case .never: false
      }
    if addsMark, piece.first != 0x20, !piece.starts(with: mark) { pieces.text += mark }
    var rest = piece
    while let byte = rest.first {
      if byte == 0x20 || rest.starts(with: mark) {
        if rule.splits, rest.startIndex > piece.startIndex { pieces.endPiece() }
        pieces.text += mark
        rest = rest.dropFirst(byte == 0x20 ? 1 : mark.count)
      } else {
        pieces.text.append(byte)
        rest = rest.dropFirst()
      }
    }
    pieces.endPiece()
  }
}
