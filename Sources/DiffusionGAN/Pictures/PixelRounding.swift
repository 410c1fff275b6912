import TensorCore

/// How values in −1…1 become bytes, as EDM does it: x · 127.5 + 128, cut to 0…255, fraction dropped.
///
/// A byte that became a value by ÷ 127.5 − 1 comes back as it was.
public enum PixelRounding {
  /// Largest magnitude that passes for a sample in −1…1: samplers overshoot, other scales do not.
  private static let largest: Float = 8

  /// Bytes of `values`.
  ///
  /// - Throws: `UserError` for values that are not finite, or that cannot be in −1…1.
  public static func bytes(of values: [Float], place: String) throws -> [UInt8] {
    try values.withUnsafeBufferPointer { try bytes(of: $0, place: place) }
  }

  /// Bytes of all values of `tensor`, in its order.
  public static func bytes(of tensor: Tensor, place: String) throws -> [UInt8] {
    try tensor.withPointer {
      try bytes(of: UnsafeBufferPointer(start: $0, count: tensor.count), place: place)
    }
  }

  private static func bytes(
    of values: UnsafeBufferPointer<Float>, place: String
  ) throws -> [UInt8] {
    var output = [UInt8](repeating: 0, count: values.count)
    for i in values.indices {
      // Written so that a value which is not a number fails too.
      guard abs(values[i]) <= largest else {
        throw UserError(
          values[i].isFinite
            ? "value \(i) is \(values[i]), which is no picture in −1…1"
            : "value \(i) is not finite", at: place,
          remedy: "store pictures as f32 in −1…1, or as U8 in 0…255")
      }
      output[i] = UInt8(min(max(values[i] * 127.5 + 128, 0), 255))
    }
    return output
  }
}
