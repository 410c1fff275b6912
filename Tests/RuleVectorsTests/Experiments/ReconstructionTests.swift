import Foundation
import Reports
import TensorCore
import Testing
import Transformer

@testable import RuleVectors

@Suite struct ReconstructionTests {
  // MARK: the fit

  /// Samples of parts as normal vectors of 12 coordinates.
  private func parts(_ samples: Int, _ count: Int) -> [[[Double]]] {
    (0..<samples).map { sample in
      (0..<count).map { normals(12, 50, UInt64(sample), UInt64($0)).map { $0 + 3 } }
    }
  }

  @Test func coefficientsComeBack() throws {
    let parts = parts(6, 3)
    let truth = [0.5, -2, 0.25]
    let targets = parts.map { parts in
      (0..<12).map { i in 7 + zip(truth, parts).reduce(0) { $0 + $1.0 * $1.1[i] } }
    }
    let combination = try #require(LinearCombination(parts: parts, targets: targets))
    for (found, expected) in zip(combination.coefficients, truth) {
      #expect(abs(found - expected) < 1e-4)
    }
    let fit = Reconstruction.fit(
      combination, combination(parts[2]), targets[2], leavingOut: [])
    #expect(fit.total > 1 && fit.residual < 1e-6 * fit.total)
  }

