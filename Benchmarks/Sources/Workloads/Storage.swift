import Foundation
import TensorCore
import Transformer

/// Opening a model, and unpacking its weights.
extension Bench {
  /// Seconds to open the model, each time in a new process.
  func load() throws {
    let path = model.path
    let seconds = try (0..<5).map { _ in
      let (text, _) = try Subprocess.run(
        try Subprocess.ownPath(), ["--time-load", path], capturesOutput: true)
      guard let seconds = Double(text.trimmingCharacters(in: .whitespacesAndNewlines)) else {
        throw UserError("the timing process printed \"\(text)\"", at: path)
      }
      return seconds
    }
    results.set("load.seconds", median(seconds))
  }

  /// One thread unpacking Q4_1 rows of the model's shape into memory that stays in cache, G values/s.
  func unpack() throws {
    let rows = 1536
    let columns = 576
    for type in [StoredType.q4_1, .q4_k, .q6_k, .q8_0, .f16] {
      let width = columns.isMultiple(of: type.blockSize) ? columns : 512
      let bytes = (type.bytesPerRow(columns: width) ?? 0) * rows
      let storage = Data((0..<bytes).map { UInt8(truncatingIfNeeded: $0 &* 37 &+ $0 >> 8) })
      let owner = storage as NSData
      let matrix = try StoredMatrix(
        rows: rows, columns: width, type: type,
        bytes: UnsafeRawBufferPointer(start: owner.bytes, count: bytes), owner: Bytes(owner))
      let out = FloatBuffer(count: 64 * width)
      let timing = Timing(repeats: 9, operations: 0, peak: peak) {
        for _ in 0..<4 {
          for start in stride(from: 0, to: rows, by: 64) {
            matrix.unpackRows(start..<start + 64, into: out.pointer)
          }
        }
      }
      results.set(
        "unpack.\(type.name.lowercased()).giga_values_per_second",
        Double(4 * rows * width) / timing.seconds / 1e9)
    }
  }

  /// Keeps the bytes of a matrix alive.
  private final class Bytes: @unchecked Sendable {
    let data: NSData
    init(_ data: NSData) { self.data = data }
  }
}
