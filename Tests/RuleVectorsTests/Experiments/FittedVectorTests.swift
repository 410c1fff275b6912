import Testing

@testable import RuleVectors

@Suite struct FittedVectorTests {
  /// A vector that is fitted to prompts with dummy demonstrations must not find the answer at a fixed place.
  @Test(arguments: [FittedVector.Form.oneDummy, .eachLabelDummy])
  func theRightLabelStandsAnywhere(form: FittedVector.Form) throws {
    let (sampler, rules) = try EpisodeControlsTests.episodes(
      "multi-demo-rule", demonstrations: [8])
    var first = 0
    for rule in rules {
      var asked = [rule]
      for draw in 1..<16 {
        asked.append(
          try sampler.otherItems(than: asked[draw - 1], draw: draw, queryOfOtherClass: true))
      }
      let prompts = try FittedVector.recipients(form, asked, sampler)
      #expect(prompts.map(\.query) == asked.map(\.query))
      #expect(prompts.allSatisfy { Set($0.demonstrations.map(\.answer)) == Set($0.candidates) })
      let own = prompts.count { $0.demonstrations[0].answer == $0.right }
      #expect((2...14).contains(own))
      first += own
    }
    // Half of 240, with a standard deviation of 8.
    #expect((90...150).contains(first))
  }
}
