import Reports
import TensorCore

/// The episodes that decoders are fitted to: pairs of classes that share classes with other pairs, the
/// same two labels throughout, and words of which none is shown in two episodes.
///
/// Classes stand in leagues of four in which every pair meets, so that a decoder tested on a pair it
/// never saw has seen both of its classes with others. A round holds each class once. When all pairs
/// have met they meet again with other words. Which class a slot has is drawn for every episode. What a
/// word, a pair or a slot brings of its own can then not pass for a rule, and whole episodes may change
/// sign in a permutation without breaking anything that two of them share.
struct DecodingDesign: Sendable, Equatable {
  /// Which two classes an episode is of.
  struct Meeting: Sendable, Equatable {
    let league: Int
    /// Of the league.
    let round: Int
    /// How many times the pair has met before.
    let replicate: Int
    /// Numbers of classes, the smaller first.
    let classes: [Int]
    /// How often each of them was there before.
    let occurrences: [Int]
    /// The same for all meetings of a pair.
    let pair: Int
  }

  /// Classes of a league.
  static let leagueSize = 4
  /// Fewer episodes than these say nothing.
  static let fewest = 6

  /// Demonstrations of either class.
  let perClass: Int
  /// Classes of all leagues.
  let classCount: Int
  /// One an episode.
  let meetings: [Meeting]

  /// - Parameters:
  ///   - classes: classes that the task has; words: words of the smallest in the split.
  ///   - episodes: as many as are wanted; there are fewer where the words do not suffice.
  ///   - leagues: as many; nil for as few as the episodes need.
  init(classes: Int, words: Int, demonstrations: Int, episodes: Int, leagues: Int? = nil) {
    perClass = demonstrations / 2
    let size = min(classes, Self.leagueSize)
    // A word is left for the query.
    let most = perClass > 0 ? (words - 1) / perClass : 0
    var meetings: [Meeting] = []
    var count = 0
    for leagues in leagues.map({ $0...$0 }) ?? 1...max(1, classes / max(size, 1)) {
      meetings = Self.schedule(leagues: leagues, size: size, occurrences: most, episodes: episodes)
      count = leagues * size
      if meetings.count == episodes { break }
    }
    self.meetings = meetings
    classCount = count
  }

  var leagues: Int { classCount / max(min(classCount, Self.leagueSize), 1) }

  /// Rounds of a league in which every pair meets once: where the size is even, all classes play in
  /// each round.
  static func rounds(_ size: Int) -> [[(Int, Int)]] {
    switch size {
    case 2: [[(0, 1)]]
    case 3: [[(0, 1)], [(0, 2)], [(1, 2)]]
    case 4: [[(0, 1), (2, 3)], [(0, 2), (1, 3)], [(0, 3), (1, 2)]]
    default: []
    }
  }

  private static func schedule(leagues: Int, size: Int, occurrences: Int, episodes: Int)
    -> [Meeting]
  {
    var meetings: [Meeting] = []
    var seen = [Int](repeating: 0, count: leagues * size)
    let rounds = rounds(size)
    guard !rounds.isEmpty else { return [] }
    for replicate in 0... {
      for (round, pairs) in rounds.enumerated() {
        for league in 0..<leagues {
          for (a, b) in pairs {
            guard meetings.count < episodes else { return meetings }
            let classes = [league * size + a, league * size + b]
            guard classes.allSatisfy({ seen[$0] < occurrences }) else { return meetings }
            meetings.append(
              Meeting(
                league: league, round: round, replicate: replicate, classes: classes,
                occurrences: classes.map { seen[$0] },
                pair: classes[0] * leagues * size + classes[1]))
            for number in classes { seen[number] += 1 }
          }
        }
      }
    }
    return meetings
  }

  /// Inner product of two episodes' differences of classes: 2 for the same pair, ±1 where they share
  /// one class, 0 where they share none.
  func overlap(_ a: Int, _ b: Int) -> Double {
    let (a, b) = (meetings[a].classes, meetings[b].classes)
    func side(_ number: Int) -> Double { number == b[0] ? 1 : number == b[1] ? -1 : 0 }
    return side(a[0]) - side(a[1])
  }

  /// What is held out of a decoder's training beside the tested episodes and their words.
  enum HeldOut: String, Sendable, CaseIterable {
    /// Nothing: the pair of classes was met with other words.
    case items
    /// All episodes of the tested pairs of classes.
    case rules

    var words: String {
      self == .items
        ? "words that the decoder has not seen"
        : "words and pairs of classes that the decoder has not seen"
    }
  }

