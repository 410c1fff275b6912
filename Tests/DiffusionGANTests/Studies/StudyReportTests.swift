import Foundation
import Reports
import TensorCore
import Testing

@testable import DiffusionGAN

/// Reports of results that were made to be one thing or the other.
@Suite struct StudyReportTests {
  private static let text = """
    { "name": "all", "title": "All of it", "question": "Which way?", "data": "fashion-mnist",
      "preset": "test", "networks": {"p": null, "q": null},
      "teachers": [{"network": "p", "steps": 5}, {"network": "p", "steps": 18}],
      "development": [9], "seeds": [0, 1, 2],
      "cells": [
        { "name": "t5", "method": "teacher", "network": "p", "steps": 5, "seeds": [0] },
        { "name": "t18", "method": "teacher", "network": "p", "steps": 18, "seeds": [0] },
        { "name": "gan", "method": "gan", "network": "p", "freeze": "1", "pretraining": 400000,
          "rates": [0.1, 0.2], "checkpoints": [10, 20] },
        { "name": "free", "method": "gan", "network": "p", "pretraining": 400000,
          "rates": [0.1], "checkpoints": [10, 20] },
        { "name": "little", "method": "gan", "network": "q", "freeze": "1",
          "pretraining": 50000, "rates": [0.1], "checkpoints": [10, 20] },
        { "name": "random", "method": "gan", "network": "random", "freeze": "1",
          "pretraining": 0, "rates": [0.1], "checkpoints": [10, 20] },
        { "name": "d5", "method": "distill-regression", "network": "p", "steps": 5,
          "rates": [0.1], "checkpoints": [10, 20] },
        { "name": "d18", "method": "distill-regression", "network": "p", "steps": 18,
          "rates": [0.1], "checkpoints": [10, 20] } ] }
    """

  /// Rows in which cells have the distances given, other cells 10; `jitter` is the spread of seeds.
  static func results(
    _ distances: [String: Double], recall: [String: Double] = [:],
    toTeacher: [String: Double] = [:],
    jitter: Double = 0.1, error: Double? = 0.05
  ) throws -> StudyResults {
    let study = try StudyTests.study(text)
    var rows: [StudyRow] = []
    for cell in study.cells {
      for seed in cell.seeds ?? study.seeds {
        for images in cell.method.isTrained ? cell.checkpoints : [0] {
          let early = images == 10 ? 2.0 : 1
          let wobble = jitter * (Double(seed) - 1)
          let distance = early * (distances[cell.name] ?? 10) + wobble
          rows.append(
            StudyRow(
              cell: cell.name, role: .heldOut, seed: seed, rate: 0.1, images: images,
              network: "n", count: 10_000,
              metrics: ["m", "pixels"].map { name in
                StudyRow.Metric(
                  name: name, frechet: MeasuredDistance(distance, standardError: error),
                  kernel: MeasuredDistance(0.1, standardError: 0.01), precision: 0.8,
                  recall: (recall[cell.name] ?? 0.8) + wobble / 100,
                  toTeachers: [0, 1].map { _ in
                    MeasuredDistance(
                      (toTeacher[cell.name] ?? 5) + wobble, standardError: error)
                  })
              }, labelDistance: 0.05))
        }
      }
    }
    return StudyResults(path: "run", study: study, rows: rows)
  }

  private func verdicts(_ results: StudyResults) -> [String: Claim.Verdict] {
    Dictionary(
      uniqueKeysWithValues: StudyReport([results]).claims.map { ($0.name, $0.verdict) })
  }

  @Test func sentencesFallAsTheNumbersDo() throws {
    let good = verdicts(
      try Self.results(
        ["gan": 3, "free": 6, "little": 12, "random": 80, "t18": 5, "t5": 15],
        recall: ["gan": 0.7, "t18": 0.9], toTeacher: ["gan": 8]))
    #expect(good["closer-to-data-gan-m"] == .supported)
    #expect(good["farther-from-teacher-gan-m"] == .supported)
    #expect(good["distance-of-teacher-gan-m"] == .supported)
    #expect(good["distance-of-teacher-gan-pixels"] == .supported)
    #expect(good["recall-of-teacher-gan-m"] == .contradicted)
    #expect(good["freezing-gan-free-m"] == .supported)
    #expect(good["pretrained-over-random-gan-random"] == .supported)
    #expect(good["more-pretraining-m"] == .supported)

    let bad = verdicts(
      try Self.results(
        ["gan": 14, "free": 13, "little": 9, "random": 4, "d5": 8, "t18": 5],
        recall: ["gan": 0.9, "t18": 0.7], toTeacher: ["gan": 2]))
    #expect(bad["recall-of-teacher-gan-m"] == .supported)
    #expect(bad["closer-to-data-gan-m"] == .contradicted)
    #expect(bad["farther-from-teacher-gan-m"] == .contradicted)
    #expect(bad["distance-of-teacher-gan-m"] == .contradicted)
    #expect(bad["freezing-gan-free-m"] == .contradicted)
    #expect(bad["pretrained-over-random-gan-random"] == .contradicted)
    #expect(bad["more-pretraining-m"] == .contradicted)
  }

  @Test func oneCloseRivalIsEnoughForDoubt() throws {
    // Closer than one distilled student, level with the other: not closer than every one.
    let verdicts = verdicts(try Self.results(["gan": 5, "d5": 9, "d18": 5.05], jitter: 0.3))
    #expect(verdicts["closer-to-data-gan-m"] == .undecided)
  }

  @Test func noiseDecidesNothing() throws {
    let verdicts = verdicts(try Self.results([:], jitter: 1, error: 0.5))
    #expect(!verdicts.isEmpty && verdicts.values.allSatisfy { $0 == .undecided })
  }

  @Test func thePageShowsWhatWasMeasured() throws {
    let results = try Self.results(["gan": 3, "t18": 5])
    let report = StudyReport([results])
    let page = report.page
    let names = Set(page.figures.map(\.name))
    for name in ["teacher-steps-m", "to-teacher-m", "pretraining-pixels", "learning-m", "final-m"] {
      #expect(names.contains(name), "\(name)")
    }
    let html = page.html
    #expect(
      html.contains("There are 3 seeds a cell") && html.contains("permutation test could not"))
    for claim in report.claims {
      #expect(claim.pValue <= claim.adjustedPValue || claim.pValue.isNaN)
    }
    // The table has distances, not the logarithms that are drawn.
    let learning = try #require(page.figures.first { $0.name == "learning-m" })
    let last = try #require(learning.csv.rows.last { $0[0] == "gan" })
    #expect(last[1] == "0.02" && abs((Double(last[2]) ?? 0) - 3) < 1e-9)
    #expect(report.summary.text.contains("\"verdict\": \"supported\""))
    // Two runs in one report keep their figures apart.
    let two = StudyReport([results, results]).page.figures.map(\.name)
    #expect(Set(two).count == two.count)
  }
}
