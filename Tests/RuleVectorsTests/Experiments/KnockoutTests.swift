import Foundation
import TensorCore
import Testing
import Transformer

@testable import RuleVectors

@Suite struct KnockoutTests {
  /// `a -> X⏎ b -> Y⏎ q ->` by words: every demonstration has an input, a separator and an answer.
  private func prompt() throws -> Prompt {
    let task = try Fixtures.task("multi-demo-rule")
    let tokenizer = FakeTokenizer.words()
    let episode = try EpisodeSampler(task: task, tokenizer: tokenizer)
      .episode(index: 0, split: .heldOut, demonstrations: 4, seed: 3)
    return try Prompt(episode, template: task.template, tokenizer: tokenizer)
  }

  @Test func classesHoldTheEdgesOfTheirRoles() throws {
    let prompt = try prompt()
    let last = prompt.lastPosition
    for edges in EdgeClass.allCases {
      for edge in edges.edges(in: prompt, last: last) {
        #expect(edge.key < edge.query)
        let (query, key) = (prompt.roles[edge.query], prompt.roles[edge.key])
        let (reader, read) = (
          prompt.demonstrationIndices[edge.query], prompt.demonstrationIndices[edge.key]
        )
        switch edges {
        case .inputToOwnAnswer:
          #expect(query == .answer && key == .demonstrationInput && reader == read)
        case .separatorToOwnAnswer:
          #expect(query == .answer && key == .separator && reader == read)
        case .answerToLaterAnswers:
          #expect(query == .answer && prompt.answerPositions.contains(edge.key))
          #expect(try #require(read) < #require(reader))
        case .answerToLast:
          #expect(edge.query == last && prompt.answerPositions.contains(edge.key))
        case .labelToLast: #expect(edge.query == last && key == .answer)
        }
      }
    }
    #expect(EdgeClass.answerToLast.edges(in: prompt, last: last).count == 4)
    let later = EdgeClass.answerToLaterAnswers.edges(in: prompt, last: last)
    #expect(Set(later.map(\.key)) == Set(prompt.answerPositions.dropLast()))
  }

  @Test func knockoutsAreTheEdgesAndNoMore() throws {
    let prompt = try prompt()
    for edges in EdgeClass.allCases {
      let set = edges.edges(in: prompt, last: prompt.lastPosition)
      var cut: Set<Edge> = []
      var count = 0
      for intervention in set.knockouts(layers: 2...4) {
        guard case .knockout(let knockout) = intervention else { continue }
        #expect(knockout.layers == 2...4)
        for query in knockout.queries {
          for key in knockout.keys {
            cut.insert(Edge(query: query, key: key))
            count += 1
          }
        }
      }
      #expect(cut == set && count == set.count)
    }
  }

  /// Of the same queries, of none of the classes and not to the first position; the third query has no others, so that
  /// those of the rest make up for it.
  @Test func controlsAreAsManyOtherEdges() {
    let own = Set(
      [(9, 2), (9, 3), (12, 5), (2, 1)].map { Edge(query: $0.0, key: $0.1) })
    let excluded = own.union([Edge(query: 12, key: 7)])
    var streams = (0..<2).map { RandomStream(seed: 1, path: [UInt64($0)]) }
    let a = own.control(excluding: excluded, random: &streams[0])
    let b = own.control(excluding: excluded, random: &streams[1])
    #expect(a.count == 4 && b.count == 4 && a != b)
    #expect(a.isDisjoint(with: excluded) && a.allSatisfy { 0 < $0.key && $0.key < $0.query })
    #expect(a.count { $0.query == 9 } >= 2 && a.count { $0.query == 12 } >= 1)
    #expect(a.allSatisfy { $0.query != 2 })
    // Where there are no others at all there is nothing to cut.
    #expect(Set([Edge(query: 2, key: 1)]).control(excluding: own, random: &streams[0]).isEmpty)
  }

  @Test func windowsCoverAllLayers() throws {
    func windows(_ text: String, _ layers: Int) throws -> [ClosedRange<Int>] {
      let value = try JSONValue(parsing: Data(text.utf8), place: "p")
      return try Knockout(ProbeKeys(JSONReader(value, place: "p"))).windows(layers)
    }
    #expect(try windows("{}", 30) == [0...4, 5...9, 10...14, 15...19, 20...24, 25...29])
    #expect(try windows("{\"window\": 4, \"step\": 3}", 12) == [0...3, 3...6, 6...9, 8...11])
    #expect(try windows("{\"window\": 9}", 4) == [0...3])
  }

  @Test func rowsComeBack() throws {
    let measurement = Measurement(logitDifference: 0.5, probability: 0.25, isTop: true)
    let row = KnockoutRow(
      edges: .answerToLast, isControl: true, layers: 5...9, count: 4, clean: measurement,
      cut: Measurement(logitDifference: -0.25, probability: 0.125, isTop: false, divergence: 2))
    #expect(try KnockoutRow(Columns(row.columns, place: "row")) == row)
    #expect(row.loss == 0.75)
  }
}
