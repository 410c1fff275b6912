import Foundation
import Reports
import TensorCore

/// Turns runs of studies into one page, its figures' files and a summary for scripts.
public struct StudyReport: Sendable {
  private let results: [StudyResults]
  /// The tested sentences of each run, adjusted for their number: a study's verdicts are the same whichever others
  /// stand beside it.
  let claimsByStudy: [(result: StudyResults, claims: [Claim])]
  /// Those of all runs.
  public var claims: [Claim] { claimsByStudy.flatMap(\.claims) }

  public init(_ results: [StudyResults]) {
    self.results = results
    claimsByStudy = results.map { ($0, Claim.adjusted(StudyClaims($0).all)) }
  }

  public var page: HTMLPage {
    var page = HTMLPage(
      title: "One-step generators by a GAN alone",
      subtitle: "Studies: " + results.map(\.study.name).joined(separator: ", "))
    page.add(.heading("What the tests say", level: 2))
    page.add(.paragraph(Claim.count(claims)))
    for (result, claims) in claimsByStudy where !claims.isEmpty {
      page.add(.table(Claim.table(claims, caption: result.study.title)))
    }
    page.add(.paragraph(testing))
    for (index, (result, claims)) in claimsByStudy.enumerated() {
      add(result, claims, prefix: results.count > 1 ? "\(index + 1)-" : "", to: &page)
    }
    page.add(.heading("Limits of the method", level: 2))
    page.add(.list(limits))
    page.add(.heading("Manifests", level: 2))
    for result in results {
      page.add(.details(summary: result.path, [.code(result.manifest.prettyText)]))
    }
    return page
  }

  private func add(
    _ result: StudyResults, _ claims: [Claim], prefix: String, to page: inout HTMLPage
  ) {
    page.add(.heading(result.study.title, level: 2))
    page.add(.paragraph(result.study.question))
    page.add(.keyValues(Self.facts(result)))
    for claim in claims {
      page.add(
        .callout(
          claim.callout(
            samples: claim.topic == StudyClaims.Topic.frequency.rawValue ? "images" : "seeds",
            tests: claims.count { !$0.pValue.isNaN })))
    }
    let figures = StudyFigures(results: result, prefix: prefix)
    for space in result.spaces {
      for figure in figures.teacherSteps(in: space) { page.add(.figure(figure)) }
      for figure in [
        figures.pretraining(in: space), figures.learning(in: space), figures.final(in: space),
      ].compactMap(\.self) {
        page.add(.figure(figure))
      }
    }
    for (cell, summary) in result.spectra {
      for figure in StudyFigures.frequencies(summary, prefix: "\(prefix)\(cell)-") {
        page.add(.figure(figure))
      }
    }
    if !result.rows.isEmpty { page.add(.table(Self.table(result))) }
    if !result.choices.isEmpty { page.add(.table(Self.choices(result))) }
    let pictures = Self.pictures(result)
    if !pictures.isEmpty {
      page.add(.details(summary: "What the networks draw", pictures.map { .picture($0) }))
    }
  }

  private static func facts(_ result: StudyResults) -> [(key: String, value: String)] {
    let reported = result.rows.filter { $0.role == .heldOut }
    let seeds = Set(reported.map(\.seed)).sorted()
    return [
      ("run", result.path), ("data", "\(result.study.data), \(result.study.preset.name)"),
      ("images drawn of each", result.rows.first.map { "\($0.count)" } ?? "–"),
      (
        "measured against",
        reported.first.map { "\($0.referenceCount) \(Self.name($0.reference))" } ?? "–"
      ),
      ("held-out seeds", seeds.map(String.init).joined(separator: ", ")),
      ("finished", result.isFinished ? "yes" : "no: the run is still going or was stopped"),
    ]
  }

  private static func name(_ split: DataSplit) -> String {
    split == .train ? "training images" : "\(split.rawValue) images"
  }

  /// What the distances are to that chose learning rates, if any did.
  private static func judges(of results: [StudyResults]) -> String? {
    let splits = Set(
      results.flatMap(\.rows).filter { $0.role == .development }.map(\.reference))
    guard !splits.isEmpty else { return nil }
    return splits.map(name).sorted().joined(separator: " and ")
  }

