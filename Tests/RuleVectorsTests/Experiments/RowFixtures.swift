import Foundation
import TensorCore
import Transformer

@testable import RuleVectors

/// Rows as runs would hold them, made of numbers that a test chooses.
enum RowFixtures {
  /// A measurement of which only the logit difference matters.
  static func measurement(_ logitDifference: Double, isTop: Bool = true) -> RuleVectors.Measurement
  {
    RuleVectors.Measurement(
      logitDifference: Float(logitDifference), probability: 0.5, isTop: isTop, divergence: 0.25)
  }

  /// A patch that moves the logit difference by `effect`, where full recovery would move it by `gap`.
  static func outcome(effect: Double, gap: Double, recipient: Double = -2) -> Outcome {
    Outcome(
      patched: measurement(recipient + effect), donor: Float(recipient + gap),
      recipient: Float(recipient))
  }

  /// The logit difference by vectors of the flipped rule, for half the difference to the same donor's to be `effect`.
  static func flipped(effect: Double, recipient: Double = -2) -> Float { Float(recipient - effect) }

  /// The rows of one unit, as a run stores them.
  static func stored<Kind: RowKind>(
    _ kind: Kind.Type, probe: String, task: String = "small", split: Split = .heldOut,
    episode: Int, part: String? = nil, _ rows: [Kind.Row]
  ) -> [StoredRow] {
    let unit = Unit(
      kind, UnitKey(probe: probe, task: task, split: split, episode: episode, part: part), cost: 1,
      compute: { _, _ in rows })
    return rows.map { StoredRow($0, of: unit, model: "tiny", unitRows: rows.count) }
  }

  /// The row as it comes back from a file.
  static func readAgain(_ row: StoredRow) throws -> StoredRow {
    let value = try JSONValue(parsing: Data(row.json.text.utf8), place: "rows.jsonl:1")
    return try StoredRow(JSONReader(value, place: "rows.jsonl:1"))
  }

  static func reader(_ text: String, place: String = "probes/x.json") throws -> JSONReader {
    JSONReader(try JSONValue(parsing: Data(text.utf8), place: place), place: place)
  }

  static func probe(_ name: String, _ keys: String) throws -> Probe {
    try Probe(
      reader("{\"name\": \"\(name)\", \"title\": \"T\", \"question\": \"Q?\", \(keys)}"))
  }

  /// Unpatched prompts of the run's own number of demonstrations, of which `right` are right.
  static func baseline(
    episodes: Int, right: Int, shots: Int = 4, task: String = "small"
  ) -> [StoredRow] {
    stored(
      ShotCurve.self, probe: "baseline", task: task, episode: 0, part: "\(shots)-shots",
      (0..<episodes).map {
        ShotCurveRow(episode: $0, shots: shots, measurement: measurement($0 < right ? 1 : -1))
      })
  }

  static func findings(
    _ probe: String = "p", task: String = "small", shared: [StoredRow] = []
  ) -> Findings {
    Findings(
      probe: probe, title: "T", task: task, model: "tiny", examples: [], shared: shared,
      stem: probe, seed: 0)
  }
}

/// The experiment that a probe's own keys describe.
func experiment<Kind: Experiment>(_ kind: Kind.Type, _ keys: String) throws -> Kind {
  try Kind(ProbeKeys(RowFixtures.reader("{\(keys)}")))
}

/// Normal numbers of a stream of their own.
func normals(_ count: Int, _ path: UInt64...) -> [Double] {
  var random = RandomStream(seed: 77, path: path)
  return (0..<count).map { _ in Double(random.normal()) }
}

/// Three standard errors of a share of `simulations` about `chance`.
func threeErrors(_ chance: Double, _ simulations: Int) -> Double {
  3 * (chance * (1 - chance) / Double(simulations)).squareRoot()
}
