import Foundation
import Synchronization

/// What a loss on a part of a batch gives beside the loss.
public struct PartLoss<Extra: Sendable> {
  /// A single number, the mean over the part's samples.
  let loss: Tensor
  /// Numbers of which the mean over all parts is wanted too.
  let figures: [Float]
  /// What stays with the part.
  let extra: Extra

  public init(_ loss: Tensor, figures: [Float] = [], extra: Extra) {
    (self.loss, self.figures, self.extra) = (loss, figures, extra)
  }
}

/// The mean of a loss over a batch, and its gradient.
public struct BatchLoss<Input: Sendable, Extra: Sendable>: Sendable {
  public let value: Tensor
  public let gradient: Input
  public let figures: [Float]
  /// Of the parts that this process computed, in their order.
  public let extras: [Extra]
}

/// The loss and its gradient at `input`, means over the samples at `positions`, computed part by part on the threads of
/// `Compute.pool` and the processes of `Compute.ranks`: the same bits for any number of either.
///
/// - Parameter function: the mean loss of a part's samples. Where it takes a statistic of the whole batch, it uses
///   `summedOverParts`.
/// - Throws: what `function` throws, and `UserError` for more processes than parts.
public func batchLoss<Input: TensorTree & Sendable, Extra: Sendable>(
  at input: Input, over positions: Range<Int>,
  _ function: @escaping @Sendable (Input, BatchPart) throws -> PartLoss<Extra>
) throws -> BatchLoss<Input, Extra> {
  let (ranks, pool) = (Compute.ranks, Compute.pool)
  let size = BatchPart.samples(ofBatch: positions.count)
  let tree = PartTree(count: positions.count / size)
  let own = ranks.share(of: tree.count, rank: ranks.rank)
  guard ranks.count <= tree.count else {
    throw UserError(
      "\(ranks.count) processes for a batch of \(tree.count) parts",
      remedy: "start at most \(tree.count)",
      status: .usage)
  }
  let lanes = min(pool.count, own.count)
  let group = PartGroup(tree, count: own.count, ranks: ranks, lanes: lanes)
  let threads = ThreadPool(count: pool.count / lanes)
  let found = Mutex(PartResults<Extra>(sums: PartSums(tree)))
  let done = DispatchGroup()
  for (index, number) in own.enumerated() {
    let start = positions.lowerBound + number * size
    let part = BatchPart(
      index: index, positions: start..<start + size, number: number, group: group)
    done.enter()
    let thread = Thread {
      group.begin(part)
      do {
        let values = try Compute.$pool.withValue(threads) {
          try BatchPart.$current.withValue(part) { try flatLoss(at: input, part, function) }
        }
        found.withLock {
          $0.sums.add(values.flat, part: number)
          $0.extras[index] = values.extra
        }
      } catch {
        found.withLock { $0.error = $0.error ?? error }
        group.fail()
      }
      group.end(part)
      done.leave()
    }
    thread.stackSize = 16 << 20
    thread.start()
  }
  done.wait()
  let results = found.withLock { $0 }
  if let error = results.error { throw error }
  let count = input.scalarCount
  let length = results.sums.waiting.first?.value.count ?? 0
  let sum = ranks.sum(results.sums.waiting, of: tree, length: length)
  let scale = 1 / Float(tree.count)
  var position = 0
  func mean(_ count: Int) -> [Float] {
    defer { position += count }
    return sum[position..<position + count].map { $0 * scale }
  }
  let gradient = input.mapTensors { Tensor(mean($0.count), shape: $0.shape) }
  precondition(position == count)
  return BatchLoss(
    value: Tensor(mean(1), shape: []), gradient: gradient, figures: mean(length - count - 1),
    extras: own.indices.compactMap { results.extras[$0 - own.lowerBound] })
}

private struct PartResults<Extra: Sendable>: Sendable {
  var sums: PartSums
  var extras: [Int: Extra] = [:]
  var error: (any Error)?
}

/// A part's gradient, loss and figures as one row of numbers.
private func flatLoss<Input: TensorTree, Extra>(
  at input: Input, _ part: BatchPart, _ function: (Input, BatchPart) throws -> PartLoss<Extra>
) throws -> (flat: [Float], extra: Extra) {
  let (value, result, gradient) = try valueWithGradient(at: input) { followed in
    let result = try function(followed, part)
    return (result.loss, (figures: result.figures, extra: result.extra))
  }
  var flat: [Float] = []
  flat.reserveCapacity(input.scalarCount + 1 + result.figures.count)
  for tensor in gradient.tensors { flat += tensor.values }
  flat += value.values
  return (flat + result.figures, result.extra)
}
