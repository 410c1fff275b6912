import Glibc

/// A block of f32 values, aligned to 64 bytes, not initialised.
///
/// Whoever hands a buffer to several threads sees to it that they write different parts.
public final class FloatBuffer: @unchecked Sendable {
  public let pointer: UnsafeMutablePointer<Float>
  public let count: Int
  private let companion: AnyObject?

  /// - Parameter companion: an object that lives as long as the buffer does.
  public init(count: Int, keeping companion: AnyObject? = nil) {
    self.count = count
    self.companion = companion
    pointer = BufferPool.shared.take(bytes: Self.bytes(count))
      .bindMemory(to: Float.self, capacity: count)
  }

  deinit { BufferPool.shared.give(UnsafeMutableRawPointer(pointer), bytes: Self.bytes(count)) }

  private static func bytes(_ count: Int) -> Int { max(count, 1) * MemoryLayout<Float>.stride }
}
