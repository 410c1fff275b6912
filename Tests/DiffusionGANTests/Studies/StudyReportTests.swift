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
          "learning_rates": [0.1, 0.2], "checkpoints": [10, 20] },
        { "name": "free", "method": "gan", "network": "p", "pretraining": 400000,
          "learning_rates": [0.1], "checkpoints": [10, 20] },
        { "name": "little", "method": "gan", "network": "q", "freeze": "1",
          "pretraining": 50000, "learning_rates": [0.1], "checkpoints": [10, 20] },
        { "name": "random", "method": "gan", "network": "random", "freeze": "1",
          "pretraining": 0, "learning_rates": [0.1], "checkpoints": [10, 20] },
        { "name": "random-0", "method": "gan", "network": "random",
          "learning_rates": [0.1], "checkpoints": [10, 20] },
        { "name": "d5", "method": "distill-regression", "network": "p", "steps": 5,
          "learning_rates": [0.1], "checkpoints": [10, 20], "options": {"pool-seed": 3} },
        { "name": "d18", "method": "distill-regression", "network": "p", "steps": 18,
          "learning_rates": [0.1], "checkpoints": [10, 20] } ] }
    """

  /// Rows in which cells have the distances given, other cells 10; `jitter` is the spread of seeds.
  static func results(
    _ distances: [String: Double], of text: String = Self.text, recall: [String: Double] = [:],
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
              cell: cell.name, role: .heldOut, seed: seed, learningRate: 0.1, images: images,
              network: "n", count: 10_000, referenceCount: 2_500,
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
        ["gan": 3, "free": 6, "little": 12, "random-0": 80, "d5": 30, "t18": 5, "t5": 15],
        recall: ["gan": 0.7, "t18": 0.9], toTeacher: ["gan": 8]))
    #expect(good["closer-to-data-gan-m"] == .supported)
    #expect(good["farther-from-teacher-gan-m"] == .supported)
    #expect(good["distance-of-teacher-gan-m"] == .supported)
    #expect(good["distance-of-teacher-gan-pixels"] == .supported)
    #expect(good["recall-of-teacher-gan-m"] == .contradicted)
    #expect(good["freezing-gan-free-m"] == .supported)
    #expect(good["pretrained-over-random-free-random-0"] == .supported)
    #expect(good["later-snapshots-m"] == .supported)
    #expect(good["more-teacher-steps-distill-regression-m"] == .supported)

    let bad = verdicts(
      try Self.results(
        ["gan": 14, "free": 13, "little": 9, "random-0": 4, "d5": 8, "t18": 5],
        recall: ["gan": 0.9, "t18": 0.7], toTeacher: ["gan": 2]))
    #expect(bad["recall-of-teacher-gan-m"] == .supported)
    #expect(bad["closer-to-data-gan-m"] == .contradicted)
    #expect(bad["farther-from-teacher-gan-m"] == .contradicted)
    #expect(bad["distance-of-teacher-gan-m"] == .contradicted)
    #expect(bad["freezing-gan-free-m"] == .contradicted)
    #expect(bad["pretrained-over-random-free-random-0"] == .contradicted)
    #expect(bad["later-snapshots-m"] == .contradicted)
    #expect(bad["more-teacher-steps-distill-regression-m"] == .contradicted)
  }

  /// What a study says does not depend on which others are reported with it.
  @Test func everyStudyIsAdjustedByItself() throws {
    let results = try [
      Self.results(["gan": 3, "free": 4, "d5": 8], jitter: 1),
      Self.results(["gan": 14, "free": 13, "d5": 8], jitter: 1),
    ]
    let apart = results.map { StudyReport([$0]).claims }
    let together = StudyReport(results).claims
    #expect(together.map(\.name) == apart.joined().map(\.name))
    #expect(together.map(\.adjustedPValue) == apart.joined().map(\.adjustedPValue))
    // Which is not what adjusting all of them would give.
    #expect(
      Claim.adjusted(results.flatMap { StudyClaims($0).all }).map(\.adjustedPValue)
        != together.map(\.adjustedPValue))
  }

  /// Tables of studies that were reported, and the name of the one that was not.
  @Test func tablesOfAPageAreWrittenAnew() throws {
    let scratch = try Scratch()
    let report = try StudyReport([Self.results(["gan": 3, "d5": 8])])
    let path = scratch.file("page.md")
    func fill(_ page: String) throws -> String {
      try page.write(toFile: path, atomically: true, encoding: .utf8)
      return try report.page(filling: path)
    }
    let page = try fill(
      "One.\n<!-- study all -->\nold\n<!-- end -->\n<!-- runs of all -->\n<!-- end -->\n<!-- tests of all -->\n<!-- end -->\nTwo.\n"
    )
    for claim in report.claims {
      #expect(page.contains("| \(claim.sentence) | \(claim.verdict) |"))
    }
    #expect(page.hasPrefix("One.\n<!-- study all -->\n\n| cell | learning rate | Fréchet, m |"))
    #expect(page.hasSuffix("<!-- end -->\nTwo.\n") && !page.contains("old"))
    #expect(page.contains(/\n\| `t5` \| 0\.1 \| [0-9]+\.[0-9]{2} \[/))
    #expect(page.contains(/\n\| `gan` \| 0\.1 \| [23]\.[0-9]{2} \[/))
    #expect(page.matches(of: /\n\| `gan` \| [012] \| 20 \|/).count == 3)
    for (text, words) in [
      ("<!-- study other -->\n<!-- end -->\n", "no run of the study other"),
      ("Text.\n", "no table of study"), ("<!-- study all -->\n", "does not end"),
    ] {
      let error = #expect(throws: UserError.self) { _ = try fill(text) }
      #expect(error?.description.contains(words) == true, "\(String(describing: error))")
    }
  }

  /// One run of each cell and no error of measurement: nothing can be tested, and nothing is counted as a test.
  @Test func whatCannotBeTestedHasNoP() throws {
    let one = Self.text.replacing("\"seeds\": [0, 1, 2]", with: "\"seeds\": [0]")
    let results = try Self.results(["gan": 14, "free": 13, "d5": 8], of: one, error: nil)
    let claims = StudyReport([results]).claims.filter { $0.name.hasPrefix("closer-to-data") }
    #expect(!claims.isEmpty)
    for claim in claims {
      #expect(claim.pValue.isNaN && claim.verdict == .undecided, "\(claim.name): \(claim.pValue)")
    }
  }

  /// Whatever came out of a random network with its branches frozen off, no sentence hangs on it.
  @Test func nothingIsSaidOfDeadBranches() throws {
    let all = [1.0, 80].map { distance in
      Result { try Self.results(["gan": 3, "free": 6, "little": 12, "random": distance]) }
    }
    let claims = try all.map { StudyReport([try $0.get()]).claims }
    for (one, other) in zip(claims[0], claims[1]) {
      #expect(one.name == other.name && one.adjustedPValue == other.adjustedPValue)
      #expect(!one.name.contains("random") || one.name == "pretrained-over-random-free-random-0")
    }
    let page = StudyReport([try all[0].get()]).page
    #expect(page.html.contains("In random freezing keeps"))
    let points = page.figures.first { $0.name == "pretraining-m" }?.csv.rows.map { $0[1] }
    #expect(Set(points ?? []) == ["50", "400"])
  }

  /// EDM's networks begin with branches of next to nothing, and every kind of freezing keeps these.
  @Test func frozenRandomBranchesAreOff() throws {
    let network = try UNet(NetworkTests.small)
    let weights = network.initialParameters(seed: 3)
    for name in network.residualNames {
      for rule in ["1", "2", "3", "norm-affine"] {
        let rule = try Freezing(parsing: rule)
        #expect(rule.freezes("model.\(name).weight"), "\(name)")
      }
      #expect(weights["model.\(name).weight"].values.allSatisfy { abs($0) < 1e-4 }, "\(name)")
    }
  }

  /// The slope of ln distance over ln steps, through the means of two cells, by hand.
  @Test func aTrendIsAContrastOfMeans() throws {
    let results = try Self.results(["d5": 30, "d18": 10], error: 0.5)
    let claim = try #require(
      StudyClaims(results).all.first { $0.name == "more-teacher-steps-distill-regression-m" })
    let distance = log(18.0 / 5)
    let values: [[Double]] = [[29.9, 30, 30.1], [9.9, 10, 10.1]]
    let means: [Double] = values.map { $0.map { log($0) }.reduce(0, +) / 3 }
    #expect(abs(claim.difference - (means[0] - means[1]) / distance) < 1e-12)
    // Between seeds and, undivided, of the measurement.
    let logarithms = values.map { own in
      UncertainValue(
        values: own.map { log($0) }, standardErrors: own.map { 0.5 / $0 }, origin: .shared)
    }
    #expect(abs(claim.pValue - (logarithms[0] - logarithms[1]).pValue) < 1e-9)
    #expect(claim.samples == 6 && claim.evidence.contains("the pool of its pictures"))
  }

  /// Three pretrainings, a student of each of two snapshots: the slopes of the pretrainings are what is tested.
  @Test func aTrendOverPretrainingsIsTheMeanOfTheirs() throws {
    let cells = ["a", "b", "c"].flatMap { run in
      [50_000, 400_000].map { images in
        """
        { "name": "\(run)-\(images / 1000)", "method": "gan", "network": "p", "freeze": "1", "run": "\(run)",
          "pretraining": \(images), "learning_rates": [0.1], "checkpoints": [10], "seeds": [0] }
        """
      }
    }
    let text = """
      { "name": "three", "title": "Three", "question": "Which way?", "data": "fashion-mnist", "preset": "test",
        "networks": {"p": null}, "seeds": [0], "cells": [\(cells.joined(separator: ","))] }
      """
    // `results` doubles the distances of early checkpoints, which moves no slope.
    let results = try Self.results(
      ["a-50": 9, "a-400": 3, "b-50": 8, "b-400": 4, "c-50": 10, "c-400": 4], of: text, jitter: 0,
      error: nil)
    let claim = try #require(StudyClaims(results).all.first { $0.name == "later-snapshots-m" })
    let distance = log(401.0 / 51)
    let slopes = [log(9.0 / 3), log(8.0 / 4), log(10.0 / 4)].map { $0 / distance }
    let mean = slopes.reduce(0, +) / 3
    let variance = slopes.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 2
    #expect(abs(claim.difference - mean) < 1e-12)
    let p = StudentT.twoSided(mean / (variance / 3).squareRoot(), degrees: 2)
    #expect(abs(claim.pValue - p) < 1e-9 && claim.evidence.hasSuffix("Over 3 pretrainings."))
    let figure = try #require(
      StudyReport([results]).page.figures.first { $0.name == "pretraining-m" })
    #expect(
      Set(figure.csv.rows.map { $0[0] }) == ["pretraining a", "pretraining b", "pretraining c"])
  }

  @Test func sharesHaveTheErrorsOfTheirOwnCounts() throws {
    let results = try Self.results([:], recall: ["t18": 0.9], jitter: 0)
    func error(_ quantity: StudyQuantity, _ name: String) throws -> Double {
      let cell = try #require(results.study.cells.first { $0.name == name })
      let images = cell.method.isTrained ? 20 : 0
      return try #require(results.mean(quantity, in: "m", of: cell, at: images)).standardError
    }
    // Of 2,500 reference images 90 % are covered; of 10,000 drawn ones 80 % are precise.
    #expect(abs(try error(.recall, "t18") - (0.9 * 0.1 / 2_500).squareRoot()) < 1e-12)
    #expect(abs(try error(.precision, "t18") - (0.8 * 0.2 / 10_000).squareRoot()) < 1e-12)
    // Three seeds share the reference, not what they draw.
    #expect(abs(try error(.recall, "gan") - (0.8 * 0.2 / 2_500).squareRoot()) < 1e-12)
    #expect(try error(.precision, "gan") < 1e-12)
  }

  @Test func choicesAtTheEndOfWhatWasTriedAreNamed() throws {
    let plain = try Self.results([:])
    func choice(_ cell: String, _ learningRate: Double) -> StudyChoice {
      StudyChoice(
        cell: cell, learningRate: learningRate, metric: "m",
        candidates: [0.1, 0.2, 0.3].map {
          .init(learningRate: $0, distance: abs($0 - learningRate))
        })
    }
    let results = StudyResults(
      path: "run", study: plain.study, rows: plain.rows,
      choices: [choice("gan", 0.3), choice("free", 0.2), choice("d5", 0.1), choice("d18", 0.3)])
    let html = StudyReport([results]).page.html
    #expect(
      html.contains("The largest learning rate tried was chosen by: gan, d18; the smallest by: d5.")
    )
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