  /// Folds; empty where the design does not allow it, or leaves too few tested episodes.
  func folds(_ heldOut: HeldOut) -> [ForcedChoice.Fold] {
    let all = Array(meetings.indices)
    let testable: [Int]
    switch heldOut {
    case .items:
      testable = all.filter { own in
        meetings.contains {
          $0.pair == meetings[own].pair && $0.replicate != meetings[own].replicate
        }
      }
    case .rules:
      // Both classes must have been there with others.
      testable = all.filter { own in
        meetings[own].classes.allSatisfy { number in
          meetings.contains { $0.pair != meetings[own].pair && $0.classes.contains(number) }
        }
      }
    }
    guard testable.count >= Self.fewest else { return [] }
    func key(_ index: Int) -> [Int] {
      let meeting = meetings[index]
      // Leagues share no class, and so no rule: what one tests costs another nothing.
      return heldOut == .items ? [meeting.replicate, meeting.round] : [meeting.round]
    }
    return Dictionary(grouping: testable, by: key)
      .sorted { $0.key.lexicographicallyPrecedes($1.key) }
      .map { _, testing in
        let pairs = Set(testing.map { meetings[$0].pair })
        return ForcedChoice.Fold(
          training: all.filter {
            !testing.contains($0) && (heldOut == .items || !pairs.contains(meetings[$0].pair))
          }, testing: testing)
      }
  }

  /// Of each episode, for the choice of penalties: episodes of a pair together where pairs are held out.
  func blocks(_ heldOut: HeldOut) -> [Int] {
    heldOut == .items ? Array(meetings.indices) : meetings.map(\.pair)
  }
}

/// Drawing the episodes of a design.
extension DecodingDesign {
  private static func stream(_ seed: UInt64, _ path: UInt64...) -> RandomStream {
    RandomStream(seed: seed, path: [0xDEC0D1] + path)
  }

  /// Names of the task's classes by the design's numbers.
  func classNames(_ classes: [RuleTask.ItemClass], seed: UInt64) -> [String] {
    var random = Self.stream(seed, 0)
    return random.sample(classCount, of: classes.map(\.name)).sorted()
  }

  /// Episode `index` as `task` writes it: the same in every surface form.
  ///
  /// In even episodes the right label is the earlier of the two.
  ///
  /// - Throws: `UserError` for a task without classes.
  func episode(_ index: Int, _ task: RuleTask, split: Split, seed: UInt64) throws -> Episode {
    guard case .categorization(let classes, let labels) = task.items else {
      throw UserError("decoding needs classes and labels", at: task.place)
    }
    let names = classNames(classes, seed: seed)
    var random = Self.stream(seed, 1)
    let two = random.sample(2, of: Array(labels.indices)).sorted().map { labels[$0] }
    let part = split.streamNumber
    let meeting = meetings[index]
    let own = meeting.classes.map { names[$0] }

    var draw = Self.stream(seed, 2, part, UInt64(index))
    let asked = draw.integer(below: 2)
    let right = two[index % 2]
    let wrong = two[1 - index % 2]
    var shown: [[Demonstration]] = []
    var query = ""
    for (place, name) in own.enumerated() {
      let words = split.items(of: classes.first { $0.name == name }?.words ?? [])
      var order = Array(words.indices)
      var dealing = Self.stream(seed, 3, part, UInt64(meeting.classes[place]))
      dealing.shuffle(&order)
      let first = meeting.occurrences[place] * perClass
      let dealt = order[first..<first + perClass]
      shown.append(
        dealt.map {
          Demonstration(input: words[$0], answer: place == asked ? right : wrong, category: name)
        })
      if place == asked {
        let rest = order.filter { !dealt.contains($0) }
        query = words[rest[draw.integer(below: rest.count)]]
      }
    }
    // Drawn anew for every episode: were it the same, or the opposite, in two of them, what goes with
    // slots would tell one from the other.
    var slots = Array(repeating: 0, count: perClass) + Array(repeating: 1, count: perClass)
    draw.shuffle(&slots)
    var left = shown.map { $0[...] }
    let demonstrations = slots.compactMap { left[$0].popFirst() }
    return Episode(
      task: task.name, seed: seed, index: index, split: split, variant: .original,
      rule: .categorization(labels: [own[asked]: right, own[1 - asked]: wrong]),
      demonstrations: demonstrations, query: query, queryCategory: own[asked], right: right,
      wrong: wrong)
  }
}

extension Split {
  fileprivate var streamNumber: UInt64 {
    switch self {
    case .development: 0
    case .heldOut: 1
    case .pilot: 2
    }
  }
}
