/// The decoder of a `tokenizer.json`, which works token by token as far as it is known here, but for
/// what it takes away at the ends of a sequence.
struct HuggingFaceDecoder {
  enum Step {
    case alphabet
    case byteFallback
    case fuse
    case replace(SplitPattern, with: [UInt8])
    case strip([UInt8], start: Int, end: Int)
    case metaspace([UInt8], dropsAtStart: Bool)
  }

  private let steps: [Step]

  init(_ steps: [Step]) { self.steps = steps }

  init(_ config: HuggingFaceConfig) throws {
    steps = try config.decoderSteps()
    var isFused = false
    var isStripped = false
    for step in steps {
      switch step {
      case .fuse, .alphabet: isFused = true
      case .strip where isFused && !isStripped: isStripped = true
      case .byteFallback where !isFused, .metaspace where !isFused, .replace where !isFused,
        .strip where !isFused:
        break
      default:
        throw config.unknown("decoder", "one with parts behind Fuse or ByteLevel")
      }
    }
  }

  func compiled(_ texts: ByteStrings) throws -> TokenDecoder {
    var strings = ByteStrings(capacity: texts.count)
    for index in texts.indices {
      strings.append(contentsOf: try bytes(texts[index], isFirst: false))
      strings.finish()
    }
    var firstStrings: ByteStrings?
    if steps.contains(where: { if case .metaspace(_, true) = $0 { true } else { false } }) {
      var strings = ByteStrings(capacity: texts.count)
      for index in texts.indices {
        strings.append(contentsOf: try bytes(texts[index], isFirst: true))
        strings.finish()
      }
      firstStrings = strings
    }
    return TokenDecoder(strings, atStart: firstStrings, strip: stripOfWhole)
  }

  private var stripOfWhole: TokenDecoder.Strip? {
    var isFused = false
    for step in steps {
      switch step {
      case .fuse, .alphabet: isFused = true
      case .strip(let content, let start, let end) where isFused:
        return .init(bytes: content, start: start, end: end)
      default: break
      }
    }
    return nil
  }

  private func bytes(_ piece: ArraySlice<UInt8>, isFirst: Bool) throws -> [UInt8] {
    var bytes = Array(piece)
    for step in steps {
      try Normalizer.checkGrowth(of: piece.count, to: bytes.count)
      switch step {
      // What is left works on the whole.
      case .fuse: return bytes
      case .alphabet:
        var decoded: [UInt8] = []
        return ByteLevelAlphabet.decode(bytes[...], into: &decoded) ? decoded : bytes
      case .byteFallback:
        if let byte = BytePairModel.byte(ofFallbackPiece: bytes) { return [byte] }
      case .replace(let pattern, let content):
        bytes = try Normalizer.replaced(bytes, pattern, content)
      case .strip(let content, let start, let end):
        bytes = TokenDecoder.Strip(bytes: content, start: start, end: end)(bytes)
      case .metaspace(let mark, let dropsAtStart):
        var result: [UInt8] = []
        var rest = bytes[...]
        while let byte = rest.first {
          if rest.starts(with: mark) {
            if !(isFirst && dropsAtStart) { result.append(0x20) }
            rest = rest.dropFirst(mark.count)
          } else {
            result.append(byte)
            rest = rest.dropFirst()
          }
        }
        bytes = result
      }
    }
    return bytes
  }
}
