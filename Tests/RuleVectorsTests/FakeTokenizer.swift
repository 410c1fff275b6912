import Foundation
import Synchronization
import Transformer

/// A tokenizer whose pieces a closure cuts; ids are given in order of first appearance.
final class FakeTokenizer: Tokenizer {
  private struct Vocabulary {
    var ids: [[UInt8]: Int] = [:]
    var pieces: [[UInt8]] = []
  }
  private let vocabulary = Mutex(Vocabulary())
  private let cut: @Sendable ([UInt8]) -> [[UInt8]]

  init(cut: @escaping @Sendable ([UInt8]) -> [[UInt8]]) { self.cut = cut }

  var vocabularySize: Int { vocabulary.withLock { $0.pieces.count } }

  func encode(_ text: String, parsingSpecialTokens: Bool) -> [Int] {
    let pieces = cut(Array(text.utf8))
    return vocabulary.withLock { vocabulary in
      pieces.map { piece in
        if let id = vocabulary.ids[piece] { return id }
        vocabulary.pieces.append(piece)
        vocabulary.ids[piece] = vocabulary.pieces.count - 1
        return vocabulary.pieces.count - 1
      }
    }
  }

  func bytes(of id: Int) -> [UInt8] {
    vocabulary.withLock { $0.pieces.indices.contains(id) ? $0.pieces[id] : [] }
  }

  /// `size` bytes a token, counted from the start of the text: tokens straddle everything.
  static func chunks(_ size: Int) -> FakeTokenizer {
    FakeTokenizer { bytes in
      stride(from: 0, to: bytes.count, by: size).map {
        Array(bytes[$0..<min(bytes.count, $0 + size)])
      }
    }
  }

  /// As byte-level tokenizers cut: a word with the space before it, line breaks apart; words longer
  /// than `longest` bytes are cut further.
  static func words(longest: Int = .max) -> FakeTokenizer {
    FakeTokenizer { bytes in
      var pieces: [[UInt8]] = []
      for byte in bytes {
        let starts =
          byte == 0x20 || byte == 0x0A || pieces.last?.last == 0x0A
          || (pieces.last?.count ?? .max) >= longest
        if starts { pieces.append([byte]) } else { pieces[pieces.count - 1].append(byte) }
      }
      return pieces
    }
  }

  /// A space before the text, as SentencePiece adds it.
  static var spacePrefixed: FakeTokenizer {
    let words = FakeTokenizer.words()
    return FakeTokenizer { bytes in words.cut([0x20] + bytes) }
  }
}
