import CPanels
import Foundation
import Synchronization

/// The parts of a batch that one process computes, each on a thread of its own, meeting where they have something in
/// common.
///
/// As many compute at a time as there are lanes. A lane's parts take turns: one that has come to a meeting gives its turn
/// to another that has not, and the last one keeps it and looks out for the other lanes before it sleeps. So a lane's
/// processor seldom falls idle, from which it would have to be woken.
final class PartGroup: Sendable {
  let tree: PartTree
  private let ranks: any Ranks
  /// How many there are.
  private let count: Int
  private let lanes: Int
  /// Whose turn it is, for each of this process's parts.
  private let turns: [DispatchSemaphore]
  /// Meetings that are over.
  private let round = Atomic(0)
  private let hasFailed = Atomic(false)
  private let meeting: Mutex<Meeting>
  /// For whoever has looked out long enough.
  private let bell = NSCondition()

  private struct Meeting {
    var sums: PartSums
    var result: [Float] = []
    /// Meetings that each of this process's parts has come to; `over` where it has ended.
    var progress: [Int]
  }

  private static let over = Int.max
  /// How often a waiting lane looks before it sleeps: some tens of microseconds.
  private static let mostLooks = 2000

  init(_ tree: PartTree, count: Int, ranks: any Ranks, lanes: Int) {
    self.tree = tree
    self.count = count
    self.ranks = ranks
    self.lanes = lanes
    turns = (0..<count).map { _ in DispatchSemaphore(value: 0) }
    meeting = Mutex(Meeting(sums: PartSums(tree), progress: .init(repeating: 0, count: count)))
    for lane in 0..<lanes { turns[parts(of: lane).lowerBound].signal() }
  }

  /// Waits for the part's first turn.
  func begin(_ part: BatchPart) { turns[part.index].wait() }

  func end(_ part: BatchPart) {
    let next = meeting.withLock { meeting in
      meeting.progress[part.index] = Self.over
      return peers(of: part).first { meeting.progress[$0] != Self.over }
    }
    if let next { turns[next].signal() }
  }

  /// Lets nobody wait for a part that will not come.
  func fail() {
    hasFailed.store(true, ordering: .releasing)
    bell.withLock { bell.broadcast() }
  }

  /// The sum over all parts of what each gives; waits for the others. After a failure, anything of that shape.
  func sum(_ values: [Float], from part: BatchPart) -> [Float] {
    guard !hasFailed.load(ordering: .acquiring) else { return values }
    let place = part.index
    let (mine, isLast, next) = meeting.withLock { meeting in
      meeting.sums.add(values, part: part.number)
      meeting.progress[place] += 1
      let mine = meeting.progress[place]
      // After a failure somebody is over who never came.
      let isLast =
        !hasFailed.load(ordering: .acquiring) && meeting.progress.allSatisfy { $0 >= mine }
      if isLast {
        meeting.result = ranks.sum(meeting.sums.waiting, of: tree, length: values.count)
        meeting.sums = PartSums(tree)
      }
      return (mine, isLast, peers(of: part).first { meeting.progress[$0] < mine })
    }
    if isLast {
      round.store(mine, ordering: .sequentiallyConsistent)
      bell.withLock { bell.broadcast() }
    } else if let next {
      turns[next].signal()
      turns[place].wait()
    }
    waitForRound(mine)
    // Nobody gets further than one meeting before all have left this one.
    return hasFailed.load(ordering: .acquiring) ? values : meeting.withLock { $0.result }
  }

  private func waitForRound(_ number: Int) {
    func isOver() -> Bool {
      round.load(ordering: .sequentiallyConsistent) >= number
        || hasFailed.load(ordering: .acquiring)
    }
    for _ in 0..<Self.mostLooks {
      if isOver() { return }
      restProcessor()
    }
    bell.withLock { while !isOver() { bell.wait() } }
  }

  private func peers(of part: BatchPart) -> Range<Int> {
    parts(of: part.index * lanes / count)
  }

  /// The parts of a lane, by their place among this process's: those of which `place × lanes / count` is its number.
  private func parts(of lane: Int) -> Range<Int> {
    func first(_ lane: Int) -> Int { (lane * count + lanes - 1) / lanes }
    return first(lane)..<first(lane + 1)
  }
}
