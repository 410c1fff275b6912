import Foundation
import Reports
import TensorCore
import Testing
import Transformer

@testable import RuleVectors

/// The experiments on what vectors hold, on networks whose mechanism is known.
@Suite struct VectorValidationTests {
  typealias Kind = CompiledNetwork.Kind

  private func section(
    _ kind: Kind, _ experiment: String, _ keys: String, episodes: Int = 10
  ) throws -> Section {
    let folder = NSTemporaryDirectory() + "icl-probe-test-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let laboratory = try CompiledLaboratory.laboratory(kind)
    laboratory.store = ActivationStore(run: folder)
    return try CompiledLaboratory.section(
      laboratory,
      """
      {"name": "p", "title": "T", "question": "Q?", "experiment": "\(experiment)"\(keys)}
      """, episodes: episodes)
  }

  /// Verdicts by the names of claims, without the probe's.
  private func verdicts(_ section: Section) -> [String: Claim.Verdict] {
    Dictionary(
      Claim.adjusted(section.claims).map { ($0.name.replacing("p.", with: ""), $0.verdict) },
      uniquingKeysWith: { first, _ in first })
  }

  /// Means of a metric by what a result is of.
  private func means(_ section: Section, _ metric: String = "recovery", by keys: String...)
    -> [[String]: Double]
  {
    var found: [[String]: Double] = [:]
    for result in section.results {
      let value = JSONValue.object(result)
      guard case .string(metric) = value["metric"], case .number(let mean) = value["mean"]
      else { continue }
      let words = keys.map { key in
        if case .string(let word) = value[key] { word } else { value[key].text }
      }
      found[words] = mean
    }
    return found
  }

  /// Two heads hand the rule on. In `global` both write the mean rule vector whatever the query, and what is put at
  /// the last position is a value of their own too: without demonstrations the only one, so that it counts twice;
  /// beside eight answers one of nine. In the others they write the query's answer, which is even over queries.
  @Test(arguments: Kind.allCases) func functionVector(_ kind: Kind) throws {
    let section = try section(
      kind, "function-vector",
      #", "donors": 16, "heads": 2, "layers": "all", "controls": [], "development": 8"#,
      episodes: 12)
    let expected: Claim.Verdict = kind == .global ? .contradicted : .supported
    #expect(
      verdicts(section) == ["little.zero-shot": expected, "little.shuffled-labels": expected])
    let found = means(section, by: "donor", "recipient", "layer")
    for (recipient, added) in [("zero-shot", 2), ("shuffled-labels", 1 + 1 / 9.0)] {
      let first = try #require(found[["function", recipient, "0"]])
      #expect(abs(first - (kind == .global ? added : 0)) < 0.01)
      let second = try #require(found[["function", recipient, "1"]])
      #expect(abs(second - (kind == .global ? 1 : 0)) < 0.01)
    }
  }

  /// Where answers are read evenly, the vector at the last position is the sum of those behind single
  /// demonstrations. Where the first one alone is read, one-shot vectors are all first ones, and do not add up.
  @Test(arguments: Kind.allCases) func reconstruction(_ kind: Kind) throws {
    let section = try section(
      kind, "reconstruction",
      #", "layers": "all", "development": 8, "coordinates_left_out": 0"#)
    let found = verdicts(section)
    for name in ["over-flipped-one-shots", "over-zero-shot", "carries"] {
      #expect(found[name] == .supported, "\(name)")
    }
    let row = ["one-shots", "1"]
    let explained = try #require(means(section, "explained", by: "parts", "layer")[row])
    let recovery = try #require(means(section, by: "parts", "layer")[row])
    #expect(kind == .single ? explained < 0.9 : explained > 0.99)
    #expect(kind == .single || abs(recovery - 1) < 0.01)
  }

  /// A class and its label mean the same in any template. Labels of another set mean nothing to these networks.
  @Test(arguments: Kind.allCases, ["clean", "swapped-slots"])
  func transfer(_ kind: Kind, _ donor: String) throws {
    let section = try section(
      kind, "transfer", #", "donor": "\#(donor)", "layers": "all", "layer": 0"#)
    #expect(
      verdicts(section) == [
        "carries.template": .supported, "less.template": .undecided,
        "carries.labels": .undecided, "less.labels": .supported,
      ])
    for (row, mean) in means(section, by: "change", "layer") {
      let expected = row[0] != "labels" && row[1] == "0"
      #expect(abs(mean - (expected ? 1 : 0)) < 1e-3, "\(row): \(mean)")
    }
  }

  /// Rule vectors hold class and label together, and are read for words and pairs of classes that no decoder has
  /// seen, in either template; embeddings hold the label alone and inputs the class alone.
  @Test(arguments: Kind.allCases) func decoding(_ kind: Kind) throws {
    let section = try section(
      kind, "decoding",
      #", "layers": [0], "donors": ["swapped-slots"], "development": 12, "permutations": 100"#,
      episodes: 24)
    let expected: [String: Claim.Verdict] = [
      "rule.answers": .supported, "rule.inputs": .undecided,
      "rule.question/letters": .supported, "rule.arrow/nonsense": .undecided,
      "variance.rule": .supported, "patched.swapped-slots": .supported,
    ]
    let found = verdicts(section)
    for (name, verdict) in expected { #expect(found[name] == verdict, "\(name)") }
    let accuracies = section.rows.filter { $0[1] == "rule" && $0[5] == "arrow/letters" }
    #expect(
      accuracies.map { [$0[2], $0[6]] } == [
        ["answers", "1.00 [1.00, 1.00]"], ["inputs", "0.50 [0.50, 0.50]"],
      ])
  }
}
