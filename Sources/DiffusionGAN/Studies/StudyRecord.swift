import TensorCore

/// Which learning rate the development seeds chose for a cell.
public struct StudyChoice: Sendable, Equatable {
  public struct Candidate: Sendable, Equatable {
    public let learningRate: Double
    /// Mean distance over the development seeds.
    public let distance: Double
  }

  public let cell: String
  public let learningRate: Double
  /// The space of features that distances were compared in.
  public let metric: String
  public let candidates: [Candidate]

  public var json: JSONValue {
    [
      "kind": "choice", "cell": .string(cell), "learning_rate": .number(learningRate),
      "metric": .string(metric),
      "candidates": .array(
        candidates.map {
          ["learning_rate": .number($0.learningRate), "frechet": .number($0.distance)]
        }),
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
      let keys = try reader.object(required: [
        "kind", "cell", "learning_rate", "metric", "candidates",
      ])
      func at(_ key: String) -> JSONReader { keys[key] ?? reader }
      self = .choice(
        StudyChoice(
          cell: try at("cell").string(), learningRate: try at("learning_rate").number(),
          metric: try at("metric").string(),
          candidates: try at("candidates").list().map { reader in
            let keys = try reader.object(required: ["learning_rate", "frechet"])
            return StudyChoice.Candidate(
              learningRate: try keys["learning_rate"]?.number() ?? .nan,
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
