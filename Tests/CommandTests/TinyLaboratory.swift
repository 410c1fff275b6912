import Foundation
import Testing

/// A folder with a random model of three layers that reads bytes, a task of either family, pairs of
/// prompts, and a probe of every kind: everything that a laboratory needs, in milliseconds a run.
struct TinyLaboratory {
  let scratch: Scratch

  init() throws {
    scratch = try Scratch()
    for folder in ["tiny", "tasks", "probes"] {
      try FileManager.default.createDirectory(
        atPath: scratch.file(folder), withIntermediateDirectories: true)
    }
    let resources = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("../TransformerTests/Resources/tiny").standardized.path
    for file in ["llama_gqa/config.json", "llama_gqa/model.safetensors", "tokenizer.json"] {
      try FileManager.default.copyItem(
        atPath: "\(resources)/\(file)",
        toPath: scratch.file("tiny/\(URL(fileURLWithPath: file).lastPathComponent)"))
    }
    let template = #""template": {"demonstration": "{input} -> {label}\n", "query": "{input} ->"}"#
    let dummies = "\"dummies\": \(Self.list(Self.syllables("mn")))"
    try scratch.write(
      "tasks/small.json",
      """
      {"name": "small", "title": "Small", "description": "For tests.", "family": "categorization",
       \(template), "labels": ["A", "B"],
       "classes": {"first": \(Self.list(Self.syllables("bdf"))),
                   "second": \(Self.list(Self.syllables("ghk")))}, \(dummies)}
      """)
    let pairs = zip(Self.syllables("rstlj"), Self.syllables("vwxyz")).map { Self.list([$0, $1]) }
    try scratch.write(
      "tasks/known.json",
      """
      {"name": "known", "title": "Known", "description": "For tests.", "family": "mapping",
       \(template), "pairs": [\(pairs.joined(separator: ", "))], \(dummies)}
      """)
    for (name, keys) in Self.probes + Self.further { try probe(name, keys) }
  }

  /// Every kind, and every way of it.
  static let probes = [
    (
      "sweep",
      #""experiment": "layer-sweep", "donor": "clean", "positions": ["answers", "last", "inputs"], "layers": {"every": 2}, "#
        + choice
    ),
    (
      "swapped",
      #""experiment": "layer-sweep", "donor": "swapped-slots", "positions": ["answers"], "# + choice
    ),
    (
      "pairs",
      #""experiment": "aggregation", "donor": "clean", "players": "pairs", "permutations": 2, "#
        + choice
    ),
    (
      "singles",
      #""experiment": "aggregation", "donor": "swapped-slots", "players": "demonstrations", "permutations": 2, "#
        + choice
    ),
    (
      "vector",
      #""experiment": "global-vector", "donors": 2, "development": 2, "layers": [0, 2], "controls": ["known"], "control_shots": 3"#
    ),
    ("curve", #""experiment": "shot-curve", "shots": [0, 2, 4]"#),
    ("heads", #""experiment": "grid", "sites": ["resid_pre", "z", "pattern"], "layers": [0, 2]"#),
  ]

  /// Kinds whose results are not all means over episodes.
  static let further = [
    (
      "estimates",
      #""experiment": "attribution", "sites": ["resid_pre", "z", "pattern"], "layers": "all", "share": 1, "top": 2, "steps": 2"#
    ),
    ("flow", #""experiment": "saliency", "window": 2"#),
    ("cut", #""experiment": "knockout", "window": 2, "development": 2"#),
    (
      "fit",
      #""experiment": "fitted-vector", "layers": [0, 1], "fitted": 4, "tested": 2, "donors": 2, "development": 2, "steps": 3, "controls": ["known"], "control_shots": 3"#
    ),
  ]

  static let choice =
    #""layer": {"donor": "swapped-slots", "positions": "answers", "episodes": 2}"#

  private static func syllables(_ consonants: String) -> [String] {
    consonants.flatMap { consonant in "aeiou".map { "\(consonant)\($0)" } }
  }

  private static func list(_ words: [String]) -> String {
    "[" + words.map { "\"\($0)\"" }.joined(separator: ", ") + "]"
  }

  func probe(_ name: String, _ keys: String) throws {
    try scratch.write(
      "probes/\(name).json",
      "{\"name\": \"\(name)\", \"title\": \"Title of \(name)\", \"question\": \"Q?\", \(keys)}")
  }

  /// Runs a command that is expected to succeed.
  func succeed(_ arguments: [String], sourceLocation: SourceLocation = #_sourceLocation) throws
    -> Program.Result
  {
    let result = try Program.run(arguments, folder: scratch)
    #expect(result.status == 0, "\(result.err)", sourceLocation: sourceLocation)
    return result
  }

  /// A patch run of `probes` on the categorization.
  func patch(
    _ probes: [String], out: String, _ more: String...,
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws -> Program.Result {
    try succeed(arguments(probes, out: out) + more, sourceLocation: sourceLocation)
  }

  func arguments(
    _ probes: [String], out: String, task: String = "small", shots: Int = 4, episodes: Int = 2
  ) -> [String] {
    [
      "patch", "--model", "tiny", "--task", task, "--shots", "\(shots)", "--episodes",
      "\(episodes)", "--out", out,
    ] + probes.flatMap { ["--probe", $0] }
  }

  /// Lines of a run's rows.
  func lines(_ folder: String) throws -> [Substring] {
    try scratch.read("\(folder)/rows.jsonl").split(separator: "\n")
  }

  /// Whether every unit of a run's rows has as many rows as it says.
  func hasWholeUnits(_ folder: String) throws -> Bool {
    let rows = try lines(folder).map { try JSON(String($0)) }
    let units = Dictionary(grouping: rows) { $0["unit"]?.text ?? "" }
    return units.values.allSatisfy { rows in
      rows.allSatisfy { $0["unit_rows"]?.whole == rows.count }
    }
  }

  /// Makes a run look as if it had never come to its end.
  func unfinish(_ folder: String) throws {
    var manifest = try scratch.read("\(folder)/manifest.json")
    manifest.replace(/"finished": "[^"]*"/, with: "\"finished\": null")
    try scratch.write("\(folder)/manifest.json", manifest)
  }
}
