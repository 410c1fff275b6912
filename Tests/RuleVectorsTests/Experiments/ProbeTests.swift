import Foundation
import TensorCore
import Testing

@testable import RuleVectors

@Suite struct ProbeTests {
  static let sweep =
    #""experiment": "layer-sweep", "donor": "clean", "positions": ["answers"]"#
  static let aggregation =
    #""experiment": "aggregation", "donor": "clean", "players": "pairs", "layer": 3"#
  static let global = #""experiment": "global-vector""#
  static let grid = #""experiment": "grid", "sites": ["z"]"#

  /// What is wrong, where, and what is allowed: in one line that names file and key.
  @Test(
    arguments: [
      // Unknown, missing and wrong.
      (
        sweep + #", "layer_list": [1]"#,
        #"probes/x.json: unknown key "layer_list"; allowed are name, title, question, default, experiment, donor, positions, layers, layer"#
      ),
      (
        #""experiment": "layer-sweep", "positions": ["answers"]"#,
        #"probes/x.json: the key "donor" is missing; add it"#
      ),
      (
        #""experiment": "layer-swep""#,
        #"probes/x.json, experiment: found "layer-swep", allowed is "shot-curve", "layer-sweep""#
      ),
      (#""experiment": 3"#, "probes/x.json, experiment: found a whole number where a text belongs"),
      (#""default": "no", "# + sweep, "probes/x.json, default: found a text where true or false"),
      (
        #""experiment": "layer-sweep", "donor": "dirty", "positions": ["answers"]"#,
        #"probes/x.json, donor: found "dirty", allowed is "clean", "swapped-slots""#
      ),
      // Lists.
      (
        #""experiment": "layer-sweep", "donor": "clean", "positions": []"#,
        "probes/x.json, positions: the list is empty; name at least one"
      ),
      (
        #""experiment": "layer-sweep", "donor": "clean", "positions": ["last", "last"]"#,
        #"probes/x.json, positions: "last" is named twice"#
      ),
      (
        #""experiment": "layer-sweep", "donor": "clean", "positions": ["last", "labels"]"#,
        #"probes/x.json, positions[1]: found "labels", allowed is "answers", "inputs", "last""#
      ),
      (
        #""experiment": "layer-sweep", "donor": "clean", "positions": "last""#,
        "probes/x.json, positions: found a text where a list belongs"
      ),
      (global + #", "forms": []"#, "probes/x.json, forms: the list is empty"),
      (
        global + #", "controls": ["a", "a"]"#, #"probes/x.json, controls: "a" is named twice"#
      ),
      (
        aggregation + #", "directions": []"#, "probes/x.json, directions: the list is empty"
      ),
      (
        #""experiment": "shot-curve", "shots": [4, 4]"#,
        "probes/x.json, shots: a number of demonstrations is named twice"
      ),
      (#""experiment": "shot-curve", "shots": [-1]"#, "probes/x.json, shots[0]: found -1, allowed"),
      // Layers.
      (sweep + #", "layers": "some""#, #"probes/x.json, layers: found "some", allowed is "all""#),
      (sweep + #", "layers": []"#, "probes/x.json, layers: the list of layers is empty or names"),
      (
        sweep + #", "layers": [1, 1]"#,
        "probes/x.json, layers: the list of layers is empty or names"
      ),
      (sweep + #", "layers": [-1]"#, "probes/x.json, layers[0]: found -1, allowed is 0 to"),
      (
        sweep + #", "layers": {"every": 0}"#,
        "probes/x.json, layers.every: found 0, allowed is 1 to"
      ),
      (
        sweep + #", "layers": {"each": 3}"#,
        #"probes/x.json, layers: unknown key "each"; allowed are every"#
      ),
      (sweep + #", "layers": 3"#, "probes/x.json, layers: found a whole number where a list"),
      (sweep + #", "layer": "best""#, "probes/x.json, layer: found a text where an object belongs"),
      (
        sweep + #", "layer": {"donor": "clean", "positions": "last", "episode": 4}"#,
        #"probes/x.json, layer: unknown key "episode"; allowed are donor, positions, episodes"#
      ),
      (
        sweep + #", "layer": {"donor": "clean"}"#,
        #"probes/x.json, layer: the key "positions" is missing"#
      ),
      (
        sweep + #", "layer": {"donor": "clean", "positions": "last", "episodes": 0}"#,
        "probes/x.json, layer.episodes: found 0, allowed is 1 to 1000"
      ),
      // Odd numbers of what comes in two kinds.
      (global + #", "donors": 7"#, "probes/x.json, donors: found 7, allowed is an even number"),
      (global + #", "donors": 1"#, "probes/x.json, donors: found 1, allowed is 2 to 1000"),
      (
        aggregation + #", "permutations": 3"#,
        "probes/x.json, permutations: found 3, allowed is an even number"
      ),
      (global + #", "margin": 1.5"#, "probes/x.json, margin: found 1.5, allowed is 0.01 to 0.99"),
      (global + #", "margin": "small""#, "probes/x.json, margin: found a text where a number"),
      (
        #""experiment": "aggregation", "donor": "clean", "players": "pairs""#,
        #"probes/x.json: the key "layer" is missing"#
      ),
      // Function vectors.
      (
        #""experiment": "function-vector", "donors": 3"#,
        "probes/x.json, donors: found 3, allowed is an even number"
      ),
      (
        #""experiment": "function-vector", "heads": 0"#,
        "probes/x.json, heads: found 0, allowed is 1"
      ),
      (
        #""experiment": "function-vector", "recipients": ["one-shot"]"#,
        #"probes/x.json, recipients[0]: found "one-shot", allowed is "zero-shot", "shuffled-labels""#
      ),
      // Paths.
      (
        #""experiment": "path", "mlps": "free""#,
        #"probes/x.json, mlps: found "free", allowed is "recomputed", "frozen""#
      ),
      (
        #""experiment": "path", "inputs": ["queries"]"#,
        #"probes/x.json, inputs[0]: found "queries", allowed is "keys", "values""#
      ),
      (
        #""experiment": "path", "window": 0"#, "probes/x.json, window: found 0, allowed is 1 to"
      ),
      (
        #""experiment": "path", "heads": -1"#, "probes/x.json, heads: found -1, allowed is 0 to"
      ),
      // Grids.
      (#""experiment": "grid""#, #"probes/x.json: the key "sites" is missing"#),
      (#""experiment": "grid", "sites": []"#, "probes/x.json, sites: the list is empty"),
      (
        #""experiment": "grid", "sites": ["z", "z"]"#,
        #"probes/x.json, sites: "z" is named twice"#
      ),
      (
        #""experiment": "grid", "sites": ["resid_mid"]"#,
        #"probes/x.json, sites[0]: found "resid_mid", allowed is "resid_pre", "resid_post""#
      ),
      (
        #""experiment": "grid", "sites": [{"site": "mlp_out", "by": "head"}]"#,
        "probes/x.json, sites[0]: mlp_out has no heads; use position or role"
      ),
      (
        #""experiment": "grid", "sites": [{"site": "z", "axis": "head"}]"#,
        #"probes/x.json, sites[0]: the key "by" is missing"#
      ),
      (
        #""experiment": "grid", "sites": [{"site": "z", "by": "head", "of": 1}]"#,
        #"probes/x.json, sites[0]: unknown key "of"; allowed are site, by"#
      ),
    ])
  func mistakesAreNamed(keys: String, message: String) throws {
    do {
      _ = try RowFixtures.probe("x", keys)
      Issue.record("accepted: \(keys)")
    } catch let error as UserError {
      #expect("\(error)".hasPrefix(message), "\(error)")
      #expect(error.remedy != nil && !"\(error)".contains("\n"))
    }
  }

  @Test func keysTwice() throws {
    #expect(throws: UserError.self) {
      try RowFixtures.probe("x", Self.sweep + #", "donor": "clean""#)
    }
  }

  @Test func layerLists() throws {
    func layers(_ text: String) throws -> LayerList {
      try experiment(
        LayerSweep.self, #""donor": "clean", "positions": ["last"]"# + text
      ).layers
    }
    #expect(try layers("") == .all)
    #expect(try layers(#", "layers": "all""#) == .all)
    #expect(try layers(#", "layers": [5, 0, 2]"#) == .some([0, 2, 5]))
    #expect(try layers(#", "layers": {"every": 3}"#) == .every(3))
    #expect(try layers(#", "layers": {"count": 4}"#) == .count(4))
    #expect(try LayerList.count(4).resolved(3, probe: "p") == [0, 1, 2])
    #expect(try LayerList.count(4).resolved(10, probe: "p") == [0, 3, 6, 9])
    #expect(try LayerList.count(10).resolved(30, probe: "p").count == 10)
    #expect(try LayerList.count(6).resolved(24, probe: "p") == [0, 5, 9, 14, 18, 23])
    #expect(try LayerList.all.resolved(4, probe: "x") == [0, 1, 2, 3])
    #expect(try LayerList.every(3).resolved(8, probe: "x") == [0, 3, 6])
    #expect(try LayerList.every(30).resolved(8, probe: "x") == [0])
    #expect(try LayerList.some([0, 7]).resolved(8, probe: "x") == [0, 7])
    #expect {
      _ = try LayerList.some([0, 8]).resolved(8, probe: "mine")
    } throws: {
      "\($0)" == "probe mine: layer 8 is out of range; the model has layers 0 to 7"
    }
  }

  @Test func whatAProbeLeavesOut() throws {
    let probe = try RowFixtures.probe("x", Self.global)
    #expect(probe.runsByDefault && probe.experiment.kind == "global-vector")
    let vector = try experiment(GlobalVector.self, "")
    #expect(vector.donors == 8 && vector.development == 8 && vector.margin == 0.25)
    #expect(vector.forms == GlobalVector.Form.allCases && vector.controls.names.isEmpty)
    #expect(vector.recipients == GlobalVector.Recipient.allCases && vector.layers == .all)
    let game = try experiment(
      Aggregation.self, #""donor": "clean", "players": "pairs", "layer": 3"#)
    #expect(game.permutations == 4 && game.directions == Direction.allCases)
    #expect(game.choice == .fixed(3))
    #expect(
      try experiment(
        LayerSweep.self,
        #""donor": "clean", "positions": ["last"], "layer": {"donor": "clean", "positions": "last"}"#
      ).choice == .development(donor: .clean, positions: .last, episodes: 8))
    #expect(try !RowFixtures.probe("x", #""default": false, "# + Self.grid).runsByDefault)
  }

  @Test func digestsAreOfWhatAProbeSays() throws {
    let probe = try RowFixtures.probe("x", Self.sweep)
    let spaced = try RowFixtures.probe("x", "\n  " + Self.sweep)
    #expect(probe.definitionDigest == spaced.definitionDigest)
    let other = try RowFixtures.probe("x", Self.sweep + #", "layers": [1]"#)
    #expect(probe.definitionDigest != other.definitionDigest)
    let kept = try Probe(definition: probe.definition, place: "manifest.json")
    #expect(kept.definitionDigest == probe.definitionDigest)
  }

  private func folder(_ probes: [String: String]) throws -> String {
    let path = NSTemporaryDirectory() + "icl-probe-test-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    for (file, text) in probes {
      try Data(text.utf8).write(to: URL(fileURLWithPath: "\(path)/\(file)"))
    }
    return path
  }

  private func file(_ name: String, _ keys: String) -> String {
    "{\"name\": \"\(name)\", \"title\": \"T\", \"question\": \"Q?\", \(keys)}"
  }

  private func complaint(_ body: () throws -> Void) -> String {
    do {
      try body()
      return "nothing"
    } catch {
      return "\(error)"
    }
  }

  @Test func namesOfProbes() throws {
    let folder = try folder([
      "a.json": file("a", Self.sweep), "b.json": file("c", Self.sweep),
      "baseline.json": file("baseline", Self.sweep),
      "layer-choice.x.json": file("layer-choice.x", Self.sweep),
      "d e.json": file("d e", Self.sweep), "note.txt": "",
    ])
    defer { try? FileManager.default.removeItem(atPath: folder) }
    #expect(try Probe(named: "a", in: folder).name == "a")
    #expect(try Probe(named: "\(folder)/a.json", in: "nowhere").name == "a")
    for (name, message) in [
      ("b", "\(folder)/b.json: the probe is called \"c\" in a file called \"b\"; use one name"),
      ("baseline", "\(folder)/baseline.json, name: the name \"baseline\" is taken; choose another"),
      (
        "layer-choice.x",
        "\(folder)/layer-choice.x.json, name: the name \"layer-choice.x\" is taken; choose another"
      ),
      ("d e", "\(folder)/d e.json, name: the name \"d e\" has characters that a file name"),
      ("z", "\(folder): no probe is called \"z\"; known are: a, b, baseline, d e, layer-choice.x"),
    ] {
      let found = complaint { _ = try Probe(named: name, in: folder) }
      #expect(found.hasPrefix(message), "\(found)")
    }
    let missing = complaint { _ = try Probe(named: "a", in: folder + "/none") }
    #expect(missing.hasPrefix("\(folder)/none: the folder of probes cannot be read"))
  }

  @Test func allProbesOnceAndInTheRegistrysOrder() throws {
    let folder = try folder([
      "a.json": file("a", Self.global), "b.json": file("b", Self.aggregation),
      "c.json": file("c", Self.sweep), "d.json": file("d", Self.sweep),
      "e.json": file("e", #""default": false, "# + Self.grid),
    ])
    let other = try self.folder(["c.json": file("c", Self.grid)])
    defer {
      for path in [folder, other] { try? FileManager.default.removeItem(atPath: path) }
    }
    #expect(try Probe.all([], in: folder).map(\.name) == ["c", "d", "b", "a"])
    #expect(try Probe.all(["e", "a", "d", "c"], in: folder).map(\.name) == ["d", "c", "a", "e"])
    for second in ["c", "\(folder)/c.json", "\(other)/c.json"] {
      let found = complaint { _ = try Probe.all(["c", "a", second], in: folder) }
      #expect(found.contains("two probes are called \"c\"; name each probe once"), "\(found)")
    }
  }

  /// Probes that come with the program, and those that it makes itself.
  @Test func shippedProbesAreRead() throws {
    let folder = URL(fileURLWithPath: Fixtures.tasksFolder).deletingLastPathComponent()
      .appendingPathComponent("probes").path
    let names = try Probe.names(in: folder)
    #expect(names.count >= 6)
    for name in names { #expect(try Probe(named: name, in: folder).name == name) }
    #expect(try Probe.baseline().experiment.kind == "shot-curve")
    #expect(try Probe.accuracy(shots: [0, 4]).name == "accuracy")
  }
}