  /// Every cell at its last checkpoint.
  private static func table(_ result: StudyResults) -> HTMLTable {
    let spaces = result.spaces
    let rows = result.study.cells.compactMap { cell -> [String]? in
      guard let images = result.checkpoints(of: cell).last else { return nil }
      let own = result.rows.filter {
        $0.cell == cell.name && $0.role == .heldOut && $0.images == images
      }
      func text(_ quantity: StudyQuantity, _ space: String, digits: Int) -> String {
        result.mean(quantity, in: space, of: cell, at: images)?.interval().text(digits: digits)
          ?? "–"
      }
      let labels = own.compactMap(\.labelDistance)
      return [cell.name, "\(own.count)", "\(images)"]
        + spaces.flatMap {
          [
            text(.frechet, $0, digits: 2), text(.kernel, $0, digits: 4),
            text(.precision, $0, digits: 3), text(.recall, $0, digits: 3),
            text(.coverage, $0, digits: 3),
          ]
        }
        + [
          labels.isEmpty
            ? "–" : formatted(labels.reduce(0, +) / Double(labels.count), digits: 3)
        ]
    }
    return HTMLTable(
      headers: ["cell", "seeds", "images"]
        + spaces.flatMap { space in
          ["distance", "KID", "precision", "recall", "coverage"].map { "\($0), \(space)" }
        } + ["labels"],
      rows: rows,
      caption: "At the last checkpoint of each, with 95 % intervals. Labels: total variation "
        + "distance of predicted labels from the data's.")
  }

  private static func choices(_ result: StudyResults) -> HTMLTable {
    HTMLTable(
      headers: [
        "cell", "learning rate chosen", "distances on development seeds, by learning rate",
      ],
      rows: result.choices.map { choice in
        [
          choice.cell, "\(choice.learningRate)",
          choice.candidates.map { "\($0.learningRate): \(formatted($0.distance, digits: 2))" }
            .joined(separator: ", "),
        ]
      },
      caption:
        "Learning rates were chosen on other seeds than the ones reported, by the distance to "
        + "\(judges(of: [result]) ?? "–"). \(edges(result))")
  }

  /// Which cells chose the end of what was tried, beyond which their best learning rate may lie.
  private static func edges(_ result: StudyResults) -> String {
    func names(_ end: (StudyChoice) -> Double?) -> String {
      let found = result.choices.filter { $0.candidates.count > 1 && $0.learningRate == end($0) }
      return found.isEmpty ? "none" : found.map(\.cell).joined(separator: ", ")
    }
    return
      "The largest learning rate tried was chosen by: \(names { $0.candidates.map(\.learningRate).max() }); "
      + "the smallest by: \(names { $0.candidates.map(\.learningRate).min() }). Beyond these ends nothing "
      + "was tried."
  }

  private static func pictures(_ result: StudyResults) -> [InlinePicture] {
    result.study.cells.flatMap { cell -> [InlinePicture] in
      let seeds = result.rows.filter { $0.cell == cell.name && $0.role == .heldOut }.map(\.seed)
      guard let seed = seeds.min(),
        let png = try? Files.read("\(result.path)/pictures/\(cell.name)-seed-\(seed).png")
      else { return [] }
      return [
        InlinePicture(
          png: png, caption: "\(cell.name), seed \(seed): the first images, not chosen",
          width: 640)
      ]
    }
  }

  /// How the tests were made, with the number of seeds that there really are.
  private var testing: String {
    let counts = Set(
      results.flatMap { result in
        result.study.cells.filter(\.method.isTrained).compactMap { cell -> Int? in
          let images = result.checkpoints(of: cell).last
          let seeds = result.rows.filter {
            $0.cell == cell.name && $0.role == .heldOut && $0.images == images
          }.count
          return seeds > 0 ? seeds : nil
        }
      }
    ).sorted()
    var text =
      "p are adjusted (Holm) for the number of sentences of their study that could be tested. "
      + "Comparisons of cells are t tests on means over seeds: Welch's for the spread between seeds, "
      + "which is divided by their number. The error that all seeds share, that of the reference images, is "
      + "not: it is the jackknife's for a distance, of the difference where rows hold the distances with each "
      + "part of the images left out, and none for a distance in so many features that it has no jackknife; for "
      + "recall and coverage it is that of a share of the reference, as if the balls were not drawn. "
      + "Half-widths of the two are added in quadrature, each with its own degrees of freedom. "
    if let least = counts.first {
      let most = counts.last ?? least
      let range = least == most ? "\(least)" : "\(least) to \(most)"
      text += "There are \(range) seeds a cell. "
      if least == 1 {
        text +=
          "Where there is one, the spread between runs is unknown and not in the interval: such a "
          + "sentence is about these very networks. "
      }
      if most < 6 {
        text +=
          "With so few, a permutation test could not reach 5 % at all; a t test can, if distances "
          + "scatter about normally between seeds, which so few values cannot show. Small "
          + "differences stay undecided. "
      }
    }
    return text + "Trends are t tests of the slope through the cells' means, with the errors of "
      + "these. Sentences on frequencies are permutation tests over images of one pair of networks."
  }

