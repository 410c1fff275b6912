import TensorCore
import Testing

@testable import Reports

@Suite struct ClaimTests {
  private func tested(_ differences: [Double], name: String = "n", paper: Int? = nil) -> Claim {
    Claim(
      "topic", name: name, sentence: "It holds.", evidence: "Found.", differences: differences,
      unit: "logits", paperClaim: paper, seed: 0)
  }

  private func text(_ claim: Claim) -> String {
    claim.text(samples: "episodes") { $0.rawValue }
  }

  @Test func effectsHaveStudentsInterval() throws {
    let sleep = [1.2, 2.4, 1.3, 1.3, 0, 1, 1.8, 0.8, 4.6, 1.4]
    let claim = tested(sleep, paper: 3)
    let effect = try #require(claim.effect)
    #expect(abs(effect.low - 0.7001142) < 1e-6 && abs(claim.difference - 1.58) < 1e-12)
    #expect(abs((claim.standardDeviation ?? 0) - 1.229995) < 1e-6)
    // Nine differences have a sign, all the same one.
    #expect(claim.pValue == 2.0 / 512 && claim.verdict == .supported)
    let json = claim.json(samples: "episodes")
    #expect(json["paper_claim"] == .integer(3) && json["episodes"] == .integer(10))
    #expect(json["effect"]["low"] == .number(effect.low) && json["unit"] == .string("logits"))
    #expect(json["effect"]["estimate"] == .number(claim.difference))
    #expect(json["episodes_to_decide"] == .null && json["verdict"] == .string("supported"))
  }

  @Test func undecidedSentencesSayWhatWouldDecideThem() throws {
    // Mean 0.5 and standard deviation 1: by the noncentral t distribution of SciPy 34 samples at
    // 0.05 and 58 at 0.05 / 10.
    let half = (15.0 / 16).squareRoot()
    let one = (0..<16).map { 0.5 + ($0 % 2 == 0 ? half : -half) }
    let alone = try #require(Claim.adjusted([tested(one)]).first)
    #expect(abs((alone.standardDeviation ?? 0) - 1) < 1e-9 && alone.verdict == .undecided)
    #expect(alone.samplesToDecide == 34)
    #expect(text(alone).hasSuffix("(Holm). About 34 episodes would decide it.\n"))
    #expect(
      alone.callout(samples: "episodes", tests: 1).evidence.hasSuffix(
        ". About 34 episodes would decide it."))
    #expect(
      alone.callout(samples: "episodes", tests: 1).evidence.hasPrefix(
        "Found. Mean difference 0.500 [−0.033, 1.033] logits. Over 16 episodes p = "))
    #expect(alone.json(samples: "episodes")["episodes_to_decide"] == .integer(34))
    let many = Claim.adjusted([Claim](repeating: tested(one), count: 10) + [untested])
    let most = try #require(many.first?.samplesToDecide)
    #expect(most == 58, "\(most)")
  }

  private var untested: Claim {
    Claim(
      "topic", name: "none", sentence: "It holds.", evidence: "Found.", difference: .nan,
      pValue: .nan, samples: 0)
  }

  @Test func whatCouldNotBeTestedIsUndecidedAndSaysSo() throws {
    let claims = Claim.adjusted([
      untested, tested([3, 3.1, 2.9, 3]), tested([]), tested([19.96]), tested([0, 0, 0, 0]),
      tested([1, .nan, 2]),
    ])
    #expect(claims.allSatisfy { $0.verdict == .undecided })
    #expect(text(claims[0]).hasSuffix("It could not be tested.\n"))
    let four = text(claims[1])
    #expect(four.contains("A test over 4 episodes can decide nothing: it takes at least 6."))
    // Four tests of which Holm asks 0.0125 of the first: 2 / 2⁸ is the first p below.
    #expect(claims[1].samplesToDecide == 8 && four.hasSuffix("About 8 episodes would decide it.\n"))
    #expect(text(claims[2]).contains("A test over 0 episodes can decide nothing"))
    #expect(text(claims[3]).contains("A test over 1 episode can decide nothing"))
    #expect(claims[3].samplesToDecide == nil)
    #expect(claims[3].effect == .unbounded(around: 19.96, level: 0.95))
    #expect(text(claims[4]).hasSuffix("There is no difference in any of the episodes.\n"))
    #expect(text(claims[5]).hasSuffix("It could not be tested.\n"))
    // Scripts never meet what is not a number.
    for claim in claims {
      let written = claim.json(samples: "episodes").text
      #expect(!written.contains("nan") && !written.contains("inf"), "\(written)")
    }
  }

  @Test func noEffectNeedsNoNumber() throws {
    let balanced = try #require(Claim.adjusted([tested([-2, 2, -1, 1, -3, 3, -1, 1])]).first)
    #expect(balanced.samplesToDecide == nil)
    #expect(text(balanced).contains("no practical number of episodes would decide it."))
    #expect(balanced.json(samples: "images")["images_to_decide"] == .null)
  }

  @Test func decidedByThousandsOfSentences() throws {
    // 2 / 2³² is below 0.05 / 500, which 10,000 draws could not show.
    let strong = tested((0..<32).map { 1 + Double($0) / 100 })
    let drawn = tested((0..<64).map { 1 + Double($0) / 100 })
    let rest = (0..<498).map { tested([1, -1, 0.5, -0.2, 1, 0.1], name: "\($0)") }
    let claims = Claim.adjusted([strong, drawn] + rest)
    #expect(claims[0].verdict == .supported && claims[1].verdict == .supported)
    #expect(text(claims[0]).contains("p < 0.0001 (Holm)\n"))
    #expect(claims[2].verdict == .undecided)
  }

  @Test func roundsUpToTwoDigits() {
    #expect(
      [7, 34, 99, 100, 101, 137, 12_345].map(Claim.rounded) == [7, 34, 99, 100, 110, 140, 13_000])
  }
}
