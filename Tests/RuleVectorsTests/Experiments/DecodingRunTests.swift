import Foundation
import Reports
import TensorCore
import Testing
import Transformer

@testable import RuleVectors

/// Whole probes on a random model, of which some answers are known without training: at the embedding an
/// answer is its label's token and nothing else, and at the first input both rules' prompts are alike.
@Suite struct DecodingRunTests {
  private static func words(_ letter: String) -> String {
    "[" + "abcdefghijklmnopq".map { "\"\(letter)\($0)\"" }.joined(separator: ", ") + "]"
  }

  static let task = """
    {"name": "small", "title": "Small", "description": "For tests.", "kind": "categorization",
     "templates": [
       {"name": "arrow", "demonstration": "{input} -> {label}\\n", "query": "{input} ->"},
       {"name": "equals", "demonstration": "{input} = {label};", "query": "{input} ="}],
     "label_sets": [{"name": "letters", "labels": ["A", "B"]},
                    {"name": "digits", "labels": ["7", "2"]}],
     "classes": {"w": \(words("w")), "x": \(words("x")), "y": \(words("y")), "z": \(words("z"))},
     "dummies": ["ma", "me", "mi", "mo", "mu", "na", "ne", "ni", "no", "nu"]}
    """

  private let probe = """
    "experiment": "decoding", "layers": [0, 2], "development": 6, "permutations": 99
    """

  private func setting(
    _ laboratory: Laboratory, _ task: String = Self.task, demonstrations: Int = 2
  )
    throws -> Setting
  {
    let subject = Subject.task(try Fixtures.read(task))
    return Setting(
      subject: subject, episodes: 12, demonstrations: demonstrations,
      architecture: laboratory.engine.model.architecture,
      tokenizer: laboratory.engine.model.tokenizer,
      tokens: try laboratory.typicalTokens(subject),
      findTask: { throw UserError("there is no task \"\($0)\"") })
  }

  private func rows(
    _ laboratory: Laboratory, known: [StoredRow] = [], store: ActivationStore? = nil
  ) throws -> (all: [StoredRow], fresh: [StoredRow]) {
    laboratory.store = store
    let plan = try RunPlan(
      [RowFixtures.probe("decoding", probe)], setting(laboratory))
    try plan.check(laboratory)
    var fresh: [StoredRow] = []
    try Runner(plan: plan, laboratory: laboratory, model: "tiny", verifications: 0)(
      known: known, append: { fresh += $0 }, watch: { _ in })
    return (known + fresh, fresh)
  }

  private func temporaryStore() -> ActivationStore {
    ActivationStore(run: NSTemporaryDirectory() + "icl-probe-test-\(UUID().uuidString)")
  }

  @Test func whatIsKnownIsFound() throws {
    let store = temporaryStore()
    defer { try? FileManager.default.removeItem(atPath: store.folder) }
    let all = try rows(TinyLaboratory.laboratory(), store: store).all
    let figures = try all.compactMap { stored -> DecodingFigure? in
      guard stored.key.split == .heldOut else { return nil }
      if case .figure(let figure) = try Record<DecodingRow>(stored).row { return figure }
      return nil
    }
    #expect(Set(figures.map(\.layer)) == [-1, 0, 2])
    let forms = ["arrow/letters", "equals/letters", "arrow/digits"]
    #expect(Set(figures.map(\.tested)) == Set(forms))
    let embedded = figures.filter {
      $0.layer == -1 && $0.positions == .answers && $0.measure == .accuracy && $0.slot == nil
    }
    for figure in embedded where figure.target == "label" && figure.tested == forms[0] {
      #expect(figure.interval.estimate == 1, "\(figure)")
    }
    let rules = embedded.filter { $0.target == "rule" }
    #expect(rules.count >= 6 && rules.allSatisfy { $0.interval.estimate == 0.5 })
    let first = figures.filter { $0.positions == .inputs && $0.slot == 0 }
    #expect(first.count >= 3 && first.allSatisfy { $0.interval.estimate == 0.5 })

    for figure in figures where figure.layer == -1 && figure.measure == .variance {
      let expected = figure.target == "label" ? 1.0 : 0
      #expect(abs(figure.interval.estimate - expected) < 1e-6, "\(figure)")
    }

    // The store has what the rows say, in every form and under both rules.
    let key = "decoding/small/held-out/3"
    let file = try store.tensors(for: key)
    let width =
      2 * (try file.shape(of: "blocks.2.hook_resid_post|answers|own|arrow/letters")[1]) / 2
    #expect(
      try file.shape(of: "blocks.0.hook_resid_pre|inputs|flipped|arrow/digits") == [2, width])
    let slots = try all.filter { $0.key.description == key }.compactMap { stored -> DecodingSlot? in
      if case .slot(let slot) = try Record<DecodingRow>(stored).row { return slot }
      return nil
    }
    #expect(slots.count == 6 && Set(slots.map(\.input)).count == 2)
    #expect(Set(slots.map(\.rule)).count == 1 && Set(slots.map(\.label)) == ["A", "B", "7", "2"])
  }

  /// Killed before the analysis, with or without its activations, a run ends with the same rows.
  @Test func anyProcessMayFinish() throws {
    let stores = [temporaryStore(), temporaryStore()]
    defer { for store in stores { try? FileManager.default.removeItem(atPath: store.folder) } }
    let whole = try rows(TinyLaboratory.laboratory(), store: stores[0]).all
    let part = whole.filter { $0.key.part != "layer-2" }
    let same = try rows(TinyLaboratory.laboratory(threads: 2), known: part, store: stores[0])
    #expect(
      same.fresh.map(\.json.text) == whole.filter { $0.key.part == "layer-2" }.map(\.json.text))
    let moved = try rows(TinyLaboratory.laboratory(), known: part, store: stores[1])
    #expect(moved.fresh.map(\.json.text) == same.fresh.map(\.json.text))
    let unkept = try rows(TinyLaboratory.laboratory(), known: part)
    #expect(unkept.fresh.map(\.json.text) == same.fresh.map(\.json.text))
  }

  @Test func whatCannotBeDecodedIsSaid() throws {
    let laboratory = try TinyLaboratory.laboratory()
    let decoding = try experiment(Decoding.self, "\"development\": 6")
    func reason(_ setting: Setting) throws -> String {
      if case .skipped(let reason) = try decoding.plan("p", setting) { return reason }
      return ""
    }
    #expect(
      try reason(setting(laboratory, TinyLaboratory.categorization, demonstrations: 4))
        .contains("the task has words for 4 episodes"))
    #expect(try reason(setting(laboratory, demonstrations: 1)).contains("both of its classes"))
    #expect(throws: UserError.self) {
      try experiment(Decoding.self, "\"formats\": [\"sideways\"]")
        .plan("p", setting(laboratory))
    }
    let named = try experiment(Decoding.self, "\"formats\": [\"equals/digits\"]")
      .chosenForms(of: Fixtures.read(Self.task))
    #expect(named.map(\.name) == ["arrow/letters", "equals/digits"])
  }
}