  /// What intervals and tests are about, and which cells they do not speak of.
  private var limits: [String] {
    let cells = results.flatMap(\.study.cells)
    func names(_ isWanted: (StudyCell) -> Bool) -> String {
      var found: [String] = []
      for cell in cells where isWanted(cell) && !found.contains(cell.name) {
        found.append(cell.name)
      }
      return found.joined(separator: ", ")
    }
    var limits: [String] = []
    if cells.contains(where: \.method.isTrained) {
      limits.append(
        "Seeds are of what a cell trains. All seeds of a cell begin from the same network, "
          + "unless from random weights, so intervals and p say what other seeds of this training would give, not "
          + "what another pretraining would. Cells of one seed draw the same latents; tests take "
          + "them for independent.")
    }
    if let judges = Self.judges(of: results) {
      limits.append(
        "Learning rates were chosen on development seeds, for each cell by itself, by the distance in the first space, to "
          + "\(judges); a method with more of them to try has more of a chance.")
    }
    let pooled = names(\.hasOnePool)
    if !pooled.isEmpty {
      limits.append(
        "All seeds learn the same pool of the teacher's pictures in \(pooled): what another pool "
          + "would change is in no interval.")
    }
    let dead = names(\.hasDeadBranches)
    if !dead.isEmpty {
      limits.append(
        "In \(dead) freezing keeps what EDM initialises at almost 0, `conv1` and `proj`, so that "
          + "every residual branch is off: no sentence compares with them. A frozen random network "
          + "whose branches are not off was not tried.")
    }
    return limits + Self.commonLimits
  }

  private static let commonLimits = [
    "A Fréchet distance grows as images get fewer; all are of equal numbers here. It compares two "
      + "moments of features, not images.",
    "Features of a classifier favour images that a classifier tells apart; raw pixels and recall "
      + "stand beside them.",
    "All distances share the reference images. In a comparison of cells the error that goes the same way in both "
      + "cancels where rows hold the distances with each part of the images left out. Where they do not, and for "
      + "recall and coverage, it is counted for both: intervals of differences are then rather too wide.",
    "One data set and one size of network.",
  ]

  /// What the page says, for scripts: `summary.json`.
  public var summary: JSONValue {
    [
      "kind": "studies",
      "claims": .array(
        claims.map { claim in
          claim.json(
            samples: claim.topic == StudyClaims.Topic.frequency.rawValue ? "images" : "seeds")
        }),
      "runs": .array(
        results.map { result in
          [
            "run": .string(result.path), "study": .string(result.study.name),
            "finished": .bool(result.isFinished),
            "choices": .array(result.choices.map(\.json)),
            "cells": .array(result.study.cells.map { Self.json($0, result) }),
          ]
        }),
    ]
  }

  private static func json(_ cell: StudyCell, _ result: StudyResults) -> JSONValue {
    [
      "name": .string(cell.name), "method": .string(cell.method.name),
      "points": .array(
        result.checkpoints(of: cell).map { images in
          .object(
            [("images", .integer(images))]
              + result.spaces.map { space in
                func json(_ quantity: StudyQuantity) -> JSONValue {
                  result.mean(quantity, in: space, of: cell, at: images)?.interval().json ?? .null
                }
                return (
                  space,
                  [
                    "frechet": json(.frechet), "kid": json(.kernel),
                    "precision": json(.precision), "recall": json(.recall),
                    "coverage": json(.coverage),
                    "frechet_to_teachers": .array(
                      result.study.teachers.indices.map { json(.toTeacher($0)) }),
                  ] as JSONValue
                )
              })
        }),
    ]
  }
}
