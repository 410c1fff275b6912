import Testing

@testable import RuleVectors

@Suite struct GateTests {
  private func gate(_ episodes: Int, right: Int, demonstrations: Int = 4) throws -> Gate? {
    try Gate(
      RowFixtures.baseline(episodes: episodes, right: right), task: "small",
      demonstrations: demonstrations)
  }

  /// Wilson's lower bound (Wilson 1927, z = 1.959964) is above one half from these counts on; that is
  /// (p + z²/2n − z √(p(1−p)/n + z²/4n²)) / (1 + z²/n) > 1/2, or p > 1/2 + z / (2 √n).
  @Test(arguments: [1, 3, 4, 5, 6, 8, 16, 32, 64])
  func passesFromTheRightCountOn(episodes: Int) throws {
    let n = Double(episodes)
    let z = 1.959_963_985
    for right in 0...episodes {
      let passes = Double(right) / n > 0.5 + z / (2 * n.squareRoot())
      #expect(try gate(episodes, right: right)?.passed == passes, "\(right) of \(episodes)")
    }
  }

  @Test func knownCounts() throws {
    #expect(try gate(3, right: 3)?.passed == false)
    #expect(try gate(4, right: 4)?.passed == true)
    #expect(try gate(32, right: 21)?.passed == false)
    #expect(try gate(32, right: 22)?.passed == true)
    #expect(try gate(64, right: 39)?.passed == false)
    #expect(try gate(64, right: 40)?.passed == true)
  }

  /// Under a coin toss it lets about 2.5 % through.
  @Test func aCoinTossSeldomPasses() throws {
    // Exact: 22 or more of 32, 40 or more of 64 (binomial tails).
    for (episodes, least) in [(32, 22), (64, 40)] {
      var tail = 0.0
      var weight = 1.0
      for k in 0...episodes {
        if k >= least { tail += weight }
        weight *= Double(episodes - k) / Double(k + 1)
      }
      for _ in 0..<episodes { tail /= 2 }
      #expect(tail < 0.031)
    }
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
