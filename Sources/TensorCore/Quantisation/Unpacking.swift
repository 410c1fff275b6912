/// Functions that unpack blocks of one stored type to f32, and the loads and stores they share.
///
/// All of them round as ggml and gguf-py do, so that the numbers agree bit for bit: a
/// multiplication, then an addition or subtraction, never fused. Nothing in a file is aligned.
enum Unpacking {
  /// The f16 at `source`, exactly, subnormals included.
  @inline(__always)
  static func half(_ source: UnsafeRawPointer) -> Float {
    Float(Float16(bitPattern: UInt16(littleEndian: source.loadUnaligned(as: UInt16.self))))
  }

  @inline(__always)
  static func bytes(_ source: UnsafeRawPointer, _ offset: Int) -> SIMD16<UInt8> {
    source.loadUnaligned(fromByteOffset: offset, as: SIMD16<UInt8>.self)
  }

  @inline(__always)
  static func signedBytes(_ source: UnsafeRawPointer, _ offset: Int) -> SIMD16<Int8> {
    source.loadUnaligned(fromByteOffset: offset, as: SIMD16<Int8>.self)
  }

  @inline(__always)
  static func lowNibbles(_ packed: SIMD16<UInt8>) -> SIMD16<UInt8> { packed & 0x0F }

  @inline(__always)
  static func highNibbles(_ packed: SIMD16<UInt8>) -> SIMD16<UInt8> { packed &>> 4 }

  /// Sixteen small whole numbers as f32.
  ///
  /// Written out, because the standard library's conversions of vectors are calls that are not
  /// inlined; this is two instructions for eight numbers.
  @inline(__always)
  static func floats(_ quanta: SIMD16<Int8>) -> SIMD16<Float> {
    SIMD16(
      Float(quanta[0]), Float(quanta[1]), Float(quanta[2]), Float(quanta[3]), Float(quanta[4]),
      Float(quanta[5]), Float(quanta[6]), Float(quanta[7]), Float(quanta[8]), Float(quanta[9]),
      Float(quanta[10]), Float(quanta[11]), Float(quanta[12]), Float(quanta[13]),
      Float(quanta[14]), Float(quanta[15]))
  }

  /// Sixteen small whole numbers as f32.
  @inline(__always)
  static func floats(_ quanta: SIMD16<UInt8>) -> SIMD16<Float> {
    SIMD16(
      Float(quanta[0]), Float(quanta[1]), Float(quanta[2]), Float(quanta[3]), Float(quanta[4]),
      Float(quanta[5]), Float(quanta[6]), Float(quanta[7]), Float(quanta[8]), Float(quanta[9]),
      Float(quanta[10]), Float(quanta[11]), Float(quanta[12]), Float(quanta[13]),
      Float(quanta[14]), Float(quanta[15]))
  }

  @inline(__always)
  static func store(
    _ values: SIMD16<Float>, _ destination: UnsafeMutablePointer<Float>, _ offset: Int
  ) {
    UnsafeMutableRawPointer(destination + offset).storeBytes(of: values, as: SIMD16<Float>.self)
  }
}
