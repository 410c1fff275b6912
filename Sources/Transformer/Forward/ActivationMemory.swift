import Synchronization

/// Counts the bytes of activations that are alive.
///
/// Kept runs, recordings and logits over the whole vocabulary hold a `Lease` each, which gives its
/// bytes back when the last value that uses them goes. Scratch memory belongs to the engine and is
/// noted batch by batch. Unpacked weights are not activations, nor are the few logits of listed
/// tokens, which are as many as the request itself names.
public final class ActivationMemory: Sendable {
  /// Most bytes that may be alive at once.
  public let limit: Int
  private let held = Atomic(0)
  private let largest = Atomic(0)

  init(limit: Int) { self.limit = limit }

  /// Bytes that results hold at this moment.
  public var live: Int { held.load(ordering: .relaxed) }

  /// Most bytes that results and the scratch memory of a batch have held together.
  public var peak: Int { largest.load(ordering: .relaxed) }

  /// Bytes that are taken until the object goes.
  final class Lease: Sendable {
    private let memory: ActivationMemory
    private let bytes: Int

    fileprivate init(_ memory: ActivationMemory, _ bytes: Int) {
      self.memory = memory
      self.bytes = bytes
      memory.held.add(bytes, ordering: .relaxed)
    }

    deinit { memory.held.subtract(bytes, ordering: .relaxed) }
  }

  func lease(_ bytes: Int) -> Lease { Lease(self, bytes) }

  /// Notes what is alive beside `scratch` bytes.
  func note(scratch: Int) { largest.max(live + scratch, ordering: .relaxed) }
}
