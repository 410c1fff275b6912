import Foundation
import Reports
import RuleVectors
import TensorCore
import Terminal
import Transformer

/// Options that several commands share, and what they mean.
enum CommonOptions {
  static let defaultModel = "smollm2"
  /// Of `--memory`, in MB.
  static let defaultMemory = 1024
  static let model = OptionSpecification(
    long: "model", short: "m", valueName: "NAME",
    help: "Model by name or path.", defaultText: defaultModel)
  static let defaultTask = "multi-demo-rule"
  static let task = OptionSpecification(
    long: "task", valueName: "NAME",
    help: "Task or family of tasks, by name or path.", defaultText: defaultTask)
  static let format = OptionSpecification(
    long: "format", valueName: "NAMES",
    help: "Template, label set and language of the task, by name: question/digits.",
    defaultText: "the task's first")
  static let threads = OptionSpecification(
    long: "threads", short: "t", valueName: "N",
    help: "Threads to use; results do not depend on it.", defaultText: "all processors")
  static let seed = OptionSpecification(
    long: "seed", valueName: "N", help: "Seed of everything random.", defaultText: "0")
  static let memory = OptionSpecification(
    long: "memory", valueName: "MB",
    help: "Memory for all activations, in MB; weights stay in the file.",
    defaultText: "\(defaultMemory)")
  static let out = OptionSpecification(
    long: "out", valueName: "FOLDER", help: "Folder to write to, instead of a numbered one.")
  static let bos = bos(default: .auto)
  static let shard = OptionSpecification(
    long: "shard", valueName: "I/N",
    help: """
      Compute the I-th of N shares of the run; aggregate merges them. In a Slurm array, by default, the \
      task's.
      """, defaultText: "1/1")
  static let json = OptionSpecification(long: "json", help: "Print JSON for scripts.")

  static func bos(default choice: BeginTokenChoice) -> OptionSpecification {
    OptionSpecification(
      long: "bos", valueName: "CHOICE",
      help: "Begin token before the text: as the model's file says, in any case, or none.",
      defaultText: choice.rawValue, choices: BeginTokenChoice.allCases.map(\.rawValue))
  }

  /// The token that `--bos` puts before a text of `model`, or nil for none.
  static func beginToken(
    _ parsed: ParsedCommand, _ model: LanguageModel, default choice: BeginTokenChoice = .auto
  ) throws -> Int? {
    let chosen = parsed.string("bos").flatMap(BeginTokenChoice.init(rawValue:))
    return try (chosen ?? choice).token(for: model)
  }

  static func threads(_ parsed: ParsedCommand) throws -> Int {
    try parsed.integer("threads", in: 1...1024) ?? ThreadPool.processors
  }

  static func seed(_ parsed: ParsedCommand) throws -> UInt64 {
    UInt64(try parsed.integer("seed", in: 0...Int.max) ?? 0)
  }

  /// The share of the run that this process does.
  ///
  /// - Throws: `UserError` for no share, and for `--again` with one: tasks of an array begin at different
  ///   times, so that none can know whether what it finds is the others' beginning or to be replaced.
  static func shard(_ parsed: ParsedCommand) throws -> Shard {
    let named = try parsed.string("shard").map { try Shard(parsing: $0) }
    let shard =
      try named ?? Shard(arrayTask: ProcessInfo.processInfo.environment) ?? .whole
    if named == nil, shard.arrayMinimum != nil {
      Notes.write("share \(shard), by SLURM_ARRAY_TASK_ID; --shard 1/1 is the whole run")
    }
    guard shard.isWhole || !(parsed.declares("again") && parsed.flag("again")) else {
      throw UserError(
        "--again does not go with shares", remedy: "name a new folder with --out", status: .usage)
    }
    return shard
  }

  static func loadModel(_ parsed: ParsedCommand) throws -> LanguageModel {
    let model = try LanguageModel(
      path: ModelStore().resolve(parsed.string("model") ?? defaultModel))
    for note in model.notes { Notes.write("note: \(model.path): \(note)") }
    if let unused = model.unusedSummary { warn("\(model.path): \(unused)") }
    return model
  }

  /// The model that the options name, ready to run.
  static func engine(_ parsed: ParsedCommand) throws -> Engine {
    let model = try loadModel(parsed)
    let megabytes = try parsed.integer("memory", in: 8...1_000_000) ?? defaultMemory
    let engine = Engine(model: model, threads: try threads(parsed), memory: megabytes << 20)
    try engine.checkModel()
    return engine
  }

  static func loadTask(_ parsed: ParsedCommand) throws -> RuleTask {
    try RuleTask(named: parsed.string("task") ?? defaultTask, in: DataFolders.tasks())
  }

  /// The tasks that `--task` stands for.
  static func tasks(_ parsed: ParsedCommand) throws -> TaskSelection {
    try TaskSelection([parsed.string("task") ?? defaultTask], parsed)
  }

  /// The tokenizer of a model that is to read or write text.
  static func tokenizer(of model: LanguageModel) throws -> any Tokenizer {
    if let tokenizer = model.tokenizer as? NonEncodingTokenizer { throw tokenizer.problem }
    return model.tokenizer
  }

  /// The model that the options name, or nil, with a note, where it only needs fetching.
  static func modelIfFetched(_ parsed: ParsedCommand) throws -> LanguageModel? {
    do {
      return try loadModel(parsed)
    } catch let error as UserError {
      let name = parsed.string("model") ?? defaultModel
      guard let entry = try? ModelCatalogue().entry(named: name),
        !ModelStore().isFetched(entry)
      else { throw error }
      Notes.write("tokens are not shown: \(error)")
      return nil
    }
  }

  /// Tells what about a task is likely a mistake.
  static func warn(about task: RuleTask) {
    for warning in task.template.warnings { warn(warning) }
  }

  static func warn(_ line: String) { Notes.write("warning: \(line)") }

  static func print(_ value: JSONValue) { Swift.print(value.text) }
}

/// Where tasks and probes lie.
enum DataFolders {
  static func tasks() throws -> String { try DataFolder.find("tasks") }
  static func probes() throws -> String { try DataFolder.find("probes") }
}
