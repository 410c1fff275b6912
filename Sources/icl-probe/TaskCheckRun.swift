import Foundation
import RuleVectors
import TensorCore
import Terminal
import Transformer

/// `icl-probe tasks check`: what a model makes of tasks, kept in a file.
struct TaskCheckRun {
  static let defaultEpisodes = 32

  private let selection: TaskSelection
  private let shots: [Int]
  private let episodes: Int

  init(_ parsed: ParsedCommand) throws {
    let names = parsed.strings("task")
    selection = try names.isEmpty ? TaskSelection(all: parsed) : TaskSelection(names, parsed)
    shots = try parsed.integers("shots", in: 0...1000) ?? [0, 1, 2, 4, 8, 16]
    guard !shots.isEmpty, Set(shots).count == shots.count else {
      throw UserError("--shots names a number twice", remedy: "name each once", status: .usage)
    }
    episodes = try parsed.integer("episodes", in: 1...100_000) ?? Self.defaultEpisodes
  }

  /// A task in one of its formats.
  private struct Subject {
    let task: RuleTask
    let family: String?
  }

  func callAsFunction(_ parsed: ParsedCommand) throws {
    var subjects: [Subject] = []
    for entry in selection.entries {
      do {
        subjects += try formats(of: selection.load(entry))
          .map { Subject(task: $0, family: entry.family) }
      } catch let error as UserError where selection.entries.count > 1 {
        Notes.write("skipping \(entry.name): \(error)")
      }
    }
    guard !subjects.isEmpty else {
      throw UserError("there is nothing to check", remedy: "see the reasons above")
    }
    let engine = try CommonOptions.engine(parsed)
    let digest = try engine.model.digest(by: ModelStore().digests)
    let laboratory = Laboratory(
      engine: engine, seed: try CommonOptions.seed(parsed), demonstrations: 0,
      beginToken: try CommonOptions.beginToken(parsed, engine.model))
    let setting = TaskCheck.Setting(
      shots: shots, episodes: episodes, seed: laboratory.seed, beginToken: laboratory.beginToken)
    let path =
      parsed.string("out")
      ?? "\(TaskCheck.folder)/\(TaskCheck.fileName(model: engine.model.name, digest: digest))"
    let results = try check(subjects, laboratory, setting, digest: digest, path: path)
    if parsed.flag("json") {
      CommonOptions.print(["file": .string(path), "results": .array(results.map(\.json))])
    } else {
      print(
        TaskCheckText(shots: setting.shots, rows: zip(subjects.map(\.family), results).map { $0 })
          .text(on: .standardOutput), terminator: "")
      print("Results: \(path)")
    }
  }

  /// The task in the format that was asked for, or with each of its templates.
  private func formats(of task: RuleTask) throws -> [RuleTask] {
    guard !selection.hasFormat else { return [task] }
    return try task.formats
      .filter { $0.labels == task.format.labels && $0.language == task.format.language }
      .map { try task.formatted(as: $0) }
  }

  private func check(
    _ subjects: [Subject], _ laboratory: Laboratory, _ setting: TaskCheck.Setting, digest: String,
    path: String
  ) throws -> [TaskCheck.Result] {
    try Files.makeFolder(Files.folder(of: path))
    try LineFile.requireAppendable(path)
    let known = try TaskCheck(contentsOf: path)
    let progress = Progress()
    defer { progress.finish() }
    Interruption.watch()
    // What a prompt costs grows with its demonstrations.
    let cost = setting.shots.reduce(0) { $0 + $1 + 1 }
    return try subjects.enumerated().map { number, subject in
      if let found = known.result(task: subject.task, model: digest, setting: setting) {
        progress.update(
          done: (number + 1) * cost, total: subjects.count * cost, label: subject.task.name)
        return found
      }
      CommonOptions.warn(about: subject.task)
      var done = number * cost
      let result = try laboratory.check(subject.task, setting: setting, digest: digest) { shots in
        try Interruption.check()
        progress.update(
          done: done, total: subjects.count * cost,
          label: "task \(number + 1) of \(subjects.count), \(subject.task.name) "
            + "(\(subject.task.format)), \(shots) demonstrations")
        done += shots + 1
      }
      try MappedFile.requireUnchanged()
      try LineFile.append(result.json, to: path)
      return result
    }
  }
}
