import Foundation
import TensorCore

/// An experiment as data: `probes/NAME.json`.
public struct Probe: Sendable {
  public let name: String
  public let title: String
  /// The question that the experiment answers.
  public let question: String
  /// Whether it runs where no probe is named.
  public let runsByDefault: Bool
  public let experiment: AnyExperiment
  /// The file's content, kept with a run so that its report needs nothing else.
  public let definition: JSONValue
  /// The file, for messages.
  public let place: String

  /// Reads `path`.
  public init(contentsOf path: String) throws {
    try self.init(JSONReader(contentsOf: path))
    guard !name.hasPrefix(LayerChoice.prefix), name != Self.baselineName else {
      throw UserError(
        "the name \"\(name)\" is taken", at: "\(path), name", remedy: "choose another")
    }
    let file = URL(fileURLWithPath: path).deletingPathExtension().lastPathComponent
    guard file == name else {
      throw UserError(
        "the probe is called \"\(name)\" in a file called \"\(file)\"", at: path,
        remedy: "use one name for both")
    }
  }

  /// - Throws: `UserError` with the key, what was found and what is allowed.
  init(_ reader: JSONReader) throws {
    let keys = try ProbeKeys(reader)
    name = try keys.text("name")
    guard !name.isEmpty, name.allSatisfy({ $0.isLetter || $0.isNumber || "-_.".contains($0) })
    else {
      throw UserError(
        "the name \"\(name)\" has characters that a file name should not have",
        at: "\(reader.place), name", remedy: "use letters, digits, - and _")
    }
    title = try keys.text("title")
    question = try keys.text("question")
    runsByDefault = try keys.reader("default")?.bool() ?? true
    let kind = try keys.required("experiment").choice(of: ExperimentRegistry.names)
    experiment = try ExperimentRegistry.read(keys, kind: kind)
    definition = reader.value
    place = reader.place
  }

  /// SHA-256 of what the probe says, whatever its file's layout.
  public var definitionDigest: String { SHA256.hash(of: Data(definition.text.utf8)) }

  /// A probe that a run kept, or that needs no file.
  init(definition: JSONValue, place: String) throws {
    try self.init(JSONReader(definition, place: place))
  }

  private static let baselineName = "baseline"

  /// The unpatched prompts of every patch run: does the model do the task at all?
  public static func baseline() throws -> Probe {
    try Probe(
      definition: [
        "name": .string(baselineName), "title": "Does the model do the task?",
        "question": "How often is the right answer ahead without any patch?",
        "experiment": .string(ShotCurve.kind),
      ], place: baselineName)
  }

  /// Accuracy at several numbers of demonstrations.
  public static func accuracy(shots: [Int]) throws -> Probe {
    try Probe(
      definition: [
        "name": "accuracy", "title": "Accuracy against the number of demonstrations",
        "question": "Is the rule defined by one demonstration or by many?",
        "experiment": .string(ShotCurve.kind), "shots": .array(shots.map(JSONValue.integer)),
      ], place: "accuracy")
  }

  /// Reads a probe by name from `folder`, or by path.
  public init(named name: String, in folder: String) throws {
    guard !name.contains("/"), !name.hasSuffix(".json") else {
      try self.init(contentsOf: name)
      return
    }
    let known = try Self.names(in: folder)
    guard known.contains(name) else {
      throw UserError(
        "no probe is called \"\(name)\"", at: folder,
        remedy: "known are: \(known.joined(separator: ", "))", status: .usage)
    }
    try self.init(contentsOf: "\(folder)/\(name).json")
  }

  /// Names of the probes in `folder`, sorted.
  public static func names(in folder: String) throws -> [String] {
    do {
      return try FileManager.default.contentsOfDirectory(atPath: folder)
        .filter { $0.hasSuffix(".json") }.map { String($0.dropLast(5)) }.sorted()
    } catch {
      throw UserError(
        "the folder of probes cannot be read", at: folder,
        remedy: "run in the project's folder, or name a probe's file")
    }
  }

  /// The probes that `names` say, or all that run by default, in the registry's order.
  ///
  /// - Throws: `UserError` for one that is named twice.
  public static func all(_ names: [String], in folder: String) throws -> [Probe] {
    let probes =
      names.isEmpty
      ? try Self.names(in: folder).map { try Probe(named: $0, in: folder) }.filter(\.runsByDefault)
      : try names.map { try Probe(named: $0, in: folder) }
    for (index, probe) in probes.enumerated()
    where probes[..<index].contains(where: { $0.name == probe.name }) {
      throw UserError(
        "two probes are called \"\(probe.name)\"", at: probe.place,
        remedy: "name each probe once, and give different ones different names", status: .usage)
    }
    return probes.enumerated().sorted {
      (ExperimentRegistry.rank($0.element.experiment.kind), $0.offset)
        < (ExperimentRegistry.rank($1.element.experiment.kind), $1.offset)
    }.map(\.element)
  }
}
