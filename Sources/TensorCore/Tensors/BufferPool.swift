import Synchronization

/// Memory of released buffers, kept to be handed out again.
///
/// A training step asks for the same sizes again and again. Fresh memory of that size would come from
/// the system, which clears it page by page at every first touch. Nothing is kept before the first
/// recording of gradients, so whoever only runs a model pays nothing and keeps nothing.
public final class BufferPool: Sendable {
  public static let shared = BufferPool()

  /// Buffers below this size go straight to the allocator, which keeps such blocks itself.
  private static let smallest = 1 << 10
  private static let alignment = 64

  private struct State {
    var limit: Int?
    var kept = 0
    /// Addresses of free blocks by their size in bytes.
    var blocks: [Int: [UInt]] = [:]
  }

  private let state = Mutex(State())

  /// Most bytes that are kept for later; what is released beyond goes back to the system.
  public var limit: Int {
    get { state.withLock { $0.limit ?? 0 } }
    set {
      state.withLock {
        $0.limit = newValue
        if $0.kept > newValue { Self.empty(&$0) }
      }
    }
  }

  /// Bytes kept at this moment.
  public var kept: Int { state.withLock { $0.kept } }

  /// Gives back everything that is kept.
  public func empty() { state.withLock { Self.empty(&$0) } }

  /// Begins to keep buffers, unless a limit has been set.
  public func begin(limit: Int = 2 << 30) {
    state.withLock { if $0.limit == nil { $0.limit = limit } }
  }

  func take(bytes: Int) -> UnsafeMutableRawPointer {
    if bytes >= Self.smallest {
      let address = state.withLock { state -> UInt? in
        guard let address = state.blocks[bytes]?.popLast() else { return nil }
        state.kept -= bytes
        return address
      }
      if let address, let pointer = UnsafeMutableRawPointer(bitPattern: address) { return pointer }
    }
    return UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: Self.alignment)
  }

  func give(_ pointer: UnsafeMutableRawPointer, bytes: Int) {
    if bytes >= Self.smallest {
      let isKept = state.withLock { state -> Bool in
        guard let limit = state.limit, bytes <= limit else { return false }
        if state.kept + bytes > limit { Self.empty(&state) }
        state.blocks[bytes, default: []].append(UInt(bitPattern: pointer))
        state.kept += bytes
        return true
      }
      if isKept { return }
    }
    pointer.deallocate()
  }

  private static func empty(_ state: inout State) {
    for addresses in state.blocks.values {
      for address in addresses { UnsafeMutableRawPointer(bitPattern: address)?.deallocate() }
    }
    state.blocks = [:]
    state.kept = 0
  }
}
