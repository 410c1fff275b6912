import TensorCore

/// Which rate the development seeds chose for a cell.
public struct StudyChoice: Sendable, Equatable {
  public struct Candidate: Sendable, Equatable {
    public let rate: Double
    /// Mean distance over the development seeds.
    public let distance: Double
  }

  public let cell: String
  public let rate: Double
  /// The space of features that distances were compared in.
  public let metric: String
  public let candidates: [Candidate]

  public var json: JSONValue {
    [
      "kind": "choice", "cell": .string(cell), "rate": .number(rate), "metric": .string(metric),
      "candidates": .array(
        candidates.map { ["rate": .number($0.rate), "frechet": .number($0.distance)] }),
    ]
  }
}

/// A line of `results.jsonl`.
public enum StudyRecord: Sendable {
  case snapshot(StudyRow)
  case choice(StudyChoice)
  /// The summary of a frequency analysis.
  case spectrum(cell: String, summary: JSONValue)

  /// - Throws: `UserError` naming the line and the key that is wrong.
  public init(_ reader: JSONReader) throws {
    let kinds = [StudyRow.kind, "choice", "spectrum"]
    let kind = JSONReader(reader.value["kind"], place: "\(reader.place), kind")
    switch try kind.choice(of: kinds) {
    case "choice":
      let keys = try reader.object(required: ["kind", "cell", "rate", "metric", "candidates"])
      func at(_ key: String) -> JSONReader { keys[key] ?? reader }
      self = .choice(
        StudyChoice(
          cell: try at("cell").string(), rate: try at("rate").number(),
          metric: try at("metric").string(),
          candidates: try at("candidates").list().map { reader in
            let keys = try reader.object(required: ["rate", "frechet"])
            return StudyChoice.Candidate(
              rate: try keys["rate"]?.number() ?? .nan,
              distance: try keys["frechet"]?.number() ?? .nan)
          }))
    case "spectrum":
      let keys = try reader.object(required: ["kind", "cell", "summary"])
      self = .spectrum(
        cell: try keys["cell"]?.string() ?? "", summary: keys["summary"]?.value ?? .null)
    default: self = .snapshot(try StudyRow(reader))
    }
  }
}
