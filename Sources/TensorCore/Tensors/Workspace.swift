/// Scratch memory that is used again and again: one growing buffer a slot.
///
/// Not for concurrent use: a pass over the model owns one.
public final class Workspace {
  private var buffers: [FloatBuffer?]

  /// - Parameter slots: number of buffers.
  public init(slots: Int) { buffers = Array(repeating: nil, count: slots) }

  /// Bytes that slot `slot` holds.
  public func byteCount(of slot: Int) -> Int {
    (buffers[slot]?.count ?? 0) * MemoryLayout<Float>.stride
  }

  /// Lets go of all buffers.
  public func empty() { buffers = Array(repeating: nil, count: buffers.count) }

  /// At least `count` values of slot `slot`, contents undefined. The pointer is valid until the slot
  /// is asked for a larger count.
  public func floats(_ slot: Int, _ count: Int) -> UnsafeMutablePointer<Float> {
    if let buffer = buffers[slot], buffer.count >= count { return buffer.pointer }
    buffers[slot] = nil
    let buffer = FloatBuffer(count: count)
    buffers[slot] = buffer
    return buffer.pointer
  }
}
