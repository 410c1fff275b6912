import Synchronization
import TensorCore

/// A full run's activations, for other runs to reuse: the residual stream before every block and
/// after the last, and every block's keys and values.
///
/// A run does not change. One that extends another writes behind it in the same memory where there is
/// room, so that a token more costs a token, and copies it where there is none or another run has
/// been there first.
public final class RecordedRun: Sendable {
  public let tokens: [Int]
  let width: Int
  private let memory: Memory

  /// Buffers with room for `capacity` positions.
  private final class Memory: Sendable {
    let capacity: Int
    /// Positions that some run has taken.
    let taken: Atomic<Int>
    /// Layer by layer, `[capacity, width]`; one more than there are layers.
    let residual: [FloatBuffer]
    /// Layer by layer, rotated keys, `[keyValueHeads, capacity, headWidth]`.
    let keys: [FloatBuffer]
    /// Layer by layer, `[keyValueHeads, capacity, headWidth]`.
    let values: [FloatBuffer]
    private let lease: ActivationMemory.Lease

    init(
      capacity: Int, taken: Int, _ architecture: Architecture, _ memory: ActivationMemory
    ) {
      self.capacity = capacity
      lease = memory.lease(RecordedRun.byteCount(positions: capacity, architecture))
      self.taken = Atomic(taken)
      func buffers(_ count: Int, _ width: Int) -> [FloatBuffer] {
        (0..<count).map { _ in FloatBuffer(count: capacity * width) }
      }
      residual = buffers(architecture.layers + 1, architecture.width)
      keys = buffers(architecture.layers, architecture.keyWidth)
      values = buffers(architecture.layers, architecture.keyWidth)
    }
  }

  /// Room for a run of `tokens`, to be filled.
  init(tokens: [Int], architecture: Architecture, memory: ActivationMemory) {
    self.tokens = tokens
    width = architecture.width
    self.memory = Memory(capacity: tokens.count, taken: tokens.count, architecture, memory)
  }

  /// `base` and room for the tokens behind it, to be filled.
  ///
  /// - Precondition: `tokens` begins with those of `base`.
  init(
    extending base: RecordedRun, to tokens: [Int], architecture: Architecture,
    memory bounds: ActivationMemory
  ) {
    self.tokens = tokens
    width = architecture.width
    let held = base.tokens.count
    if tokens.count <= base.memory.capacity,
      base.memory.taken.compareExchange(
        expected: held, desired: tokens.count, ordering: .relaxed
      ).exchanged
    {
      memory = base.memory
      return
    }
    // Twice the room, or what half of the memory that is left holds.
    let affordable =
      (bounds.limit - bounds.live) / 2 / Self.byteCount(positions: 1, architecture)
    let capacity = max(tokens.count, min(2 * held, architecture.contextLength, affordable))
    memory = Memory(capacity: capacity, taken: tokens.count, architecture, bounds)
    for (new, old) in zip(memory.residual, base.memory.residual) {
      new.pointer.update(from: old.pointer, count: held * width)
    }
    let headWidth = architecture.headWidth
    for (new, old) in zip(memory.keys + memory.values, base.memory.keys + base.memory.values) {
      for group in 0..<architecture.keyValueHeads {
        (new.pointer + group * capacity * headWidth).update(
          from: old.pointer + group * base.memory.capacity * headWidth, count: held * headWidth)
      }
    }
  }

  var layers: Int { memory.keys.count }

  /// Residual stream before block `layer`, or after the last, at `position`; rows of later positions
  /// follow.
  func residualRow(_ layer: Int, _ position: Int) -> UnsafeMutablePointer<Float> {
    memory.residual[layer].pointer + position * width
  }

  /// Rotated keys of a group of heads, from `position` on, `[positions, headWidth]`.
  func keys(_ layer: Int, group: Int, from position: Int = 0, headWidth: Int)
    -> UnsafeMutablePointer<Float>
  {
    memory.keys[layer].pointer + (group * memory.capacity + position) * headWidth
  }

  /// Values of a group of heads, from `position` on, `[positions, headWidth]`.
  func values(_ layer: Int, group: Int, from position: Int = 0, headWidth: Int)
    -> UnsafeMutablePointer<Float>
  {
    memory.values[layer].pointer + (group * memory.capacity + position) * headWidth
  }

  /// Residual stream after block `layer` at `positions`, `[positions, width]`.
  public func residualPost(layer: Int, positions: [Int]) -> Tensor {
    Tensor(shape: [positions.count, width]) { out in
      for (index, position) in positions.enumerated() {
        (out + index * width).update(from: residualRow(layer + 1, position), count: width)
      }
    }
  }

  /// Whether a run of `count` tokens that extends this one can be written behind it.
  func hasRoom(for count: Int) -> Bool {
    count <= memory.capacity && memory.taken.load(ordering: .relaxed) == tokens.count
  }

  /// Bytes that a run of so many positions holds.
  static func byteCount(positions: Int, _ architecture: Architecture) -> Int {
    positions * ActivationShares.floatBytes
      * ((architecture.layers + 1) * architecture.width
        + 2 * architecture.layers * architecture.keyWidth)
  }

  /// Bytes held.
  public var byteCount: Int {
    (memory.residual + memory.keys + memory.values)
      .reduce(0) { $0 + $1.count * MemoryLayout<Float>.stride }
  }
}
