import Foundation
import Reports
import TensorCore
import Testing

@testable import RuleVectors

@Suite struct DecodingSectionTests {
  private func figure(
    _ measure: DecodingFigure.Measure = .accuracy, at positions: PositionGroup = .answers,
    layer: Int, of target: String = "rule", _ mean: Double, p: Double = 0.0001,
    to tested: String = "a"
  ) -> DecodingFigure {
    DecodingFigure(
      measure, at: positions, layer: layer, target: target,
      heldOut: measure == .accuracy ? .rules : nil,
      decoder: measure == .accuracy ? "ridge" : nil, trained: "a", tested: tested,
      interval: Interval(estimate: mean, low: mean - 0.1, high: mean + 0.1, level: 0.95),
      chance: (p, 0.4, 0.6), count: 24)
  }

  private func section(
    development: [Int: Double] = [3: 0.6, 6: 0.9, 9: 0.9], to tested: Double = 0.8,
    p: Double = 0.0001, relabelled: Bool = false
  ) throws -> Section {
    let decoding = try experiment(Decoding.self, "\"layers\": [3, 6, 9]")
    var rows: [StoredRow] = []
    for layer in [-1, 3, 6, 9] {
      if let mean = development[layer] {
        rows += RowFixtures.stored(
          Decoding.self, probe: "p", split: .development, episode: 0, part: "layer-\(layer)",
          [.figure(figure(layer: layer, mean))])
      }
      rows += RowFixtures.stored(
        Decoding.self, probe: "p", episode: 0, part: "layer-\(layer)",
        [
          .figure(figure(layer: layer, layer < 0 ? 0.5 : 0.7, p: p)),
          .figure(figure(at: .inputs, layer: layer, 0.6, p: 0.4)),
          .figure(figure(layer: layer, tested, p: p, to: "b")),
          .figure(figure(.similarity, layer: layer, of: "bindings", 0.3, p: 0.2, to: "b")),
          .figure(figure(.variance, layer: layer, of: "rule", 0.02, p: 0.2)),
        ])
    }
    for episode in 0..<8 {
      let slots = ["a", "b"].map { form in
        DecodingRow.slot(
          DecodingSlot(
            form: form, slot: 0, input: "dog", category: "animals",
            label: relabelled && form == "b" ? "7" : "A", rule: 1))
      }
      let patches = [Donor.clean, .swappedSlots].flatMap { donor in
        [3, 6, 9].map { layer in
          DecodingRow.patch(
            LayerSweepRow(
              donor: donor, positions: .answers, layer: layer,
              outcome: RowFixtures.outcome(effect: 2 + 0.1 * Double(episode), gap: 4)))
        }
      }
      rows += RowFixtures.stored(Decoding.self, probe: "p", episode: episode, slots + patches)
    }
    return try decoding.section(SectionFixtures.records(rows), RowFixtures.findings())
  }

  @Test func developmentChoosesTheEarliestBestLayer() throws {
    let section = try section()
    #expect(section.summary.first { $0.key == "chosen_layer" }?.value == .integer(6))
    #expect(section.claims.allSatisfy { $0.sentence.contains("6") })
    #expect(
      section.answers.count == 1 && section.answers[0].contains("does not say that it is used"))
    // A layer short, there is no choice and no sentence.
    let without = try self.section(development: [3: 0.6, 6: 0.9])
    #expect(without.claims.isEmpty && without.answers.isEmpty)
    #expect(without.summary.first { $0.key == "chosen_layer" }?.value == .null)
  }

  @Test func onlyUnseenFormsSpeakToThePaper() throws {
    let claims = Claim.adjusted(try section().claims)
    let papers = claims.filter { $0.paperClaim != nil }
    #expect(Set(papers.map(\.name)) == ["p.rule.b", "p.similarity.b"])
    #expect(papers.allSatisfy { $0.paperClaim == 5 })
    let across = try #require(claims.first { $0.name == "p.rule.b" })
    #expect(across.verdict == .supported && abs(across.difference - 0.3) < 1e-12)
    #expect(try #require(claims.first { $0.name == "p.similarity.b" }).verdict == .undecided)
    // Other labels stand for the first ones by convention alone.
    let relabelled = try #require(section(relabelled: true).claim("rule.b"))
    #expect(relabelled.paperClaim == nil)
    for claim in claims {
      #expect(!claim.sentence.contains("use"), "\(claim.sentence)")
    }
  }

  @Test func chanceIsUndecidedAndBelowItContradicts() throws {
    let undecided = Claim.adjusted(try section(to: 0.5, p: 0.7).claims)
    #expect(try #require(undecided.first { $0.name == "p.rule.b" }).verdict == .undecided)
    #expect(try #require(undecided.first { $0.name == "p.rule.answers" }).samplesToDecide ?? 0 > 24)
    let below = Claim.adjusted(try section(to: 0.2).claims)
    #expect(try #require(below.first { $0.name == "p.rule.b" }).verdict == .contradicted)
  }

  @Test func decodingAndPatchingStandInOneFigure() throws {
    let section = try section()
    let figures = section.elements.compactMap { element -> Figure? in
      if case .figure(let figure) = element { figure } else { nil }
    }
    let beside = try #require(figures.first { $0.name == "p-beside-patching" })
    let csv = beside.csv.text
    #expect(csv.contains("decoded: 2 · accuracy − 1,6,0.39"))
    #expect(csv.contains("patched: recovery,6,0.58"))
    #expect(csv.contains("\"patched, same labels: recovery\",6"))
    #expect(Set(figures.map(\.name)).count == figures.count)
    #expect(beside.caption.contains("does not say that the model uses it"))
  }
}
