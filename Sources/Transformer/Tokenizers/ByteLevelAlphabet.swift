/// GPT-2's way of writing bytes as printable characters, in which piece texts and merges are stored.
///
/// The 188 printable bytes of Latin-1 stand for themselves; the other 68, in rising order, are
/// U+0100, U+0101 and so on (a space is U+0120, "Ġ").
public enum ByteLevelAlphabet {
  private static func standsForItself(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x21...0x7E, 0xA1...0xAC, 0xAE...0xFF: true
    default: false
    }
  }

  /// The scalar that writes each byte.
  public static let scalars: [Unicode.Scalar] = {
    var shifted: [Unicode.Scalar] = []
    for byte in UInt8.min...UInt8.max where !standsForItself(byte) {
      if let scalar = Unicode.Scalar(0x100 + UInt32(shifted.count)) { shifted.append(scalar) }
    }
    var next = shifted.makeIterator()
    return (UInt8.min...UInt8.max).map { byte in
      standsForItself(byte) ? Unicode.Scalar(byte) : next.next() ?? Unicode.Scalar(byte)
    }
  }()

  /// The byte that a scalar below U+0144 writes, by scalar value.
  private static let bytes: [UInt8?] = {
    var bytes = [UInt8?](repeating: nil, count: 0x144)
    for (byte, scalar) in scalars.enumerated() { bytes[Int(scalar.value)] = UInt8(byte) }
    return bytes
  }()

  /// The byte that `scalar` writes, if any.
  static func byte(_ scalar: Unicode.Scalar) -> UInt8? {
    let value = Int(scalar.value)
    return value < bytes.count ? bytes[value] : nil
  }

  /// Puts the bytes that a piece writes into `text`.
  ///
  /// - Returns: whether all of its scalars are of the alphabet.
  static func decode(_ piece: ArraySlice<UInt8>, into text: inout [UInt8]) -> Bool {
    text.removeAll(keepingCapacity: true)
    return piece.withUnsafeBufferPointer { bytes in
      let bytes = bytes.span
      var position = 0
      while position < bytes.count {
        let (scalar, length) = bytes.scalar(at: position)
        guard let byte = byte(scalar) else { return false }
        text.append(byte)
        position += length
      }
      return true
    }
  }
}
