import Foundation
import TensorCore
import Testing

@testable import Transformer

@Suite struct InterventionFileTests {
  static let tokens = RandomVariants.recipient

  private func resolve(_ text: String, tokens: [Int] = tokens) throws -> [Intervention] {
    let value = try JSONValue(parsing: Data(text.utf8), place: "edits.json")
    return try InterventionFile(JSONReader(value, place: "edits.json"))
      .resolve(
        for: tokens, engine: Golden.engine(), tokenize: Golden.engine().model.tokenizer.encode)
  }

  private func edit(_ text: String) throws -> ActivationEdit {
    let interventions = try resolve("[\(text)]")
    guard case .edit(let edit) = try #require(interventions.first) else {
      throw UserError("not an edit")
    }
    return edit
  }

  private func rows(_ edit: ActivationEdit) throws -> [[Float]] {
    switch edit.change {
    case .replace(let source), .add(let source): return source.rows.map { source.tensor.row($0) }
    default: throw UserError("no rows")
    }
  }

  @Test func readsWhereAndWhat() throws {
    let zero = try edit(
      #"{"hook": "blocks.3.attn.hook_z", "positions": [-1, 2], "heads": [5, 0], "edit": "zero"}"#)
    #expect(zero.hook == HookPoint(.headOutput, layer: 3))
    #expect(zero.positions == [2, 9])
    #expect(zero.heads == [5, 0])
    guard case .zero = zero.change else { throw UserError("not zero") }
    let scale = try edit(#"{"hook": "hook_embed", "positions": "all", "edit": {"scale": -2}}"#)
    #expect(scale.positions == Array(0..<10))
    #expect(scale.heads == nil)
    guard case .scale(-2) = scale.change else { throw UserError("not scaled by -2") }
    let all = try edit(
      #"{"hook": "blocks.3.attn.hook_z", "positions": [0], "heads": "all", "edit": "zero"}"#)
    #expect(all.heads == nil)
  }

  @Test func addTakesTheWholeSiteOrTheHeads() throws {
    let numbers = (0..<576).map(String.init).joined(separator: ", ")
    let whole = try edit(
      #"{"hook": "blocks.3.hook_mlp_out", "positions": [1, 4], "edit": {"add": [\#(numbers)]}}"#)
    #expect(try rows(whole) == Array(repeating: (0..<576).map(Float.init), count: 2))
    let two = (0..<128).map(String.init).joined(separator: ", ")
    let hook = #""hook": "blocks.3.attn.hook_z""#
    let heads = try edit(
      #"{\#(hook), "positions": [1], "heads": [7, 2], "edit": {"add": [\#(two)]}}"#)
    let row = try rows(heads)[0]
    #expect(row[7 * 64..<8 * 64].elementsEqual((0..<64).map(Float.init)))
    #expect(row[2 * 64..<3 * 64].elementsEqual((64..<128).map(Float.init)))
    #expect(row.count { $0 != 0 } == 127)
  }

  @Test func donorsGiveTheirOwnRows() throws {
    let donor = RandomVariants.donor
    let engine = try Golden.engine()
    let hook = HookPoint(.residualPost, layer: 5)
    let pattern = HookPoint(.pattern, layer: 2)
    let recorded = try engine.forward(
      ForwardRequest(tokens: donor, recordings: [Recording(hook), Recording(pattern)])
    ).recorded
    func text(_ hook: HookPoint, _ positions: String, _ tokens: [Int], _ more: String) -> String {
      #"{"hook": "\#(hook)", "positions": \#(positions), "edit": {"donor": {"tokens": \#(tokens)\#(more)}}}"#
    }
    func expectRows(_ text: String, _ expected: [Int], of tensor: Tensor) throws {
      for (row, position) in zip(try rows(edit(text)), expected) {
        #expect(relativeError(row, RowSource(tensor).tensor.row(position)) < 1e-5)
      }
    }
    // Pairs stay together when the positions are sorted: 7 takes 2, 3 takes 8.
    try expectRows(text(hook, "[7, 3]", donor, #", "positions": [2, 8]"#), [8, 2], of: recorded[0])
    try expectRows(
      text(hook, "[3, 7]", donor, #", "positions": [-2, -2]"#), [8, 8], of: recorded[0])
    try expectRows(text(hook, "[-1, 4]", donor, ""), [4, 9], of: recorded[0])
    try expectRows(text(pattern, #""all""#, donor, ""), Array(0..<10), of: recorded[1])
    // −1 is the last position of each, whatever their lengths.
    try expectRows(text(hook, "[-1]", Array(donor.prefix(6)), ""), [5], of: recorded[0])
  }

  @Test func meanIsOverAllPositionsOfTheCleanRun() throws {
    let hook = HookPoint(.attentionOutput, layer: 8)
    let clean = try Golden.engine().forward(
      ForwardRequest(tokens: Self.tokens, recordings: [Recording(hook)])
    ).recorded[0]
    // The entry before it does not count.
    let interventions = try resolve(
      """
      [{"hook": "hook_embed", "positions": "all", "edit": "zero"},
       {"hook": "\(hook)", "positions": [2, 6], "edit": "mean"}]
      """)
    guard case .edit(let edit) = interventions[1] else { throw UserError("not an edit") }
    let mean = (0..<576).map { column in
      (0..<10).reduce(Float(0)) { $0 + clean.row($1)[column] } / 10
    }
    for row in try rows(edit) { #expect(relativeError(row, mean) < 1e-5) }
  }

  @Test func knockoutsReadTheirLayersInclusively() throws {
    let interventions = try resolve(
      """
      [{"knockout": {"layers": [4, 8], "heads": [1], "queries": [-1], "keys": [2, 0]}},
       {"knockout": {"layers": [0, 0], "queries": "all"}}]
      """)
    guard case .knockout(let first) = interventions[0],
      case .knockout(let second) = interventions[1]
    else { throw UserError("not knockouts") }
    #expect(first.layers == 4...8 && first.heads == [1])
    #expect(first.queries == [9] && first.keys == [0, 2])
    #expect(second.heads == nil && second.queries == second.keys && second.keys.count == 10)
  }

  @Test(
    arguments: [
      "patch_l5_arrows", "patch_l17_first_mid_last", "patch_l29_last_equals_donor",
      "head_zero_l16h0_last", "head_zero_l28h0_all", "knock_labels_to_items_l0_9",
      "knock_first_token_and_self_l10_19", "steer_l14_all_random",
    ])
  func filesGiveTheReferenceLogits(name: String) throws {
    let cases = try InterventionGoldenTests.cases.get()
    let golden = try #require(try cases.first { try $0.at("name").string() == name })
    func text(_ key: String) throws -> String { try golden.at(key).value.text }
    func entry(_ hook: String, _ edit: String) throws -> String {
      #"{"hook": "\#(hook)", "positions": \#(try text("positions")), "edit": \#(edit)}"#
    }
    var entries: [String] = []
    switch try golden.at("kind").string() {
    case "resid_patch":
      entries = [
        try entry(
          "blocks.\(text("layer")).hook_resid_post",
          #"{"donor": {"tokens": \#(text("donor_ids"))}}"#)
      ]
    case "head_zero":
      for pair in try golden.at("heads").list().map({ try $0.integers() }) {
        let plain = try entry("blocks.\(pair[0]).attn.hook_z", #""zero""#)
        entries.append(plain.dropLast() + #", "heads": [\#(pair[1])]}"#)
      }
    case "attn_knockout":
      for edge in try golden.at("edges").list() {
        let layers = try edge.at("layers").integers()
        entries.append(
          """
          {"knockout": {"layers": [\(layers[0]), \(layers[layers.count - 1])],
            "queries": \(try edge.at("queries").value.text), "keys": \(try edge.at("keys").value.text)}}
          """)
      }
    default:
      let vector = try Golden.tensors("smollm2/interventions.safetensors").floats("\(name).vector")
      let numbers = vector.map { "\($0)" }.joined(separator: ", ")
      entries = [try entry("blocks.\(text("layer")).hook_resid_post", #"{"add": [\#(numbers)]}"#)]
    }
    let path = FileManager.default.temporaryDirectory
      .appendingPathComponent("icl-probe-test-\(UUID().uuidString).json").path
    try Files.write(Data("[\(entries.joined(separator: ",\n"))]".utf8), to: path)
    defer { try? FileManager.default.removeItem(atPath: path) }
    let engine = try Golden.engine()
    let tokens = try golden.at("recipient_ids").integers()
    let interventions = try InterventionFile(contentsOf: path)
      .resolve(for: tokens, engine: engine, tokenize: engine.model.tokenizer.encode)
    let result = try engine.forward(
      ForwardRequest(
        tokens: tokens, interventions: interventions,
        logits: LogitRequest(tokens: .some(try golden.at("token_ids").integers()))))
    #expect(
      largestDifference(result.logits[0].logits, try golden.at("result_logits").floats()) < 1e-3)
  }

  private static func post(_ rest: String) -> String {
    #"[{"hook": "blocks.5.hook_resid_post", \#(rest)}]"#
  }

  /// A file and what the error must name besides it.
  static let faults: [(String, [String])] = [
    ("{}", ["found an object", "a list"]),
    ("[]", ["no interventions"]),
    ("[3]", ["edits.json[0]", "a whole number", "an object"]),
    ("[{}]", ["edits.json[0]", "neither", "hook", "knockout"]),
    (#"[{"hook": 3, "positions": [0], "edit": "zero"}]"#, ["edits.json[0], hook", "a text"]),
    (
      #"[{"hook": "blocks.3.attn.hook_y", "positions": [0], "edit": "zero"}]"#,
      ["edits.json[0], hook", "hook_y", "blocks.0.attn.hook_z"]
    ),
    (
      #"[{"hook": "blocks.30.attn.hook_z", "positions": [0], "edit": "zero"}]"#,
      ["edits.json[0]", "layer 30", "0 to 29"]
    ),
    (post(#""edit": "zero""#), ["positions", "missing"]),
    (post(#""positions": [0]"#), ["edit", "missing"]),
    (post(#""positions": [0], "edit": "zero", "head": [1]"#), ["unknown key \"head\"", "heads"]),
    (post(#""positions": [0], "edit": "zero", "heads": [1]"#), ["no heads"]),
    (post(#""positions": [], "edit": "zero""#), ["touches nothing", "position"]),
    (post(#""positions": [10], "edit": "zero""#), ["edits.json[0], positions", "10", "0 to 9"]),
    (post(#""positions": [-11], "edit": "zero""#), ["edits.json[0], positions", "-11", "-10"]),
    (post(#""positions": [9, -1], "edit": "zero""#), ["position", "twice"]),
    (post(#""positions": [1.5], "edit": "zero""#), ["positions[0]", "a number", "a whole number"]),
    (post(#""positions": "last", "edit": "zero""#), ["positions", "\"last\"", "\"all\""]),
    (post(#""positions": 3, "edit": "zero""#), ["edits.json[0], positions", "a list"]),
    (post(#""positions": [0], "edit": "none""#), ["edits.json[0], edit", "none", "zero", "mean"]),
    (post(#""positions": [0], "edit": {}"#), ["edits.json[0], edit", "0 edits", "scale, add"]),
    (post(#""positions": [0], "edit": {"scale": 1, "add": [1]}"#), ["2 edits"]),
    (post(#""positions": [0], "edit": {"scaled": 1}"#), ["scaled", "scale, add, donor"]),
    (post(#""positions": [0], "edit": {"scale": "2"}"#), ["edit.scale", "a text", "a number"]),
    (post(#""positions": [0], "edit": {"scale": 1e39}"#), ["edit.scale", "too large"]),
    (post(#""positions": [0], "edit": {"add": [1, 2]}"#), ["edit.add", "2 values", "576"]),
    (post(#""positions": [0], "edit": {"add": [1, null]}"#), ["edit.add[1]", "null"]),
    (
      #"[{"hook": "blocks.5.attn.hook_k", "positions": [0], "heads": [2], "edit": {"add": [1]}}]"#,
      ["edit.add", "1 values", "64 for these heads", "192"]
    ),
    (
      #"[{"hook": "blocks.5.attn.hook_z", "positions": [0], "heads": [9], "edit": {"add": [1]}}]"#,
      ["head 9", "0 to 8"]
    ),
    (
      #"[{"hook": "blocks.5.attn.hook_attn_scores", "positions": [0], "edit": "mean"}]"#,
      ["hook", "scores", "blocks.5.attn.hook_pattern"]
    ),
    (
      #"[{"hook": "blocks.5.attn.hook_attn_scores", "positions": [0], "edit": {"donor": {"tokens": [1]}}}]"#,
      ["hook", "scores", "blocks.5.attn.hook_pattern"]
    ),
    (
      #"[{"hook": "blocks.5.attn.hook_pattern", "positions": [0], "edit": {"donor": {"tokens": [1]}}}]"#,
      ["edit.donor.tokens", "1 tokens", "10", "same length"]
    ),
    (post(#""positions": [0], "edit": {"donor": {}}"#), ["edit.donor", "tokens", "missing"]),
    (
      post(#""positions": [0], "edit": {"donor": {"tokens": [1], "text": "a"}}"#),
      ["edit.donor", "both"]
    ),
    (
      post(#""positions": [0], "edit": {"donor": {"text": ""}}"#), ["edit.donor.text", "no tokens"]
    ),
    (
      post(
        #""positions": [0], "edit": {"add": {"file": "/nowhere/v.safetensors", "tensor": "v"}}"#),
      ["/nowhere/v.safetensors"]
    ),
    (
      #"[{"hook": "blocks.5.attn.hook_pattern", "positions": [3], "edit": "mean"}]"#,
      ["edits.json[0], blocks.5.attn.hook_pattern", "key 4", "query 3"]
    ),
    (
      #"[{"hook": "blocks.5.ln1.hook_scale", "positions": [3], "edit": "zero"}]"#,
      ["edits.json[0], blocks.5.ln1.hook_scale", "cannot be 0", "blocks.5.ln1.hook_normalized"]
    ),
    (
      post(#""positions": [0], "edit": {"donor": {"tokens": []}}"#),
      ["edit.donor.tokens", "no tokens"]
    ),
    (
      post(#""positions": [0], "edit": {"donor": {"tokens": [49152]}}"#),
      ["edit.donor.tokens", "49152", "0 to 49151"]
    ),
    (
      post(#""positions": [0], "edit": {"donor": {"tokens": [-5]}}"#),
      ["edit.donor.tokens[0]", "-5"]
    ),
    (
      post(#""positions": [0], "edit": {"donor": {"tokens": [1, 2], "positions": [0, 1]}}"#),
      ["edit.donor.positions", "2 positions", "recipient 1"]
    ),
    (
      post(#""positions": [0], "edit": {"donor": {"tokens": [1, 2], "positions": [2]}}"#),
      ["edit.donor.positions", "position 2", "0 to 1"]
    ),
    (
      post(#""positions": "all", "edit": {"donor": {"tokens": [1, 2]}}"#),
      ["edit.donor", "2 positions", "recipient 10"]
    ),
    (#"[{"knockout": {"keys": [1]}}]"#, ["edits.json[0], knockout", "layers", "missing"]),
    (#"[{"knockout": {"layers": [1], "keys": [1]}}]"#, ["knockout.layers", "[1]", "first"]),
    (#"[{"knockout": {"layers": [3, 1]}}]"#, ["knockout.layers", "[3, 1]"]),
    (#"[{"knockout": {"layers": [-3, 1]}}]"#, ["knockout.layers[0]", "-3"]),
    (#"[{"knockout": {"layers": [3, 30]}}]"#, ["edits.json[0]", "layer 30"]),
    (#"[{"knockout": {"layers": [3, 4], "queries": [10]}}]"#, ["knockout.queries", "10"]),
    (#"[{"knockout": {"layers": [3, 4], "queries": [2], "keys": [3]}}]"#, ["touches nothing"]),
    (#"[{"knockout": {"layers": [3, 4], "heads": [9]}}]"#, ["head 9"]),
    (#"[{"knockout": {"layers": [3, 4], "key": [9]}}]"#, ["unknown key \"key\"", "keys"]),
    (#"[{"knockout": {"layers": [3, 4]}, "edit": "zero"}]"#, ["edits.json[0]", "\"edit\""]),
    ("[{]", ["not valid JSON", "line 1, column 3"]),
  ]

  @Test(arguments: faults.indices)
  func faultsAreNamed(number: Int) throws {
    let (text, parts) = Self.faults[number]
    let error = #expect(throws: UserError.self) { try resolve(text) }
    let line = try #require(error).description
    #expect(line.hasPrefix("edits.json") && !line.contains("\n"), "\(line)")
    for part in parts { #expect(line.contains(part), "\(line) lacks \(part)") }
  }

  @Test func missingFilesAndPromptsAreNamed() throws {
    let error = #expect(throws: UserError.self) {
      try InterventionFile(contentsOf: "/nowhere/edits.json")
    }
    #expect(error?.description.contains("/nowhere/edits.json") == true)
    #expect(throws: UserError.self) {
      try resolve(Self.post(#""positions": "all", "edit": "zero""#), tokens: [])
    }
  }
}
