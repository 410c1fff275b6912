import CPanels
import Foundation
import Synchronization

/// Threads that stay, and look out for work for a while before they sleep: a pass through a model shares
/// out work thousands of times a second, and waking a thread takes about as long as its part of it.
final class WorkerTeam: Sendable {
  static let shared = WorkerTeam()

  /// What is shared out; workers read it only while they are counted in `state`.
  private final class Job: @unchecked Sendable {
    var body: (@Sendable (_ worker: Int) -> Void)?
    var workers = 0
  }

  /// How often a waiting thread looks before it sleeps or lets others run: some tens of microseconds.
  private static let mostLooks = 2000
  private static let open: UInt64 = 1 << 31

  private let job = Job()
  /// The job's number from bit 32 on; `open` while workers may join it; how many are at it.
  private let state = Atomic<UInt64>(0)
  private let isTaken = Atomic(false)
  private let started = Atomic(0)
  private let sleepers = Atomic(0)
  private let bell = NSCondition()

  private init() {}

  /// Runs `body` on the calling thread, as worker 0, and once on each of up to `workers - 1` others that
  /// come before that returns; returns when all have.
  ///
  /// - Returns: false, and runs nothing, where the team works for somebody else.
  func run(workers: Int, _ body: @Sendable (_ worker: Int) -> Void) -> Bool {
    guard !isTaken.exchange(true, ordering: .acquiring) else { return false }
    withoutActuallyEscaping(body) { body in
      while started.load(ordering: .relaxed) < workers - 1 {
        let worker = started.add(1, ordering: .relaxed).newValue
        Thread.detachNewThread { [self] in work(as: worker) }
      }
      job.body = body
      job.workers = workers
      let number = state.load(ordering: .relaxed) >> 32 + 1
      state.store(number << 32 | Self.open, ordering: .sequentiallyConsistent)
      if sleepers.load(ordering: .sequentiallyConsistent) > 0 {
        bell.withLock { bell.broadcast() }
      }
      body(0)
      state.bitwiseAnd(~Self.open, ordering: .acquiringAndReleasing)
      var looks = 0
      while state.load(ordering: .acquiring) & (Self.open - 1) != 0 { look(&looks) }
      job.body = nil
    }
    isTaken.store(false, ordering: .releasing)
    return true
  }

  private func work(as worker: Int) {
    var seen: UInt64 = 0
    while true {
      seen = waitForJob(after: seen)
      guard join(seen) else { continue }
      if worker < job.workers { job.body?(worker) }
      state.subtract(1, ordering: .acquiringAndReleasing)
    }
  }

  /// The number of a job that is not `seen`.
  private func waitForJob(after seen: UInt64) -> UInt64 {
    func next() -> UInt64? {
      let number = state.load(ordering: .sequentiallyConsistent) >> 32
      return number == seen ? nil : number
    }
    for _ in 0..<Self.mostLooks {
      if let number = next() { return number }
      restProcessor()
    }
    return bell.withLock {
      sleepers.add(1, ordering: .sequentiallyConsistent)
      defer { sleepers.subtract(1, ordering: .relaxed) }
      while true {
        if let number = next() { return number }
        bell.wait()
      }
    }
  }

  /// Counts this thread among those at job `number`, unless it is over.
  private func join(_ number: UInt64) -> Bool {
    var current = state.load(ordering: .relaxed)
    while current >> 32 == number, current & Self.open != 0 {
      let (isDone, found) = state.weakCompareExchange(
        expected: current, desired: current + 1, ordering: .acquiring)
      if isDone { return true }
      current = found
    }
    return false
  }

  private func look(_ looks: inout Int) {
    looks += 1
    // Whom we wait for may be waiting for this processor.
    if looks < Self.mostLooks { restProcessor() } else { sched_yield() }
  }
}