  /// One part: the slope of simple regression, Σ(x − x̄)(y − ȳ) / Σ(x − x̄)².
  @Test func onePartIsSimpleRegression() throws {
    let parts: [[[Double]]] = [[[1, 0]], [[3, 1]], [[2, 5]]]
    let targets: [[Double]] = [[2, 1], [5, 0], [2, 8]]
    // x̄ = (2, 2), ȳ = (3, 3): products 1 + 4 + 2 + 3 + 0 + 15, squares 1 + 4 + 1 + 1 + 0 + 9.
    let combination = try #require(LinearCombination(parts: parts, targets: targets))
    #expect(abs(combination.coefficients[0] - 25.0 / 16) < 1e-5)
    // Of the first coordinate alone: (1 + 2 + 0) / 2.
    let first = try #require(
      LinearCombination(parts: parts, targets: targets, leavingOut: [1]))
    #expect(abs(first.coefficients[0] - 1.5) < 1e-5)
    #expect(abs(first([[4, 2]])[0] - (3 + 1.5 * 2)) < 1e-4)
  }

  /// Parts that are the same share what one of them would have.
  @Test func equalPartsShare() throws {
    let one = parts(5, 1)
    let combination = try #require(
      LinearCombination(parts: one.map { [$0[0], $0[0]] }, targets: one.map { $0[0] }))
    for coefficient in combination.coefficients { #expect(abs(coefficient - 0.5) < 1e-3) }
    #expect(LinearCombination(parts: [], targets: []) == nil)
    let constant = try #require(
      LinearCombination(parts: [[[1, 1]], [[1, 1]]], targets: [[2, 0], [0, 2]]))
    #expect(constant.coefficients == [0])
  }

  // MARK: a model

  private func rows(
    _ setting: String = #""development": 2, "layers": [0, 1], "coordinates_left_out": 0"#,
    changing change: ((String, inout [Float]) -> Void)? = nil
  ) throws -> [ReconstructionRow] {
    let laboratory = try TinyLaboratory.laboratory(changing: change)
    let folder = NSTemporaryDirectory() + "icl-probe-test-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: folder) }
    laboratory.store = ActivationStore(run: folder)
    let kind = try experiment(Reconstruction.self, setting)
    guard
      case .units(let units) = try kind.plan("p", TinyLaboratory.setting(laboratory, episodes: 1))
    else { return [] }
    #expect(units.count == 3 && units[2].needs == units.prefix(2).map(\.key))
    return try units.flatMap { unit in
      try unit.check(laboratory)
      return try unit.compute(laboratory, NeededRows(rows: [:])).compactMap {
        $0 as? ReconstructionRow
      }
    }
  }

  /// Without attention the last position knows the query alone: it is the same behind any
  /// demonstrations, so all parts explain all, and what they add up to changes nothing.
  @Test func aModelWithoutAttentionIsItsQuery() throws {
    let rows = try rows { name, values in
      if name.hasSuffix("o_proj.weight") { values = values.map { _ in 0 } }
    }
    // Two development units of two rules and layers, and one with four kinds of parts besides.
    #expect(rows.count == 2 * 4 + 4 + 4 * 4)
    for row in rows {
      // The residual stream in f32, and a ridge of a millionth.
      if let fit = row.fit { #expect(fit.residual <= 1e-4 * fit.total + 1e-9) }
      #expect(abs(row.outcome.effect) < 1e-3)
    }
  }

  @Test func attentionMakesADifference() throws {
    let rows = try rows()
    let held = rows.filter { $0.parts == .oneShots }
    #expect(held.count == 4)
    for row in held {
      let fit = try #require(row.fit)
      #expect(fit.coefficients.count == 4 && fit.residual > 1e-6 * fit.total)
      #expect(fit.total == fit.totalWhole && fit.residual == fit.residualWhole)
    }
    #expect(rows.contains { abs($0.outcome.effect) > 1e-5 })
  }

  @Test func withoutAFolderItSaysSo() throws {
    let laboratory = try TinyLaboratory.laboratory()
    let kind = try experiment(Reconstruction.self, "")
    guard case .units(let units) = try kind.plan("p", TinyLaboratory.setting(laboratory)) else {
      return
    }
    #expect {
      _ = try units[0].compute(laboratory, NeededRows(rows: [:]))
    } throws: {
      "\($0)".contains("there is no folder for them; run it with icl-probe patch")
    }
  }

  @Test func storedVectorsComeBack() throws {
    let folder = NSTemporaryDirectory() + "icl-probe-test-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let store = ActivationStore(run: folder)
    let key = UnitKey(probe: "p", task: "t", split: .development, episode: 1)
    let vectors = ShotVectors(
      whole: [[1, 2], [3, 4]],
      oneShots: [[[5, 6], [7, 8], [0, 1]], [[9, 1], [2, 3], [4, 4]]],
      zeroShot: [0.5, 0.25])
    try store.write(vectors.tensors(3), for: key.description)
    #expect(
      try ShotVectors(store, key, layer: 3, rules: 2, slots: 3, width: 2) == vectors)
    #expect(throws: UserError.self) {
      _ = try ShotVectors(store, key, layer: 4, rules: 2, slots: 3, width: 2)
    }
  }

  // MARK: sections

  /// - Parameters:
  ///   - residuals: by parts, of a total of 10.
  ///   - effects: by parts, nil for the vector itself, of a gap of 8; after layers 0 and 1.
  private func section(
    residuals: [ReconstructionParts: Double], effects: [ReconstructionParts?: [Double]],
    episodes: Int = 12, noise: Double = 0.2, path: UInt64 = 0
  ) throws -> Section {
    let kind = try experiment(Reconstruction.self, #""development": 2"#)
    let stored = (0..<episodes + 2).flatMap { episode -> [StoredRow] in
      let isDevelopment = episode < 2
      let kinds: [ReconstructionParts?] =
        [nil] + (isDevelopment ? [] : ReconstructionParts.allCases)
      let rows = kinds.enumerated().flatMap { number, parts in
        [1.0, -1].flatMap { rule in
          (0..<2).map { layer in
            let draws = normals(
              2, 51, path, UInt64(episode), UInt64(number), rule > 0 ? 0 : 1, UInt64(layer))
            // A preference for one answer, which both rules share.
            let patched = 3 + rule * (effects[parts]?[layer] ?? 0) + noise * draws[0]
            return ReconstructionRow(
              parts: parts, isFlipped: rule < 0, layer: layer,
              fit: parts.map {
                let residual = (residuals[$0] ?? 10) + noise * draws[1]
                return ReconstructionRow.Fit(
                  total: 10, residual: residual, totalWhole: 20, residualWhole: residual,
                  coefficients: [0.5])
              },
              outcome: Outcome(
                patched: RowFixtures.measurement(patched), donor: Float(3 + rule * 8),
                recipient: 3))
          }
        }
      }
      return RowFixtures.stored(
        Reconstruction.self, probe: "p", split: isDevelopment ? .development : .heldOut,
        episode: episode, rows)
    }
    return try kind.section(SectionFixtures.records(stored), RowFixtures.findings())
  }

  @Test func whatAddsUpIsFound() throws {
    let section = try section(
      residuals: [.oneShots: 2, .meanOneShot: 3, .flippedOneShots: 6, .zeroShot: 7],
      effects: [nil: [1, 6], .oneShots: [0.5, 4], .zeroShot: [0, 0]])
    let flipped = try #require(section.claim("over-flipped-one-shots"))
    #expect(abs(flipped.difference - 0.4) < 0.05 && flipped.verdict == .supported)
    #expect(flipped.sentence.contains("After layer 1"))
    #expect(abs(try #require(section.claim("over-zero-shot")).difference - 0.5) < 0.05)
    // Half the difference between the rules, so that the preference is gone.
    #expect(abs(try #require(section.claim("carries")).difference - 4) < 0.2)
    #expect(abs(try #require(section.claim("less-than-whole")).difference - 2) < 0.3)
    let row = try #require(section.rows.first { $0[0] == "one-shots" })
    #expect(row[2].hasPrefix("0.8") || row[2].hasPrefix("0.79"))
    #expect(section.claims.allSatisfy { $0.paperClaim == nil })
  }

  /// What the query explains alone is not the demonstrations'.
  @Test(arguments: [6, 12]) func theQueryAloneIsNoRule(episodes: Int) throws {
    let simulations = 60
    let decided = try (0..<UInt64(simulations)).count { simulation in
      let section = try section(
        residuals: [.oneShots: 2, .flippedOneShots: 2, .zeroShot: 2], effects: [nil: [6, 6]],
        episodes: episodes, path: 1 + simulation)
      return try #require(section.claim("over-flipped-one-shots")).pValue <= 0.05
    }
    #expect(Double(decided) / Double(simulations) <= 0.05 + threeErrors(0.05, simulations))
  }

  @Test func rowsComeBack() throws {
    for parts in [nil] + ReconstructionParts.allCases {
      let row = ReconstructionRow(
        parts: parts, isFlipped: true, layer: 3,
        fit: parts.map { _ in
          ReconstructionRow.Fit(
            total: 0.1, residual: 1e-30, totalWhole: 3, residualWhole: 1e300,
            coefficients: [0.1, -1.0 / 3, 1e-9])
        }, outcome: RowTests.outcome)
      #expect(try ReconstructionRow(Columns(row.columns, place: "row")) == row)
    }
  }
}
