import Foundation
import Reports
import TensorCore
import Testing
import Transformer

@testable import RuleVectors

@Suite struct DecodingDesignTests {
  private func design(
    classes: Int = 12, words: Int = 25, demonstrations: Int = 8, episodes: Int = 24,
    leagues: Int? = nil
  ) -> DecodingDesign {
    DecodingDesign(
      classes: classes, words: words, demonstrations: demonstrations, episodes: episodes,
      leagues: leagues)
  }

  @Test func everyPairOfALeagueMeetsEquallyOften() {
    let design = design()
    #expect(design.meetings.count == 24 && design.classCount == 8 && design.leagues == 2)
    let pairs = Dictionary(grouping: design.meetings, by: \.pair)
    #expect(pairs.count == 12 && pairs.values.allSatisfy { $0.map(\.replicate) == [0, 1] })
    for number in 0..<8 {
      let own = design.meetings.filter { $0.classes.contains(number) }
      #expect(own.count == 6)
      let occurrences = own.map { $0.occurrences[$0.classes[0] == number ? 0 : 1] }
      #expect(occurrences == Array(0..<6))
    }
    #expect(design.meetings.allSatisfy { $0.classes[0] / 4 == $0.classes[1] / 4 })
  }

  @Test func thereAreAsManyEpisodesAsWordsSufficeFor() {
    // 24 words beside the query's make 6 episodes of each class: 3 pairs of classes at a time.
    #expect(design(episodes: 100).meetings.count == 36)
    #expect(design(classes: 2, words: 13, demonstrations: 4, episodes: 24).meetings.count == 6)
    #expect(design(classes: 1).meetings.isEmpty && design(words: 4).meetings.isEmpty)
    #expect(design(classes: 3, words: 9, demonstrations: 4).meetings.count == 6)
    // Twelve development words.
    #expect(design(words: 13, episodes: 12, leagues: 2).meetings.count == 12)
  }

  @Test func foldsShareNeitherEpisodesNorPairs() {
    let design = design()
    for heldOut in DecodingDesign.HeldOut.allCases {
      let folds = design.folds(heldOut)
      #expect(folds.flatMap(\.testing).sorted() == Array(0..<24))
      for fold in folds {
        #expect(Set(fold.training).isDisjoint(with: fold.testing))
        let trained = Set(fold.training.map { design.meetings[$0].pair })
        for episode in fold.testing {
          let meeting = design.meetings[episode]
          #expect(trained.contains(meeting.pair) == (heldOut == .items))
          for number in meeting.classes {
            #expect(fold.training.contains { design.meetings[$0].classes.contains(number) })
          }
        }
      }
    }
    // A pair that met once is never tested on words alone; two classes have no other pair.
    #expect(self.design(words: 13, episodes: 12).folds(.items).isEmpty)
    #expect(self.design(classes: 2, words: 40, demonstrations: 4).folds(.rules).isEmpty)
    #expect(!self.design(classes: 2, words: 40, demonstrations: 4).folds(.items).isEmpty)
  }

  @Test func overlapsAreInnerProductsOfDifferences() {
    let design = design()
    for (a, first) in design.meetings.enumerated() {
      for (b, second) in design.meetings.enumerated() {
        let vectors = [first, second].map { meeting in
          (0..<8).map { $0 == meeting.classes[0] ? 1.0 : $0 == meeting.classes[1] ? -1 : 0 }
        }
        let product = zip(vectors[0], vectors[1]).reduce(0) { $0 + $1.0 * $1.1 }
        #expect(design.overlap(a, b) == product)
      }
    }
  }

  @Test func episodesShareNoWordAndBalanceTheirSlots() throws {
    let task = try Fixtures.task("multi-demo-rule")
    let design = design()
    let episodes = try (0..<24).map {
      try design.episode($0, task, split: .heldOut, seed: 5)
    }
    let words = episodes.flatMap { $0.demonstrations.map(\.input) }
    #expect(Set(words).count == words.count && words.count == 24 * 8)
    #expect(Set(episodes.flatMap { $0.demonstrations.map(\.answer) }).count == 2)
    guard case .categorization(let classes, let labels) = task.items else { return }
    let heldOut = Set(classes.flatMap { Split.heldOut.items(of: $0.words) })
    let names = design.classNames(classes, seed: 5)
    for (index, episode) in episodes.enumerated() {
      let shown = Set(episode.demonstrations.compactMap(\.category)).sorted()
      #expect(shown == design.meetings[index].classes.map { names[$0] })
      #expect(episode.demonstrations.filter { $0.answer == episode.right }.count == 4)
      #expect(!episode.demonstrations.map(\.input).contains(episode.query))
      #expect(heldOut.isSuperset(of: episode.demonstrations.map(\.input) + [episode.query]))
      guard case .categorization(let rule) = episode.rule else { continue }
      for one in episode.demonstrations {
        #expect(one.answer == rule[try #require(one.category)])
      }
      #expect(rule[try #require(episode.queryCategory)] == episode.right)
      let places = episode.candidates.compactMap { labels.firstIndex(of: $0) }
      #expect((places[0] < places[1]) == (index % 2 == 0))
    }
    // What is drawn depends on the seed and on nothing else.
    #expect(try design.episode(7, task, split: .heldOut, seed: 5) == episodes[7])
    #expect(try design.episode(7, task, split: .heldOut, seed: 6) != episodes[7])
  }
}
