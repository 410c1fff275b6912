/// What tokens stand for: token ids to bytes.
struct TokenDecoder: Sendable {
  /// By token id.
  private let strings: ByteStrings
  /// What tokens stand for at the start of a sequence, where that differs (Metaspace).
  private var firstStrings: ByteStrings?
  private var strip: Strip?

  /// What is taken away at the ends of a sequence, and how many of it at most.
  struct Strip: Sendable {
    var bytes: [UInt8]
    var start: Int
    var end: Int

    func callAsFunction(_ text: [UInt8]) -> [UInt8] {
      guard !bytes.isEmpty else { return text }
      var rest = text[...]
      for _ in 0..<start {
        guard rest.starts(with: bytes) else { break }
        rest = rest.dropFirst(bytes.count)
      }
      for _ in 0..<end {
        guard rest.count >= bytes.count, rest.suffix(bytes.count).elementsEqual(bytes) else {
          break
        }
        rest = rest.dropLast(bytes.count)
      }
      return Array(rest)
    }
  }

  init(
    _ strings: ByteStrings, atStart firstStrings: ByteStrings? = nil,
    strip: Strip? = nil
  ) {
    self.strings = strings
    self.firstStrings = firstStrings
    self.strip = strip
  }

  /// Takes one space away that encoding put before the text.
  init(_ strings: ByteStrings, droppingFirstSpace: Bool) {
    self.init(strings, strip: droppingFirstSpace ? Strip(bytes: [0x20], start: 1, end: 0) : nil)
  }

  /// Of pieces that stand for their own text.
  init(texts: [String]) {
    var strings = ByteStrings(capacity: texts.count)
    for text in texts {
      strings.append(contentsOf: text.utf8)
      strings.finish()
    }
    self.init(strings)
  }

  /// Of a model without pieces: token 17 is `<17>`.
  init(numbersBelow count: Int) { self.init(texts: (0..<count).map { "<\($0)>" }) }

  var vocabularySize: Int { strings.count }

  func bytes(of id: Int) -> [UInt8] { Array(strings[id]) }

  func bytes(of ids: [Int]) -> [UInt8] {
    var bytes: [UInt8] = []
    for (index, id) in ids.enumerated() {
      bytes += index == 0 ? (firstStrings ?? strings)[id] : strings[id]
    }
    return strip?(bytes) ?? bytes
  }
}
