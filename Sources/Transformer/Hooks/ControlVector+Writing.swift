import Foundation
import TensorCore

extension ControlVector {
  /// Writes the vector as llama.cpp's own generator does: GGUF version 3, one f32 tensor `direction.N` a
  /// block.
  ///
  /// - Parameter family: the model's family as GGUF names it, a hint for readers.
  public func write(to path: String, family: String) throws {
    var file = Data("GGUF".utf8)
    file.append(UInt32(3))
    file.append(UInt64(directions.count))
    file.append(UInt64(3))
    // Metadata: key, type (8 is a text, 5 an i32), value.
    file.append(text: "general.architecture")
    file.append(UInt32(8))
    file.append(text: "controlvector")
    file.append(text: "controlvector.model_hint")
    file.append(UInt32(8))
    file.append(text: family)
    file.append(text: "controlvector.layer_count")
    file.append(UInt32(5))
    file.append(UInt32(directions.count))
    var offset = 0
    for (layer, vector) in directions {
      file.append(text: "direction.\(layer)")
      file.append(UInt32(1))
      file.append(UInt64(vector.count))
      // Type 0 is f32.
      file.append(UInt32(0))
      file.append(UInt64(offset))
      offset += Self.aligned(vector.count * MemoryLayout<Float>.size)
    }
    for (_, vector) in directions {
      file.append(Data(count: Self.aligned(file.count) - file.count))
      for value in vector { file.append(value.bitPattern) }
    }
    try Files.write(file, to: path)
  }

  /// The next multiple of GGUF's alignment.
  private static func aligned(_ count: Int) -> Int { (count + 31) / 32 * 32 }
}

extension Data {
  fileprivate mutating func append(_ number: some FixedWidthInteger) {
    Swift.withUnsafeBytes(of: number.littleEndian) { append(contentsOf: $0) }
  }

  /// A length and the bytes.
  fileprivate mutating func append(text: String) {
    append(UInt64(text.utf8.count))
    append(contentsOf: text.utf8)
  }
}
