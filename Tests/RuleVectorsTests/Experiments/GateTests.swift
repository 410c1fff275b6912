import Testing

@testable import RuleVectors

@Suite struct GateTests {
  private func gate(_ episodes: Int, right: Int, demonstrations: Int = 4) throws -> Gate? {
    try Gate(
      RowFixtures.baseline(episodes: episodes, right: right), task: "small",
      demonstrations: demonstrations)
  }

  /// The chance of `least` or more heads, by Pascal's rule, which no logarithm of the test uses.
  private func tail(_ episodes: Int, _ least: Int) -> Double {
    var row = [1.0]
    for _ in 0..<episodes {
      row = zip([0] + row, row + [0]).map { ($0 + $1) / 2 }
    }
    return row[least...].reduce(0, +)
  }

  @Test(arguments: [1, 3, 4, 5, 6, 8, 16, 32, 64])
  func passesWhereACoinTossSeldomDoes(episodes: Int) throws {
    for right in 0...episodes {
      let passes = tail(episodes, right) <= 0.025
      #expect(try gate(episodes, right: right)?.passed == passes, "\(right) of \(episodes)")
    }
  }

  @Test func knownCounts() throws {
    #expect(try gate(5, right: 5)?.passed == false)
    #expect(try gate(6, right: 6)?.passed == true)
    #expect(try gate(32, right: 22)?.passed == false)
    #expect(try gate(32, right: 23)?.passed == true)
    #expect(try gate(64, right: 40)?.passed == false)
    #expect(try gate(64, right: 41)?.passed == true)
  }

  @Test func isOfTheRunsOwnNumberOfDemonstrations() throws {
    #expect(try gate(8, right: 8, demonstrations: 3) == nil)
    let rows =
      RowFixtures.baseline(episodes: 8, right: 2, shots: 0)
      + RowFixtures.baseline(episodes: 8, right: 8, shots: 4)
      + RowFixtures.baseline(episodes: 8, right: 0, shots: 4, task: "other")
    let found = try #require(try Gate(rows, task: "small", demonstrations: 4))
    #expect(found.episodes == 8 && found.candidateAccuracy.estimate == 1)
    // Two probes that ran the same episodes count them once.
    let again =
      rows
      + RowFixtures.stored(
        ShotCurve.self, probe: "other-probe", episode: 0,
        (0..<8).map {
          ShotCurveRow(episode: $0, shots: 4, measurement: RowFixtures.measurement(1))
        })
    #expect(try Gate(again, task: "small", demonstrations: 4)?.episodes == 8)
    #expect(try Gate([], task: "small", demonstrations: 4) == nil)
  }

  @Test func saysWhatItFound() throws {
    let passed = try #require(try gate(32, right: 32))
    #expect(
      passed.sentence.hasPrefix("With 4 demonstrations the right answer beats the other one in"))
    #expect(!passed.sentence.contains("coin toss"))
    #expect(
      passed.json["passed"] == true && passed.json["candidate_accuracy"]["estimate"] == .number(1))
    let failed = try #require(try gate(32, right: 16))
    #expect(failed.sentence.hasSuffix("so nothing below is interpreted."))
    #expect(failed.json["passed"] == false && failed.json["episodes"] == 32)
    #expect(failed.json["task"] == "small" && failed.json["model"] == "tiny")
  }
}
