// The names are those of the format.
// swift-format-ignore: AlwaysUseLowerCamelCase
/// ggml's K-quants: blocks of 256 numbers whose sub-blocks have whole-number scales of their own,
/// which an f16 `d` (and for the minima an f16 `dmin`) turns into real ones.
extension Unpacking {
  /// `scales: u8[16], qs: u8[64], d: f16, dmin: f16`; `d * scale * q - dmin * minimum`.
  ///
  /// Each byte of `scales` has the scale of sixteen numbers in its low and their minimum in its
  /// high four bits. 32 bytes of `qs` hold 128 numbers: bits 0–1 the first 32, bits 2–3 the next,
  /// and so on.
  static func q2_k(
    _ source: UnsafeRawPointer, _ blocks: Int, _ destination: UnsafeMutablePointer<Float>
  ) {
    for block in 0..<blocks {
      let at = source + block * 84
      let out = destination + block * 256
      let d = half(at + 80)
      let dmin = half(at + 82)
      for group in 0..<16 {
        let scale = at.load(fromByteOffset: group, as: UInt8.self)
        let shift = UInt8(truncatingIfNeeded: (group >> 1) & 3) * 2
        let q = (bytes(at, 16 + twoBitOffset(group)) &>> shift) & 3
        let factor = d * Float(scale & 0x0F)
        let minimum = dmin * Float(scale >> 4)
        store(floats(q) * factor - minimum, out, group * 16)
      }
    }
  }

  /// `hmask: u8[32], qs: u8[64], scales: u8[12], d: f16`; `d * (scale - 32) * (q - 4)`.
  ///
  /// The low two bits of `q` lie as in `q2_k`; its third bit is a bit of `hmask`: bit `b` of byte
  /// `j` belongs to number `32 * b + j`. Of the sixteen 6-bit scales the low four bits are the
  /// nibbles of the first 8 bytes (low nibbles first), the high two bits lie in the last 4 bytes.
  static func q3_k(
    _ source: UnsafeRawPointer, _ blocks: Int, _ destination: UnsafeMutablePointer<Float>
  ) {
    for block in 0..<blocks {
      let at = source + block * 110
      let out = destination + block * 256
      let d = half(at + 108)
      for group in 0..<16 {
        let nibbles = at.load(fromByteOffset: 96 + (group & 7), as: UInt8.self)
        let low = group < 8 ? nibbles & 0x0F : nibbles >> 4
        let pairs = at.load(fromByteOffset: 104 + (group & 3), as: UInt8.self)
        let high = (pairs &>> UInt8(truncatingIfNeeded: (group >> 2) * 2)) & 3
        let factor = d * Float(Int(low | high << 4) - 32)

        let shift = UInt8(truncatingIfNeeded: (group >> 1) & 3) * 2
        let lowBits = (bytes(at, 32 + twoBitOffset(group)) &>> shift) & 3
        let bit = UInt8(truncatingIfNeeded: group >> 1)
        let highBit = (bytes(at, (group & 1) * 16) &>> bit) & 1
        store((floats(lowBits | highBit &<< 2) - 4) * factor, out, group * 16)
      }
    }
  }

  /// `d: f16, dmin: f16, scales: u8[12], qs: u8[128]`; `d * scale * q - dmin * minimum`.
  ///
  /// 32 bytes of `qs` hold 64 numbers: low nibbles the first 32, high nibbles the others.
  static func q4_k(
    _ source: UnsafeRawPointer, _ blocks: Int, _ destination: UnsafeMutablePointer<Float>
  ) {
    for block in 0..<blocks {
      let at = source + block * 144
      let out = destination + block * 256
      let d = half(at)
      let dmin = half(at + 2)
      let (scales, minima) = sixBitScales(at + 4)
      let factors = scales * d
      let offsets = minima * dmin
      for pair in 0..<4 {
        for side in 0..<2 {
          let packed = bytes(at, 16 + pair * 32 + side * 16)
          let low = floats(lowNibbles(packed)) * factors[pair * 2]
          let high = floats(highNibbles(packed)) * factors[pair * 2 + 1]
          store(low - offsets[pair * 2], out, pair * 64 + side * 16)
          store(high - offsets[pair * 2 + 1], out, pair * 64 + 32 + side * 16)
        }
      }
    }
  }

