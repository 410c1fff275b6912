import Foundation
import RuleVectors
import TensorCore
import Terminal
import Transformer

/// `icl-probe tasks`: which tasks there are, what a prompt of one looks like, and what a model makes of
/// them.
enum TasksCommand: Command {
  static let specification = CommandSpecification(
    name: "tasks", summary: "List tasks, show one, or check what a model makes of them.",
    discussion: """
      A task is a JSON file in a folder of tasks/, which is its family; wherever a task can be named, \
      a family stands for its tasks. Of a task the first held-out episode is shown, as patch runs it, \
      token by token with roles; positions and demonstrations are counted from 0.

      check asks a model held-out episodes of every task and template: tokens of the answers, answers \
      that begin with the same token, accuracy by demonstrations, and whether that beats guessing. \
      Results are kept in runs/task-checks; what is there is not asked again.
      """,
    arguments: [
      ArgumentSpecification(
        name: "NAME", help: "Task to show or family to list, by name or path; or check.",
        isOptional: true)
    ],
    options: [
      OptionSpecification(
        long: "task", valueName: "NAME",
        help: "The same as NAME; with check, what to check, and may be repeated.",
        defaultText: "all tasks", repeats: true),
      CommonOptions.format, CommonOptions.model,
      OptionSpecification(
        long: "shots", valueName: "N",
        help: "Demonstrations of the example; with check, a list of numbers.",
        defaultText: "12, or 0,1,2,4,8,16"),
      OptionSpecification(
        long: "episodes", valueName: "N", help: "Episodes to check.",
        defaultText: "\(TaskCheckRun.defaultEpisodes)"),
      CommonOptions.seed, CommonOptions.bos, CommonOptions.threads, CommonOptions.memory,
      OptionSpecification(
        long: "out", valueName: "FILE", help: "File of results of check.",
        defaultText: "one for each model in \(TaskCheck.folder)"),
      CommonOptions.json,
    ],
    examples: [
      CommandExample(line: "icl-probe tasks", comment: "what is there"),
      CommandExample(
        line: "icl-probe tasks multi-demo-rule --shots 4", comment: "tokens and their roles"),
      CommandExample(
        line: "icl-probe tasks multi-demo-rule --format question/digits",
        comment: "in another surface form"),
      CommandExample(
        line: "icl-probe tasks check --task knowledge --episodes 20",
        comment: "which tasks the model does"),
    ])

  private static let check = "check"

  static func run(_ parsed: ParsedCommand) throws {
    let argument = parsed.argument("NAME")
    if argument == check {
      try TaskCheckRun(parsed)(parsed)
      return
    }
    try refuse(["episodes", "threads", "memory", "out"], parsed, "check", "add check")
    let names = (argument.map { [$0] } ?? []) + parsed.strings("task")
    guard names.count <= 1 else {
      throw UserError(
        "one task can be shown at a time", remedy: "leave out \(names[1])", status: .usage)
    }
    let selection = try names.isEmpty ? TaskSelection(all: parsed) : TaskSelection(names, parsed)
    guard !selection.isFamily else {
      try refuse(
        ["format", "model", "shots", "seed", "bos"], parsed, "a task",
        "name a task, as icl-probe tasks lists them")
      try list(selection, parsed)
      return
    }
    try show(selection.load(selection.entries[0]), parsed)
  }

  private static func refuse(
    _ options: [String], _ parsed: ParsedCommand, _ missing: String, _ remedy: String
  ) throws {
    for option in options where parsed.flag(option) {
      throw UserError("--\(option) does nothing without \(missing)", remedy: remedy, status: .usage)
    }
  }

  private static func list(_ selection: TaskSelection, _ parsed: ParsedCommand) throws {
    let tasks = try selection.entries.map {
      TaskOverview(task: try $0.load(), family: $0.family)
    }
    if parsed.flag("json") {
      CommonOptions.print(.array(tasks.map { .object($0.json) }))
      return
    }
    let device = TerminalDevice.standardOutput
    print(
      TextTable(
        headers: ["family", "name", "kind", "title", "items", "formats"],
        rows: tasks.map {
          [
            $0.family ?? "", $0.task.name, $0.task.kind.rawValue, $0.task.title, "\($0.itemCount)",
            "\($0.task.formats.count)",
          ]
        }, alignments: [.left, .left, .left, .left, .right, .right]
      ).text(on: device), terminator: "")
  }

  private static func show(_ task: RuleTask, _ parsed: ParsedCommand) throws {
    let shots = try parsed.integer("shots", in: 0...1000) ?? 12
    let seed = try CommonOptions.seed(parsed)
    let episode = try EpisodeSampler(task: task)
      .episode(index: 0, split: .heldOut, demonstrations: shots, seed: seed)
    let model = try CommonOptions.modelIfFetched(parsed)
    let example = try PromptExample(
      episode, of: task, tokenizer: model.map(CommonOptions.tokenizer),
      beginToken: model.flatMap { try CommonOptions.beginToken(parsed, $0) })
    CommonOptions.warn(about: task)
    if let problem = example.problem { CommonOptions.warn(problem) }
    let overview = TaskOverview(task: task, family: nil)
    if parsed.flag("json") {
      CommonOptions.print(.object(overview.detailedJSON + [("example", example.json)]))
      return
    }
    let device = TerminalDevice.standardOutput
    print("\(device.style.bold(task.title)) (\(task.name))")
    print(task.description + "\n")
    for row in overview.details {
      print(row[0].padding(toLength: 12, withPad: " ", startingAt: 0) + row[1])
    }
    print("\n" + example.text(device: device), terminator: example.prompt == nil ? "\n" : "")
  }
}
