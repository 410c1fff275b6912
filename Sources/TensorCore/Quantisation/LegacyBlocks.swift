// The names are those of the format.
// swift-format-ignore: AlwaysUseLowerCamelCase
/// ggml's blocks of 32 numbers with one f16 scale `d`, some with an f16 minimum `m`.
///
/// In the 4- and 5-bit types byte `j` of `qs` holds number `j` in its low and number `j + 16` in
/// its high four bits; bit `j` of the little-endian `qh` is the fifth bit of number `j`.
extension Unpacking {
  /// `d: f16, qs: u8[16]`; `(q - 8) * d`.
  static func q4_0(
    _ source: UnsafeRawPointer, _ blocks: Int, _ destination: UnsafeMutablePointer<Float>
  ) {
    for block in 0..<blocks {
      let at = source + block * 18
      let out = destination + block * 32
      let d = half(at)
      let packed = bytes(at, 2)
      store((floats(lowNibbles(packed)) - 8) * d, out, 0)
      store((floats(highNibbles(packed)) - 8) * d, out, 16)
    }
  }

  /// `d: f16, m: f16, qs: u8[16]`; `q * d + m`.
  static func q4_1(
    _ source: UnsafeRawPointer, _ blocks: Int, _ destination: UnsafeMutablePointer<Float>
  ) {
    for block in 0..<blocks {
      let at = source + block * 20
      let out = destination + block * 32
      let d = half(at)
      let m = half(at + 2)
      let packed = bytes(at, 4)
      store(floats(lowNibbles(packed)) * d + m, out, 0)
      store(floats(highNibbles(packed)) * d + m, out, 16)
    }
  }

  /// `d: f16, qh: u32, qs: u8[16]`; `(q - 16) * d`.
  static func q5_0(
    _ source: UnsafeRawPointer, _ blocks: Int, _ destination: UnsafeMutablePointer<Float>
  ) {
    for block in 0..<blocks {
      let at = source + block * 22
      let out = destination + block * 32
      let d = half(at)
      let packed = bytes(at, 6)
      store((floats(lowNibbles(packed), fifthBitsAt: at + 2) - 16) * d, out, 0)
      store((floats(highNibbles(packed), fifthBitsAt: at + 4) - 16) * d, out, 16)
    }
  }

  /// `d: f16, m: f16, qh: u32, qs: u8[16]`; `q * d + m`.
  static func q5_1(
    _ source: UnsafeRawPointer, _ blocks: Int, _ destination: UnsafeMutablePointer<Float>
  ) {
    for block in 0..<blocks {
      let at = source + block * 24
      let out = destination + block * 32
      let d = half(at)
      let m = half(at + 2)
      let packed = bytes(at, 8)
      store(floats(lowNibbles(packed), fifthBitsAt: at + 4) * d + m, out, 0)
      store(floats(highNibbles(packed), fifthBitsAt: at + 6) * d + m, out, 16)
    }
  }

  /// `d: f16, qs: i8[32]`; `q * d`.
  static func q8_0(
    _ source: UnsafeRawPointer, _ blocks: Int, _ destination: UnsafeMutablePointer<Float>
  ) {
    for block in 0..<blocks {
      let at = source + block * 34
      let out = destination + block * 32
      let d = half(at)
      store(floats(signedBytes(at, 2)) * d, out, 0)
      store(floats(signedBytes(at, 18)) * d, out, 16)
    }
  }

  /// `d: f16, qs: u8[16]`; `levels[q] * d`, sixteen levels that lie closer together near zero.
  static func iq4_nl(
    _ source: UnsafeRawPointer, _ blocks: Int, _ destination: UnsafeMutablePointer<Float>
  ) {
    let levels = SIMD16<Float>(
      -127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113)
    for block in 0..<blocks {
      let at = source + block * 18
      let out = destination + block * 32
      let d = half(at)
      for j in 0..<16 {
        let packed = Int(at.load(fromByteOffset: 2 + j, as: UInt8.self))
        out[j] = levels[packed & 0x0F] * d
        out[j + 16] = levels[packed >> 4] * d
      }
    }
  }

  /// Sixteen 4-bit numbers with the sixteen bits at `source` as their fifth.
  @inline(__always)
  private static func floats(
    _ nibbles: SIMD16<UInt8>, fifthBitsAt source: UnsafeRawPointer
  ) -> SIMD16<Float> {
    let low = source.load(as: UInt8.self)
    let high = source.load(fromByteOffset: 1, as: UInt8.self)
    let bits = SIMD16(
      low, low, low, low, low, low, low, low, high, high, high, high, high, high, high, high)
    let own = SIMD16<UInt8>(1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128)
    let fifth = SIMD16<UInt8>.zero.replacing(with: 0x10, where: (bits & own) .== own)
    return floats(nibbles | fifth)
  }
}