  /// `d: f16, dmin: f16, scales: u8[12], qh: u8[32], qs: u8[128]`; as `q4_k` with a fifth bit: bit
  /// `b` of byte `j` of `qh` belongs to number `32 * b + j`.
  static func q5_k(
    _ source: UnsafeRawPointer, _ blocks: Int, _ destination: UnsafeMutablePointer<Float>
  ) {
    for block in 0..<blocks {
      let at = source + block * 176
      let out = destination + block * 256
      let d = half(at)
      let dmin = half(at + 2)
      let (scales, minima) = sixBitScales(at + 4)
      let factors = scales * d
      let offsets = minima * dmin
      for pair in 0..<4 {
        for side in 0..<2 {
          let packed = bytes(at, 48 + pair * 32 + side * 16)
          let fifth = bytes(at, 16 + side * 16) &>> UInt8(truncatingIfNeeded: pair * 2)
          let low = lowNibbles(packed) | (fifth & 1) &<< 4
          let high = highNibbles(packed) | (fifth & 2) &<< 3
          let first = floats(low) * factors[pair * 2] - offsets[pair * 2]
          let second = floats(high) * factors[pair * 2 + 1] - offsets[pair * 2 + 1]
          store(first, out, pair * 64 + side * 16)
          store(second, out, pair * 64 + 32 + side * 16)
        }
      }
    }
  }

  /// `ql: u8[128], qh: u8[64], scales: i8[16], d: f16`; `d * scale * (q - 32)`.
  ///
  /// 128 numbers are four runs of 32. Their low four bits are the low nibbles of 64 bytes of `ql`
  /// (runs 0 and 1), then the high nibbles (runs 2 and 3); their high two bits are bits 0–1, 2–3,
  /// 4–5 and 6–7 of 32 bytes of `qh`. Each sixteen numbers have a scale.
  static func q6_k(
    _ source: UnsafeRawPointer, _ blocks: Int, _ destination: UnsafeMutablePointer<Float>
  ) {
    for block in 0..<blocks {
      let at = source + block * 210
      let d = half(at + 208)
      let factors = floats(signedBytes(at, 192)) * d
      for part in 0..<2 {
        let out = destination + block * 256 + part * 128
        for side in 0..<2 {
          let first = bytes(at, part * 64 + side * 16)
          let second = bytes(at, part * 64 + 32 + side * 16)
          let top = bytes(at, 128 + part * 32 + side * 16)
          let scale = part * 8 + side
          let q0 = lowNibbles(first) | (top & 0x03) &<< 4
          let q1 = lowNibbles(second) | (top & 0x0C) &<< 2
          let q2 = highNibbles(first) | (top & 0x30)
          let q3 = highNibbles(second) | (top & 0xC0) &>> 2
          store((floats(q0) - 32) * factors[scale], out, side * 16)
          store((floats(q1) - 32) * factors[scale + 2], out, side * 16 + 32)
          store((floats(q2) - 32) * factors[scale + 4], out, side * 16 + 64)
          store((floats(q3) - 32) * factors[scale + 6], out, side * 16 + 96)
        }
      }
    }
  }

  /// Where in `qs` the low two bits of sixteen numbers of `q2_k` or `q3_k` lie.
  @inline(__always)
  private static func twoBitOffset(_ group: Int) -> Int { (group >> 3) * 32 + (group & 1) * 16 }

  /// The eight scales and eight minima of `q4_k` and `q5_k`, six bits each in twelve bytes.
  ///
  /// Bytes 0–3 have scales 0–3 and bytes 4–7 minima 0–3 in their low six bits. Bytes 8–11 have the
  /// low four bits of scales 4–7 (low nibble) and minima 4–7 (high nibble), whose top two bits are
  /// the top two of bytes 0–3 and 4–7.
  @inline(__always)
  private static func sixBitScales(
    _ source: UnsafeRawPointer
  ) -> (scales: SIMD8<Float>, minima: SIMD8<Float>) {
    let a = UInt32(littleEndian: source.loadUnaligned(as: UInt32.self))
    let b = UInt32(littleEndian: source.loadUnaligned(fromByteOffset: 4, as: UInt32.self))
    let c = UInt32(littleEndian: source.loadUnaligned(fromByteOffset: 8, as: UInt32.self))
    // Four scales at a time, a byte each.
    let lastScales = c & 0x0F0F_0F0F | (a >> 2 & 0x3030_3030)
    let lastMinima = c >> 4 & 0x0F0F_0F0F | (b >> 2 & 0x3030_3030)
    return (
      eightFloats(a & 0x3F3F_3F3F, lastScales), eightFloats(b & 0x3F3F_3F3F, lastMinima)
    )
  }

  @inline(__always)
  private static func eightFloats(_ low: UInt32, _ high: UInt32) -> SIMD8<Float> {
    let both = UInt64(low) | UInt64(high) << 32
    let packed = unsafeBitCast(both.littleEndian, to: SIMD8<UInt8>.self)
    return SIMD8(
      Float(packed[0]), Float(packed[1]), Float(packed[2]), Float(packed[3]), Float(packed[4]),
      Float(packed[5]), Float(packed[6]), Float(packed[7]))
  }
}
