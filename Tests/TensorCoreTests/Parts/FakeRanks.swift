import Foundation
import Synchronization

@testable import TensorCore

/// Processes that are threads of one.
struct FakeRanks: Ranks {
  let rank: Int
  private let board: Board

  var count: Int { board.count }

  /// Where everybody leaves what others fetch.
  private final class Board: @unchecked Sendable {
    let count: Int
    private let meeting = NSCondition()
    private var given: [[Float]?]
    private var fetched = 0

    init(count: Int) {
      self.count = count
      given = [[Float]?](repeating: nil, count: count)
    }

    /// What all have given, once they have.
    func swap(_ values: [Float], _ rank: Int) -> [[Float]] {
      meeting.lock()
      defer { meeting.unlock() }
      while given[rank] != nil { meeting.wait() }
      given[rank] = values
      meeting.broadcast()
      while given.contains(where: { $0 == nil }) { meeting.wait() }
      let all = given.map { $0 ?? [] }
      fetched += 1
      if fetched == count {
        fetched = 0
        given = [[Float]?](repeating: nil, count: count)
        meeting.broadcast()
      } else {
        // Nobody leaves before all have fetched.
        while fetched != 0 { meeting.wait() }
      }
      return all
    }
  }

  static func group(of count: Int) -> [FakeRanks] {
    let board = Board(count: count)
    return (0..<count).map { FakeRanks(rank: $0, board: board) }
  }

  /// Runs `body` as every process at the same time.
  static func together<Result: Sendable>(
    _ group: [FakeRanks], _ body: @escaping @Sendable (FakeRanks) -> Result
  ) -> [Result] {
    let results = Mutex<[Int: Result]>([:])
    let done = DispatchGroup()
    for rank in group {
      done.enter()
      let thread = Thread {
        let result = Compute.$ranks.withValue(rank) { body(rank) }
        results.withLock { $0[rank.rank] = result }
        done.leave()
      }
      thread.stackSize = 16 << 20
      thread.start()
    }
    done.wait()
    return results.withLock { results in group.compactMap { results[$0.rank] } }
  }

  func gather(_ values: [Float], counts: [Int]) -> [Float] {
    let all = board.swap(values, rank)
    precondition(all.map(\.count) == counts)
    return Array(all.joined())
  }

  func exchange(_ values: [Float], sent: [Int], received: [Int]) -> [Float] {
    precondition(values.count == sent.reduce(0, +))
    // A header tells where each one's share begins.
    let all = board.swap(sent.map { Float($0) } + values, rank)
    var result: [Float] = []
    for (from, given) in all.enumerated() {
      let counts = given[..<count].map { Int($0) }
      let start = count + counts[..<rank].reduce(0, +)
      precondition(counts[rank] == received[from])
      result += given[start..<start + counts[rank]]
    }
    return result
  }
}
