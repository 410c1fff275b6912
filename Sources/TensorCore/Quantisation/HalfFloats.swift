/// Numbers stored one by one: f32, f16 (IEEE 754 binary16) and bf16 (the upper half of an f32),
/// each little-endian. All of them are exact in f32.
extension Unpacking {
  static func f32(
    _ source: UnsafeRawPointer, _ count: Int, _ destination: UnsafeMutablePointer<Float>
  ) {
    // The processors that Swift runs on are little-endian, as the file is.
    UnsafeMutableRawPointer(destination).copyMemory(from: source, byteCount: count * 4)
  }

  static func f16(
    _ source: UnsafeRawPointer, _ count: Int, _ destination: UnsafeMutablePointer<Float>
  ) {
    for i in 0..<count { destination[i] = half(source + i * 2) }
  }

  static func bf16(
    _ source: UnsafeRawPointer, _ count: Int, _ destination: UnsafeMutablePointer<Float>
  ) {
    for i in 0..<count {
      let bits = UInt16(littleEndian: source.loadUnaligned(fromByteOffset: i * 2, as: UInt16.self))
      destination[i] = Float(bitPattern: UInt32(bits) << 16)
    }
  }
}
