import COpenBLAS
import Dispatch
import Synchronization

/// How work is shared out over threads.
///
/// OpenBLAS runs single-threaded inside. Results are the same bits for any number of threads: tasks do
/// not depend on it, or it does not matter how work is cut, as in `PackedProduct`.
public struct ThreadPool: Sendable {
  public let count: Int

  /// - Parameter count: number of threads, at least 1.
  public init(count: Int) {
    self.count = max(count, 1)
    openblas_set_num_threads(1)
  }

  /// Number of processors that this process may use.
  public static var processors: Int { max(Int(openblas_get_num_procs()), 1) }

  /// Runs `body` for every task in `0..<tasks`, each once, in any order, and returns when all are
  /// done.
  public func forEach(_ tasks: Int, _ body: @Sendable (Int) -> Void) {
    forEachOnWorker(tasks) { task, _ in body(task) }
  }

  /// As `forEach`; `body` also gets the number of the worker that runs it, in `0..<count`, to choose
  /// its scratch memory by. Results may not depend on it.
  public func forEachOnWorker(_ tasks: Int, _ body: @Sendable (_ task: Int, _ worker: Int) -> Void)
  {
    let workers = min(count, tasks)
    guard workers > 1 else {
      for task in 0..<tasks { body(task, 0) }
      return
    }
    let counter = TaskCounter()
    let work: @Sendable (Int) -> Void = { worker in
      while let task = counter.take(below: tasks) { body(task, worker) }
    }
    if !WorkerTeam.shared.run(workers: workers, work) {
      DispatchQueue.concurrentPerform(iterations: workers, execute: work)
    }
  }

  /// The results of `body` for every task in `0..<tasks`, in order.
  public func map<Result: Sendable>(
    _ tasks: Int, _ body: @Sendable (Int) -> Result
  ) -> [Result] {
    Array(unsafeUninitializedCapacity: tasks) { buffer, initialized in
      let slots = ResultSlots(start: buffer.baseAddress)
      forEach(tasks) { task in slots.start.map { ($0 + task).initialize(to: body(task)) } }
      initialized = tasks
    }
  }

  /// Runs `body` for consecutive ranges of at most `grain` that cover `0..<total`.
  public func forEachRange(
    of total: Int, grain: Int, _ body: @Sendable (Range<Int>) -> Void
  ) {
    forEach((total + grain - 1) / grain) { task in
      body(task * grain..<min(total, (task + 1) * grain))
    }
  }
}

/// Memory for results that several threads write, each its own.
private struct ResultSlots<Result>: @unchecked Sendable {
  let start: UnsafeMutablePointer<Result>?
}

/// Hands out task numbers, each once.
private final class TaskCounter: Sendable {
  private let next = Atomic(0)

  func take(below limit: Int) -> Int? {
    let task = next.wrappingAdd(1, ordering: .relaxed).oldValue
    return task < limit ? task : nil
  }
}
