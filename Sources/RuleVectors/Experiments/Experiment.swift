import TensorCore
import Transformer

/// Rows of one meaning.
public protocol RowKind {
  associatedtype Row: ResultRow
  /// The word in rows and, of an experiment, in probe files.
  static var kind: String { get }
  /// Raised whenever rows mean something else than before.
  static var version: Int { get }
}

/// A kind of experiment: what its probe files say, which units of work it makes of one, and what a
/// report says of their rows.
///
/// A new kind is a folder beside this file and a line in `ExperimentRegistry`.
public protocol Experiment: RowKind, Sendable {
  /// Reads the experiment's own keys; keys that are not read are errors.
  init(_ keys: ProbeKeys) throws
  /// The units of one probe on one subject, or the reason why there are none.
  func plan(_ probe: String, _ setting: Setting) throws -> Plan
  /// What the rows of one probe on one subject say.
  func section(_ rows: [Record<Row>], _ findings: Findings) throws -> Section
}

/// What an experiment would do.
public enum Plan: Sendable {
  case units([Unit])
  /// The subject does not allow it, for this reason.
  case skipped(String)
}

/// What a run is of, as far as plans depend on it.
public struct Setting: Sendable {
  public let subject: Subject
  /// Episodes that are reported.
  public let episodes: Int
  /// What they are of: held-out items, or, in a pilot, development items.
  public let split: Split
  /// Demonstrations of an episode.
  public let demonstrations: Int
  public let architecture: Architecture
  public let tokenizer: any Tokenizer
  /// Tokens of a typical prompt.
  public let tokens: Int
  /// Other tasks by name: positive controls.
  let findTask: @Sendable (String) throws -> RuleTask

  public init(
    subject: Subject, episodes: Int, split: Split = .heldOut, demonstrations: Int,
    architecture: Architecture, tokenizer: any Tokenizer, tokens: Int,
    findTask: @escaping @Sendable (String) throws -> RuleTask
  ) {
    self.subject = subject
    self.episodes = episodes
    self.split = split
    self.demonstrations = demonstrations
    self.architecture = architecture
    self.tokenizer = tokenizer
    self.tokens = tokens
    self.findTask = findTask
  }

  /// Row-layers of a whole run.
  var wholeRun: Int { tokens * architecture.layers }

  /// Row-layers of a variant that changes something after `layer` and reads the last position.
  func above(_ layer: Int) -> Int { tokens * (architecture.layers - 1 - layer) }
}

/// What a section may know besides its own rows.
public struct Findings: Sendable {
  /// The probe's own name: whatever a section names carries it.
  public let probe: String
  public let title: String
  public let task: String
  public let model: String
  /// Prompts of the run, to show values over their tokens.
  let examples: [ExamplePrompt]
  /// Rows of units that probes share, such as those that choose a layer.
  let shared: [StoredRow]
  /// Answers of an episode, as the run's unpatched prompts say; 2 where there are none.
  var candidates = 2
  /// Begins the names of the section's figures.
  public let stem: String
  /// Of permutations.
  public let seed: UInt64

  /// Shared rows of one pseudo-probe on this task.
  func rows<Row: ResultRow>(of probe: String, as type: Row.Type = Row.self) throws -> [Record<Row>]
  {
    try shared.filter { $0.key.probe == probe && $0.key.task == task }.map { try Record($0) }
  }
}

/// A probe's experiment, whatever its kind.
public struct AnyExperiment: Sendable {
  public let kind: String
  public let version: Int
  private let planner: @Sendable (String, Setting) throws -> Plan
  private let reporter: @Sendable ([StoredRow], Findings) throws -> Section

  init<Kind: Experiment>(_ experiment: Kind) {
    kind = Kind.kind
    version = Kind.version
    planner = { try experiment.plan($0, $1) }
    reporter = { rows, findings in
      try experiment.section(rows.map { try Record<Kind.Row>($0) }, findings)
    }
  }

  func plan(_ probe: String, _ setting: Setting) throws -> Plan { try planner(probe, setting) }

  /// - Throws: `UserError` for rows of another version of the experiment.
  func section(_ rows: [StoredRow], _ findings: Findings) throws -> Section {
    for row in rows where row.version != version {
      throw UserError(
        "rows of \(kind) have version \(row.version), this program reads \(version)",
        at: row.columns.place, remedy: "run the probe again")
    }
    return try reporter(rows, findings)
  }
}
