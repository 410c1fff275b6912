import CSentencePiece
import TensorCore

/// libsentencepiece's processor; its encoding does not change it, so threads may share it.
final class SentencePieceProcessor: @unchecked Sendable {
  private let handle: OpaquePointer

  /// - Parameter model: a serialised `ModelProto`.
  init(_ model: [UInt8], place: String) throws {
    var message = [CChar](repeating: 0, count: 512)
    let handle = model.withUnsafeBufferPointer { bytes in
      sentencepiece_load(bytes.baseAddress, bytes.count, &message, message.count)
    }
    guard let handle else {
      let reason = String(
        decoding: message.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
      throw UserError(
        "the vocabulary does not make a SentencePiece model: \(reason)", at: place,
        remedy: "get the model file again, or use token ids")
    }
    self.handle = handle
  }

  deinit { sentencepiece_free(handle) }

  func encode(_ text: Span<UInt8>) throws -> [Int] {
    try text.withUnsafeBufferPointer { bytes in
      var ids: UnsafeMutablePointer<Int32>?
      let count = sentencepiece_encode(handle, bytes.baseAddress, bytes.count, &ids)
      defer { sentencepiece_free_ids(ids) }
      guard count >= 0 else { throw UserError("libsentencepiece cannot cut the text") }
      return UnsafeBufferPointer(start: ids, count: count).map(Int.init)
    }
  }
}
