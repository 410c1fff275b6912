import Foundation
import TensorCore
import Testing

@testable import RuleVectors
@testable import Transformer

/// Estimates by gradients beside small true changes, on a random model.
@Suite struct GradientExperimentTests {
  private func keys(_ text: String) throws -> ProbeKeys {
    try ProbeKeys(JSONReader(JSONValue(parsing: Data(text.utf8), place: "p"), place: "p"))
  }

  private func units(_ plan: Plan) -> [RuleVectors.Unit] {
    if case .units(let units) = plan { units } else { [] }
  }

  /// An estimate is the derivative of the patched logit difference by how far the patch goes.
  @Test(arguments: GridSite.allCases) func estimatesAreDerivatives(site: GridSite) throws {
    let laboratory = try TinyLaboratory.laboratory()
    let setting = try TinyLaboratory.setting(laboratory)
    let task = try #require(setting.subject.task)
    let prompt = try laboratory.gridPrompt(task, 0, .heldOut)
    let panel = GridPanels.Panel(site: site, axis: site.site.hasHeads ? .head : .role)
    let places = prompt.places([panel], [0, 1, 2], laboratory.engine.model.architecture)
    let runs = try laboratory.gridRuns(prompt, places.hooks, recordsCorrupted: true)
    let estimates = try laboratory.estimates(
      places, runs, laboratory.gradients(places.hooks, runs))
    #expect(estimates.contains { abs($0) > 1e-3 })
    // Part of the way and as far in the other direction: central differences of fourth order, since a random
    // model bends much.
    let step: Float = 0.004
    func changes(_ factor: Float) throws -> [Float] {
      let partly = GridRuns(
        prompt: prompt,
        clean: runs.clean.merging(
          runs.corrupted.map { hook, corrupted in
            (hook, corrupted + ((runs.clean[hook] ?? corrupted) - corrupted) * factor)
          }, uniquingKeysWith: { $1 }), corrupted: runs.corrupted, base: runs.base,
        cleanDifference: runs.cleanDifference, corruptedDifference: runs.corruptedDifference)
      return try laboratory.patched(places, partly).map { $0 - runs.corruptedDifference }
    }
    let (near, far) = (
      try zip(changes(step), changes(-step)).map { $0 - $1 },
      try zip(changes(2 * step), changes(-2 * step)).map { $0 - $1 }
    )
    for (index, place) in places.enumerated() {
      let slope = (8 * near[index] - far[index]) / (12 * step)
      #expect(
        abs(estimates[index] - slope) < 0.02 * max(1, abs(slope)),
        "\(place.cell.name): \(estimates[index]), \(slope)")
    }
  }

  /// With many steps, integrated gradients at the embeddings add up to the distance of the two runs.
  @Test func integratedGradientsAreComplete() throws {
    let laboratory = try TinyLaboratory.laboratory()
    let setting = try TinyLaboratory.setting(laboratory)
    let prompt = try laboratory.gridPrompt(try #require(setting.subject.task), 1, .heldOut)
    let panel = GridPanels.Panel(site: .residualPre, axis: .role)
    let places = prompt.places([panel], [0], laboratory.engine.model.architecture)
    let runs = try laboratory.gridRuns(prompt, places.hooks, recordsCorrupted: true)
    let estimates = try laboratory.estimates(
      places, runs, laboratory.meanGradients(places.hooks, runs, steps: 256))
    let gap = runs.cleanDifference - runs.corruptedDifference
    #expect(abs(estimates.reduce(0, +) - gap) < 1e-2 * max(abs(gap), 0.1))
  }

  /// Every cell is patched in as many prompts, drawn for it alone.
  @Test func everyCellIsDrawnAsOften() throws {
    let laboratory = try TinyLaboratory.laboratory()
    let attribution = try Attribution(
      keys("{\"sites\": [\"attn_out\", \"z\"], \"layers\": \"all\", \"share\": 0.4, \"top\": 2}"))
    let setting = try TinyLaboratory.setting(laboratory, episodes: 5)
    let rows = try units(try attribution.plan("attribution", setting)).flatMap {
      try $0.compute(laboratory, NeededRows(rows: [:]))
    }.map { try AttributionRow(Columns($0.columns, place: "row")) }
    let drawn = Dictionary(grouping: rows, by: \.cell)
    let prompt = try laboratory.gridPrompt(try #require(setting.subject.task), 0, .heldOut)
    let heads = laboratory.engine.model.architecture.heads
    #expect(drawn.count == 3 * (prompt.roles.count + heads))
    for (_, rows) in drawn {
      #expect(rows.count == 5)
      #expect(rows.count { $0.drawn == .random } == 2)
      #expect(rows.allSatisfy { ($0.drawn == nil) == ($0.exact == nil) })
    }
    #expect(Set(drawn.values.map { $0.map { $0.drawn == .random } }).count > 3)
    // What is known of all effects is the mean of what is known of each.
    let cells = AttributionCells(rows).cells
    #expect(cells.allSatisfy { $0.mean?.known == 2 && $0.mean?.units == 5 })
  }

  /// The estimated cost of a cut is the derivative along the way from the pattern to that of the cut.
  @Test func cutsAreEstimatedToFirstOrder() throws {
    let laboratory = try TinyLaboratory.laboratory()
    let setting = try TinyLaboratory.setting(laboratory)
    let task = try #require(setting.subject.task)
    let episode = try laboratory.episode(task, 0, .heldOut)
    let clean = try laboratory.record([episode], task, question: episode)[0]
    let layer = 1
    let flow = try laboratory.flows(of: clean, layers: layer..<layer + 1)[0]
    let edges = EdgeClass.answerToLast.edges(in: clean.prompt, last: clean.lastPosition)
    let hook = HookPoint(.pattern, layer: layer)
    // The pattern of the cut itself.
    let cut = try laboratory.engine.forward(
      ForwardRequest(
        tokens: clean.tokens, interventions: edges.knockouts(layers: layer...layer),
        recordings: [Recording(hook)], logits: .none)
    ).recorded[0]
    func difference(_ share: Float) throws -> Double {
      let pattern = flow.pattern + (cut - flow.pattern) * share
      let result = try laboratory.engine.forward(
        laboratory.request(
          clean.tokens,
          interventions: [
            .edit(
              ActivationEdit(
                at: hook, positions: Array(clean.tokens.indices),
                change: .replace(RowSource(pattern))))
          ], contrast: clean.contrast))
      return Double(try laboratory.measure(result, clean.contrast).logitDifference)
    }
    let slope = (try difference(0.02) - difference(-0.02)) / 0.04
    let estimate = flow.estimatedLoss(byCutting: edges)
    #expect(abs(estimate) > 1e-4)
    #expect(abs(estimate + slope) < 1e-3 * max(1, abs(slope)), "\(estimate), \(-slope)")
  }

  /// A fit lowers the loss that it states, and the engine finds the same with its vectors added.
  @Test(arguments: FittedVector.Form.allCases) func fitsLowerTheLoss(form: FittedVector.Form) throws
  {
    let laboratory = try TinyLaboratory.laboratory()
    let setting = try TinyLaboratory.setting(laboratory)
    let fitted = try FittedVector(
      keys(
        """
        {"forms": ["\(form.rawValue)"], "layers": [0, 1], "fitted": 4, "tested": 3, "donors": 3,
         "development": 2, "steps": 20, "learning_rate": 0.2, "controls": []}
        """))
    let plan = units(try fitted.plan("fitted", setting))
    #expect(plan.map(\.needs.count) == [0, 1])
    var known: [UnitKey: [StoredRow]] = [:]
    for unit in plan {
      let rows = try unit.compute(laboratory, NeededRows(rows: known))
      known[unit.key] = rows.map { StoredRow($0, of: unit, model: "m", unitRows: rows.count) }
      for row in rows.compactMap({ $0 as? FittedVectorRow }) {
        #expect(try FittedVectorRow(Columns(row.columns, place: "row")) == row)
        guard let fit = row.fit else { continue }
        #expect(fit.after < fit.before - 0.05)
      }
    }
    let reported = try #require(known[plan[1].key]).map { try FittedVectorRow($0.columns) }
    // At one layer, the one that development chose, for both rules.
    #expect(Set(reported.filter { $0.source == .fitted }.map(\.layer)).count == 1)
    #expect(reported.count { $0.source == .fitted } == 2)
    // Whoever waits may stop within a unit.
    struct Stop: Error {}
    var steps = 0
    laboratory.watch = {
      steps += 1
      if steps == 3 { throw Stop() }
    }
    #expect(throws: Stop.self) {
      _ = try plan[0].compute(laboratory, NeededRows(rows: [:]))
    }
    #expect(steps == 3)
  }

  @Test func rowsComeBack() throws {
    let cell = GridCell(site: .headOutput, axis: .head, layer: 3, label: nil, head: 2)
    let attribution = AttributionRow(
      cell: cell, estimate: 0.5, integrated: 0.25, drawn: .topIntegrated, rank: false,
      rankIntegrated: true, exact: nil, gap: 2)
    #expect(try AttributionRow(Columns(attribution.columns, place: "row")) == attribution)
    let saliency = SaliencyRow(
      edges: nil, layers: 2...2, saliency: 0.5, estimate: nil, loss: nil, clean: 1)
    #expect(try SaliencyRow(Columns(saliency.columns, place: "row")) == saliency)
  }
}
