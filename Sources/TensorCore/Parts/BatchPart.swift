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
