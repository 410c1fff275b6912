import Testing

@testable import RuleVectors

@Suite struct VerificationTests {
  @Test func aDeviationFailsTheRun() {
    #expect(Verification(variants: 3, largestDeviation: 9e-4).problem == nil)
    let problem = Verification(variants: 1, largestDeviation: 5).problem
    #expect(problem?.contains("5.0 logits") == true)
    #expect(Verification(variants: 1, largestDeviation: .nan).problem != nil)
  }

  @Test func addsUpOverResumedRuns() {
    let both = Verification(variants: 2, largestDeviation: 1e-5)
      .adding(Verification(variants: 4, largestDeviation: 3e-5))
    #expect(both == Verification(variants: 6, largestDeviation: 3e-5))
    let broken = Verification(variants: 1, largestDeviation: .nan)
    #expect(broken.adding(Verification(variants: 1, largestDeviation: 1)).problem != nil)
    #expect(Verification().adding(broken).problem != nil)
  }
}
