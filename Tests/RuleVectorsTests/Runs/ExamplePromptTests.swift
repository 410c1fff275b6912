import TensorCore
import Testing

@testable import RuleVectors

@Suite struct ExamplePromptTests {
  @Test func everyRoleOfTheFirstEpisode() throws {
    let laboratory = try TinyLaboratory.laboratory()
    let task = try Fixtures.read(TinyLaboratory.categorization)
    let examples = try laboratory.examplePrompts(.task(task))
    #expect(
      examples.map(\.name) == [
        "clean", "flipped-rule", "swapped-slots", "zero-shot", "dummy-demonstrations",
      ])
    let text = examples[0].tokens.map(\.text).joined()
    #expect(text.hasSuffix(" ->") && text.split(separator: "\n").count == 5)
    #expect(examples[1].right == examples[0].wrong)
    for example in examples {
      let reader = JSONReader(
        try JSONValue(parsing: .init(example.json.text.utf8), place: "examples.json"),
        place: "examples.json")
      #expect(try ExamplePrompt(reader).json == example.json)
    }
  }

  /// A variant for which the task has too few items is missed by the probes that need it, not by a run
  /// that does not.
  @Test func variantsThatATaskDoesNotAllowAreLeftOut() throws {
    let task = try Fixtures.read(TinyLaboratory.categorization)
    let model = try TinyLaboratory.laboratory().engine
    var without = 0
    for seed in 0..<8 as Range<UInt64> {
      // Ten held-out words a class: all of them are shown in one class.
      let laboratory = Laboratory(engine: model, seed: seed, demonstrations: 19)
      guard (try? laboratory.episode(task, 0, .heldOut)) != nil else { continue }
      let names = try laboratory.examplePrompts(.task(task)).map(\.name)
      #expect(names.first == "clean" && !names.contains("dummy-demonstrations"))
      if !names.contains("swapped-slots") { without += 1 }
    }
    #expect(without > 0)
  }
}
