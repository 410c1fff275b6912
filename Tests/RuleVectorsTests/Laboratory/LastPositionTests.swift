import Testing
import Transformer

@testable import RuleVectors

/// Where both answers begin with the same tokens, logits are read behind these, and `last` is there.
@Suite struct LastPositionTests {
  @Test func isWhereLogitsAreRead() throws {
    let laboratory = try TinyLaboratory.laboratory()
    // The model reads bytes, so that these labels share their first two tokens.
    let task = try Fixtures.read(
      TinyLaboratory.categorization.replacing("[\"A\", \"B\"]", with: "[\"XA\", \"XB\"]"))
    let episode = try laboratory.episode(task, 0, .heldOut)
    let pair = try laboratory.pair(.clean, episode, task)
    for recorded in [pair.donor, pair.recipient] {
      #expect(!recorded.contrast.prefix.isEmpty)
      #expect(recorded.tokens == recorded.prompt.tokens + recorded.contrast.prefix)
      #expect(recorded.positions(.last) == [recorded.tokens.count - 1])
    }
    // After the last layer nothing but that position is read: its patch brings the donor's answer.
    let layer = laboratory.engine.model.architecture.layers - 1
    let row = try #require(
      try laboratory.sweep(.clean, task, 0, .heldOut, groups: [.last], layers: [layer]).first)
    #expect(pair.donor.measurement != pair.recipient.measurement)
    #expect(abs(row.outcome.patched.logitDifference - row.outcome.donor) < 1e-4)
  }
}
