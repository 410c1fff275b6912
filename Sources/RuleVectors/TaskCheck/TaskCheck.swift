import Foundation
import Reports
import TensorCore

/// What `icl-probe tasks check` found about tasks and models, kept so that others can ask whether a
/// model does a task before they interpret what a patch does to it.
public struct TaskCheck: Sendable {
  /// Where results lie by default: a file of JSON lines for each model.
  public static let folder = "runs/task-checks"

  public private(set) var results: [Result]

  /// The results of every file in `folder`; none where there is no such folder.
  ///
  /// - Throws: `UserError` naming the line of a result that cannot be read.
  public init(folder: String = TaskCheck.folder) throws {
    let files = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    results = []
    for file in files.sorted() where file.hasSuffix(".jsonl") {
      try read(folder: folder, name: file)
    }
  }

  /// The results of one file; none where there is no such file.
  public init(contentsOf path: String) throws {
    results = []
    try read(folder: Files.folder(of: path), name: URL(fileURLWithPath: path).lastPathComponent)
  }

  private mutating func read(folder: String, name: String) throws {
    try RowFile(folder: folder, name: name).forEachRow { results.append(try Result($0)) }
  }

  /// The name of a model's file: its digest tells apart models that are called alike.
  public static func fileName(model: String, digest: String) -> String {
    let name = model.map { $0.isLetter || $0.isNumber || "-._".contains($0) ? $0 : "-" }
    return "\(String(name))-\(digest.prefix(12)).jsonl"
  }

  /// What is known of a task in its format: of several results that of the most episodes, of these the
  /// latest.
  ///
  /// - Parameter model: SHA-256 of the model.
  public func result(task: RuleTask, model: String) -> Result? {
    results.filter {
      $0.digest == task.digest && $0.format == task.format.name && $0.modelDigest == model
    }.reduce(nil) { best, next in
      next.setting.episodes >= (best?.setting.episodes ?? 0) ? next : best
    }
  }

  /// The result that the same setting gave before, if there is one.
  public func result(task: RuleTask, model: String, setting: Setting) -> Result? {
    results.last {
      $0.digest == task.digest && $0.format == task.format.name && $0.modelDigest == model
        && $0.setting == setting
    }
  }
}

extension TaskCheck {
  /// What decides a result besides the task and the model.
  public struct Setting: Sendable, Equatable {
    /// Numbers of demonstrations, ascending.
    public let shots: [Int]
    public let episodes: Int
    public let seed: UInt64
    public let beginToken: Int?

    public init(shots: [Int], episodes: Int, seed: UInt64, beginToken: Int?) {
      self.shots = shots.sorted()
      self.episodes = episodes
      self.seed = seed
      self.beginToken = beginToken
    }
  }

  /// Accuracy at one number of demonstrations.
  public struct Point: Sendable, Equatable {
    public let shots: Int
    public let episodes: Int
    /// Answers of an episode.
    public let candidates: Int
    /// Episodes in which the right answer beats the other candidates.
    public let right: Int
    /// Episodes in which it is first of all tokens.
    public let first: Int

    /// Share of `right` (Wilson).
    public var candidateAccuracy: Interval { Wilson.interval(successes: right, trials: episodes) }
    /// Share of `first` (Wilson).
    public var accuracy: Interval { Wilson.interval(successes: first, trials: episodes) }
    /// Better than guessing among the candidates: guesses would do as well with a chance of at most
    /// 2.5 % (exact binomial test).
    public var passed: Bool {
      Gate.passes(successes: right, trials: episodes, candidates: candidates)
    }
  }

  /// How the model's tokenizer cuts the answers of a task, each as it follows a query.
  public struct Answers: Sendable, Equatable {
    /// Different answers.
    public let count: Int
    /// Tokens of the shortest and of the longest, and their mean.
    public let fewestTokens: Int
    public let mostTokens: Int
    public let meanTokens: Double
    /// Answers whose first token is that of another answer too.
    public let collisions: Int

    public var areSingleTokens: Bool { mostTokens == 1 }
  }
}
