import Reports
import TensorCore
import Testing
import Transformer

@testable import RuleVectors

/// The experiments on networks whose mechanism is known: each must state what is so by construction.
@Suite struct ValidationTests {
  typealias Kind = CompiledNetwork.Kind

  /// Verdicts by the names of claims, without the probe's.
  private func verdicts(_ section: Section) -> [String: Claim.Verdict] {
    Dictionary(
      Claim.adjusted(section.claims).map { ($0.name.replacing("p.", with: ""), $0.verdict) },
      uniquingKeysWith: { first, _ in first })
  }

  private func section(
    _ kind: Kind, _ experiment: String, _ keys: String, episodes: Int = 10
  ) throws -> Section {
    try CompiledLaboratory.section(
      try CompiledLaboratory.laboratory(kind),
      """
      {"name": "p", "title": "T", "question": "Q?", "experiment": "\(experiment)"\(keys)}
      """, episodes: episodes)
  }

  /// Means of a metric by what it is of and layer.
  private func means(_ section: Section, _ metric: String) -> [String: Double] {
    var means: [String: Double] = [:]
    for result in section.results {
      let value = JSONValue.object(result)
      guard case .string(metric) = value["metric"], case .number(let mean) = value["mean"] else {
        continue
      }
      let words = ["control", "site", "recipient", "positions", "shots", "layer", "head"].map {
        value[$0]
      }
      means[words.filter { $0 != .null }.map { $0.plain }.joined(separator: " ")] = mean
    }
    return means
  }

  @Test(arguments: Kind.allCases) func shotCurve(_ kind: Kind) throws {
    let section = try section(kind, "shot-curve", #", "shots": [0, 2, 8, 16]"#)
    let accuracy = means(section, "accuracy")
    #expect(accuracy == ["0": 0, "2": 1, "8": 1, "16": 1])
  }

  /// After block 0 the rule is at the answer positions, with the labels held fixed too; after block 1
  /// it is at the last position.
  @Test(arguments: Kind.allCases) func layerSweep(_ kind: Kind) throws {
    let choice = #"{"donor": "swapped-slots", "positions": "answers", "episodes": 2}"#
    let clean = try section(
      kind, "layer-sweep",
      """
      , "donor": "clean", "positions": ["answers", "last", "inputs"], "layers": "all",
      "layer": \(choice)
      """)
    #expect(
      verdicts(clean) == [
        "answers-carry-rule": .supported, "answers-over-last": .supported,
        "answers-over-inputs": .supported,
      ])
    for (place, mean) in means(clean, "recovery") {
      let expected =
        (place.contains("answers") && place.hasSuffix("0"))
        || (place.contains("last") && !place.hasSuffix("0"))
      #expect(abs(mean - (expected ? 1 : 0)) < 1e-3, "\(place): \(mean)")
    }
    let swapped = try section(
      kind, "layer-sweep",
      #", "donor": "swapped-slots", "positions": ["answers"], "layers": "all", "layer": "# + choice)
    #expect(verdicts(swapped) == ["more-than-label-copy": .supported])

    let late = try section(
      kind, "layer-sweep",
      #", "donor": "clean", "positions": ["answers", "last"], "layers": "all", "layer": 1"#)
    #expect(
      verdicts(late) == ["answers-carry-rule": .undecided, "answers-over-last": .contradicted])
  }

  /// One carrier in `single`, equal shares in the others: with labels that change, pair by pair, and
  /// with labels held fixed.
  @Test(arguments: Kind.allCases, ["pairs", "demonstrations"])
  func aggregation(_ kind: Kind, _ players: String) throws {
    let donor = players == "pairs" ? "clean" : "swapped-slots"
    let section = try section(
      kind, "aggregation",
      """
      , "donor": "\(donor)", "players": "\(players)", "layer": 0, "permutations": 4
      """)
    let isShared = kind != .single
    let found = verdicts(section)
    // Four pairs cannot be more than four.
    let noCarrier: Claim.Verdict? =
      players == "pairs" ? nil : isShared ? .supported : .contradicted
    #expect(found["no-single-carrier"] == noCarrier)
    // From the clean run labels are shared out, too.
    #expect(section.claims.contains { $0.paperClaim == 3 } == (players != "pairs"))
    // Of eight, more than half are more than four, which is asked already.
    let spread: Claim.Verdict? =
      players == "pairs" ? (isShared ? .supported : .contradicted) : nil
    #expect(found["spread"] == spread)
    #expect(found["answers-necessary"] == .supported)
    // Additive by construction, but for the shares in `distributed` and for gates in `single`, which
    // curve either way.
    #expect(found["saturation"] == .undecided)
    for claim in section.claims where claim.paperClaim == 3 {
      #expect(
        found[claim.name.replacing("p.", with: "")] == (isShared ? .supported : .contradicted))
    }
    let summary = JSONValue.object(section.summary)
    guard case .array(let directions) = summary["directions"] else {
      Issue.record("no directions")
      return
    }
    let count = players == "pairs" ? 4.0 : 8.0
    for direction in directions {
      guard case .number(let ratio) = direction["participation_ratio"]["estimate"] else { continue }
      #expect(isShared ? ratio > 0.9 * count && ratio < 1.05 * count : abs(ratio - 1) < 0.05)
    }
  }

