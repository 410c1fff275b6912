import Foundation
import Reports
import TensorCore
import Testing
import Transformer

@testable import RuleVectors

/// Mean effects from a quarter of the patches beside those from all, on the networks that come along.
@Suite struct AttributionValidationTests {
  static let names = CompiledNetwork.Kind.allCases.map(\.rawValue) + ["rule-learner"]
  static let episodes = 24
  static let known = 6

  private func rows(_ name: String, share: Double) throws -> [AttributionRow] {
    let laboratory: Laboratory
    if let kind = CompiledNetwork.Kind(rawValue: name) {
      laboratory = try CompiledLaboratory.laboratory(kind)
    } else {
      laboratory = Laboratory(
        engine: Engine(
          model: try LanguageModel(path: Fixtures.tasksFolder + "/../networks/\(name)"),
          threads: 1, memory: 256 << 20), seed: 5, demonstrations: 8)
    }
    let kind = try experiment(
      Attribution.self,
      """
      "sites": ["resid_pre", "attn_out", "mlp_out", "z"], "layers": "all", "share": \(share), "top": 0
      """)
    let setting = try CompiledLaboratory.setting(laboratory, episodes: Self.episodes)
    guard case .units(let units) = try kind.plan("p", setting) else { return [] }
    return try units.flatMap { try $0.compute(laboratory, NeededRows(rows: [:])) }
      .compactMap { $0 as? AttributionRow }
  }

  /// What is true of each cell: its effects, prompt by prompt.
  private func effects(_ rows: [AttributionRow]) -> [GridCell: [Double]] {
    Dictionary(grouping: rows, by: \.cell).mapValues { $0.compactMap(\.exact) }
  }

  private func mean(_ values: [Double]) -> Double { values.reduce(0, +) / Double(values.count) }

  /// Whether an interval holds a value, to the resolution of logits.
  private func covers(_ interval: Interval, _ value: Double) -> Bool {
    let resolution = RuleVectors.Measurement.resolution
    return interval.low - resolution <= value && value <= interval.high + resolution
  }

  /// Where everything is patched, the estimate is the mean. Where a quarter is, its interval holds the mean of all in
  /// 95 % of the cells, and but for chance in 38 or more of the 44 of two blocks and in 58 of the 66 of three.
  @Test(arguments: names) func aQuarterOfThePatchesCoversTheMeanOfAll(_ name: String) throws {
    let all = try rows(name, share: 1)
    let effects = effects(all)
    #expect(effects.count > 30 && effects.values.allSatisfy { $0.count == Self.episodes })
    for cell in AttributionCells(all).cells {
      let estimate = try #require(cell.mean).estimate
      let exact = mean(effects[cell.cell] ?? [])
      #expect(abs(estimate - exact) < 1e-9 * max(1, abs(exact)), "\(cell.cell.name)")
    }
    let few = try rows(name, share: 0.25)
    for (row, whole) in zip(few, all) {
      #expect(row.cell == whole.cell && row.integrated == whole.integrated)
      if let exact = row.exact { #expect(exact == whole.exact) }
    }
    let cells = AttributionCells(few).cells
    #expect(cells.allSatisfy { $0.mean?.known == Self.known && $0.mean?.units == Self.episodes })
    let missed = cells.filter { cell in
      !covers(
        cell.mean?.interval() ?? .unbounded(around: 0, level: 0.95), mean(effects[cell.cell] ?? []))
    }
    let share = 1 - Double(missed.count) / Double(cells.count)
    #expect(
      share >= 0.95 - threeErrors(0.95, cells.count),
      "\(share) of \(cells.count), not \(missed.map(\.cell.name))")
  }

  /// Over many draws of the quarter that is patched, the mean estimate of every cell is its mean effect, and
  /// intervals hold that in 95 %.
  @Test(arguments: names) func noDrawIsFavoured(_ name: String) throws {
    let draws = 300
    let all = try rows(name, share: 1)
    let effects = effects(all)
    var random = RandomStream(seed: 79, path: [])
    var estimates: [GridCell: [Double]] = [:]
    var covered = 0
    for _ in 0..<draws {
      var drawn: [GridCell: Set<Int>] = [:]
      var seen: [GridCell: Int] = [:]
      let few = all.map { row in
        let own =
          drawn[row.cell] ?? Set(random.sample(Self.known, of: Array(0..<Self.episodes)))
        drawn[row.cell] = own
        let isKnown = own.contains(seen[row.cell, default: 0])
        seen[row.cell, default: 0] += 1
        return AttributionRow(
          cell: row.cell, estimate: row.estimate, integrated: row.integrated,
          drawn: isKnown ? .random : nil, rank: false, rankIntegrated: false,
          exact: isKnown ? row.exact : nil, gap: row.gap)
      }
      for cell in AttributionCells(few).cells {
        let found = try #require(cell.mean)
        estimates[cell.cell, default: []].append(found.estimate)
        if covers(found.interval(), mean(effects[cell.cell] ?? [])) { covered += 1 }
      }
    }
    for (cell, estimates) in estimates {
      let bias = mean(estimates) - mean(effects[cell] ?? [])
      let variance = mean(estimates.map { ($0 - mean(estimates)) * ($0 - mean(estimates)) })
      // 66 cells at most: four errors are exceeded by chance in 0.4 % of such tests.
      let bound = 4 * (variance / Double(draws)).squareRoot()
      #expect(
        abs(bias) <= max(bound, RuleVectors.Measurement.resolution),
        "\(cell.name): \(bias), \(bound)")
    }
    let share = Double(covered) / Double(draws * effects.count)
    #expect(share >= 0.95 - threeErrors(0.95, draws), "\(share)")
  }
}
