import Foundation

/// A part of a batch, while a loss is computed on it.
///
/// A batch is cut into parts whose number and size depend on the batch alone. Each is computed by itself, on a thread of
/// its own, in this process or another, and what they have in common, such as the gradient, is added up in one order
/// (`PartTree`). So a step has the same bits for any number of threads and processes.
public struct BatchPart: Sendable {
  /// Its number among the parts that this process has.
  public let index: Int
  /// Its samples, by their position in the run.
  public let positions: Range<Int>
  /// Its number in the batch.
  let number: Int
  let group: PartGroup

  @TaskLocal static var current: BatchPart?

  /// Most samples of a part. What is done for the weights is done in every part, so fewer cost more.
  private static let mostSamples = 16
  /// Parts of that size that a batch has at least; smaller ones are cut into `wanted` parts, where they can be.
  private static let fewest = 4
  private static let wanted = 8

  /// Samples of each part of a batch.
  public static func samples(ofBatch batch: Int) -> Int {
    let most = batch < fewest * mostSamples ? max(batch / wanted, 1) : mostSamples
    return (1...most).last { batch % $0 == 0 } ?? 1
  }
}

extension Tensor {
  /// The sum of the tensors that all parts of a batch have here; this tensor where the batch is in one piece.
  ///
  /// Every part has to come here, in the same order of such sums. The gradient of a result that all parts have goes to
  /// each of them: it is summed over the parts too.
  public func summedOverParts() -> Tensor {
    guard let part = BatchPart.current else { return self }
    return Tensor(part.group.sum(values, from: part), shape: shape)
      .recorded(Pullback(self) { $0.summedOverParts() })
  }

  /// How many parts the batch is in of which this is one.
  static var parts: Int { BatchPart.current?.group.tree.count ?? 1 }
}

/// The parts of a batch that one process computes, meeting where they have something in common.
final class PartGroup: @unchecked Sendable {
  let tree: PartTree
  private let ranks: any Ranks
  private let own: Range<Int>
  /// As many parts compute at a time.
  private let slots: DispatchSemaphore
  /// Guards what follows.
  private let meeting = NSCondition()
  private var sums: PartSums
  private var arrived = 0
  private var round = 0
  private var result: [Float] = []
  private var hasFailed = false

  init(_ tree: PartTree, own: Range<Int>, ranks: any Ranks, slots: Int) {
    self.tree = tree
    self.own = own
    self.ranks = ranks
    self.slots = DispatchSemaphore(value: slots)
    sums = PartSums(tree)
  }

  func begin() { slots.wait() }
  func end() { slots.signal() }

  /// Lets nobody wait for a part that will not come.
  func fail() {
    meeting.lock()
    hasFailed = true
    meeting.broadcast()
    meeting.unlock()
  }

  /// The sum over all parts of what each gives; waits for the others. After a failure, anything of that shape.
  func sum(_ values: [Float], from part: BatchPart) -> [Float] {
    meeting.lock()
    guard !hasFailed else {
      meeting.unlock()
      return values
    }
    let mine = round
    sums.add(values, part: part.number)
    arrived += 1
    if arrived == own.count {
      result = ranks.sum(sums.waiting, of: tree, length: values.count)
      sums = PartSums(tree)
      arrived = 0
      round += 1
      meeting.broadcast()
      defer { meeting.unlock() }
      return result
    }
    // Somebody else may compute meanwhile.
    end()
    while round == mine, !hasFailed { meeting.wait() }
    // Nobody gets further than one meeting before all have left this one.
    let found = hasFailed ? values : result
    meeting.unlock()
    begin()
    return found
  }
}
