import Foundation
import TensorCore
import Testing

@testable import RuleVectors

@Suite struct ProbeTests {
  static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("../../probes").standardized.path

  @Test func committedProbesLoad() throws {
    let names = try Probe.names(in: Self.folder)
    #expect(
      names == [
        "aggregation", "aggregation-same-labels", "global-vector", "label-copy", "positions",
      ])
    for name in names {
      let probe = try Probe(named: name, in: Self.folder)
      #expect(probe.name == name && !probe.title.isEmpty && !probe.question.isEmpty)
    }
  }

  private func read(_ text: String) throws -> Probe {
    try Probe(
      JSONReader(JSONValue(parsing: Data(text.utf8), place: "p.json"), place: "p.json"),
      digest: "")
  }

  @Test(arguments: [
    (#"{"name": "p"}"#, "\"experiment\" is missing"),
    (#"{"experiment": "magic"}"#, "\"layer-sweep\""),
    (
      #"{"name": "p", "title": "t", "question": "q", "experiment": "layer-sweep", "donor": "clean", "positions": ["answers"], "layer": 3}"#,
      "unknown key \"layer\""
    ),
    (
      #"{"name": "p", "title": "t", "question": "q", "experiment": "layer-sweep", "donor": "clean", "positions": ["ends"]}"#,
      "found \"ends\", allowed is \"answers\", \"inputs\", \"last\""
    ),
    (
      #"{"name": "p", "title": "t", "question": "q", "experiment": "layer-sweep", "donor": "clean", "positions": []}"#,
      "the list is empty"
    ),
    (
      #"{"name": "p", "title": "t", "question": "q", "experiment": "aggregation", "donor": "clean", "layer": -1, "subsets": 2}"#,
      "found -1"
    ),
    (
      #"{"name": "p", "title": "t", "question": "q", "experiment": "global-vector", "donors": 0, "recipients": ["zero-shot"]}"#,
      "found 0, allowed is 1 to 1000"
    ),
  ])
  func wrongProbesAreNamed(text: String, problem: String) {
    let error = #expect(throws: UserError.self) { try read(text) }
    #expect(error?.description.contains(problem) == true, "\(error?.description ?? "")")
    #expect(error?.description.hasPrefix("p.json") == true)
  }

  @Test func subsetsHoldEveryExtremeAndRepeatNone() {
    var random = RandomStream(seed: 3)
    let subsets = Aggregation.subsets(of: 12, each: 2, random: &random)
    #expect(Set(subsets).count == subsets.count)
    let counts = Dictionary(grouping: subsets, by: \.count).mapValues(\.count)
    #expect(counts[0] == 1 && counts[1] == 12 && counts[11] == 12 && counts[12] == 1)
    for size in 2...10 { #expect(counts[size] == 2) }
    #expect(subsets.allSatisfy { $0 == $0.sorted() && Set($0).count == $0.count })
  }

  @Test(arguments: [1, 2, 3])
  func fewDemonstrationsHaveTheirSubsets(count: Int) {
    var random = RandomStream(seed: 0)
    let subsets = Aggregation.subsets(of: count, each: 3, random: &random)
    #expect(Set(subsets).count == subsets.count)
    #expect(subsets.first == [] && subsets.last == Array(0..<count))
  }
}