  /// One vector brings the rule in `global`, after block 1 and with nothing lost, and nothing of it in
  /// the others.
  @Test(arguments: Kind.allCases) func globalVector(_ kind: Kind) throws {
    let section = try section(
      kind, "global-vector", #", "donors": 2, "layers": "all", "development": 2"#, episodes: 8)
    let verdict: Claim.Verdict = kind == .global ? .contradicted : .supported
    #expect(
      verdicts(section) == [
        "little.zero-shot": verdict, "little.dummy-demonstrations": verdict,
      ])
    // A vector that is there needs no positive control, of which there is none here; its absence does.
    #expect(section.claims.allSatisfy { $0.paperClaim == (kind == .global ? 1 : nil) })
    for (place, mean) in means(section, "recovery") {
      let expected = kind == .global && place.hasSuffix("1")
      #expect(abs(mean - (expected ? 1 : 0)) < 1e-3, "\(place): \(mean)")
    }
  }

  /// Inputs are read at their own answers in block 0, answers at the last position in block 1, and no
  /// answer at a later one.
  @Test(arguments: Kind.allCases) func knockout(_ kind: Kind) throws {
    let section = try section(
      kind, "knockout", #", "window": 1, "step": 1, "development": 2"#, episodes: 12)
    #expect(
      verdicts(section) == [
        "input-own-answer": .supported, "separator-own-answer": .undecided,
        "answer-later-answers": .undecided, "answer-last": .supported, "label-last": .supported,
      ])
    // What is lost by cutting all answers says nothing of how they share it: in `single` one has it all.
    #expect(section.claims.allSatisfy { $0.paperClaim != 3 })
    for (place, mean) in means(section, "logits_lost") {
      switch place {
      // Labels without their own inputs go to the class of the demonstration before.
      case "false input-own-answer 0": #expect(mean > 16)
      case "false answer-last 1", "false label-last 1": #expect(abs(mean - 32) < 0.01)
      // Where no answer sees an earlier label, all count as the first, and all bring their labels.
      case "false answer-later-answers 0" where kind == .single: #expect(abs(mean + 32) < 0.01)
      // Random edges may be those from the query.
      default: #expect(abs(mean) < (place.hasPrefix("true") ? 8 : 1e-3), "\(place): \(mean)")
      }
    }
    let rows = section.rows.map { Array($0.prefix(2)) }
    #expect(rows.contains(["input-own-answer", "0–0"]))
    #expect(rows.contains(["answer-last", "1–1"]))
  }

  /// Every cell with an effect is on the path that the construction says, and every cell of the path
  /// has one.
  @Test(arguments: Kind.allCases) func grid(_ kind: Kind) throws {
    let section = try section(
      kind, "grid", #", "sites": ["resid_pre", "attn_out", "mlp_out", "z"], "layers": "all""#,
      episodes: 24)
    // Heads share the work: by query in `single`, by class in `global`, evenly in `distributed`.
    var path: [String: ClosedRange<Double>] = [
      "resid_pre answer 0": 1...1, "mlp_out answer 0": 1...1, "resid_pre answer 1": 1...1,
      "attn_out last-separator 1": 1...1, "z all 1 0": 0.25...0.75, "z all 1 1": 0.25...0.75,
    ]
    if kind == .global {
      path["resid_pre last-separator 2"] = 1...1
      path["mlp_out last-separator 2"] = 1...1
    }
    for (place, mean) in means(section, "recovery") {
      let range = path[place] ?? 0...0
      #expect(mean > range.lowerBound - 1e-3 && mean < range.upperBound + 1e-3, "\(place): \(mean)")
    }
    guard case .integer(let found) = JSONValue.object(section.summary)["found_benjamini_hochberg"]
    else {
      Issue.record("no number of cells")
      return
    }
    #expect(found == path.count)
  }
}

extension JSONValue {
  fileprivate var plain: String { if case .string(let word) = self { word } else { text } }
}
