import Foundation
import RuleVectors
import TensorCore
import Terminal
import Transformer

/// `icl-probe tasks`: which tasks there are, and what a prompt of one looks like.
enum TasksCommand: Command {
  static let specification = CommandSpecification(
    name: "tasks", summary: "List tasks, or show one with an example prompt.",
    discussion: """
      A task is a JSON file in tasks/. The example is the first held-out episode, as patch runs it, \
      token by token with roles; positions and demonstrations are counted from 0.
      """,
    arguments: [
      ArgumentSpecification(
        name: "NAME", help: "Task to show, by name or path of its file.", isOptional: true)
    ],
    options: [
      CommonOptions.model,
      OptionSpecification(
        long: "shots", valueName: "N", help: "Demonstrations of the example.", defaultText: "12"),
      CommonOptions.seed, CommonOptions.bos, CommonOptions.json,
    ],
    examples: [
      CommandExample(line: "icl-probe tasks", comment: "what is there"),
      CommandExample(
        line: "icl-probe tasks multi-demo-rule --shots 4", comment: "tokens and their roles"),
    ])

  static func run(_ parsed: ParsedCommand) throws {
    if let name = parsed.argument("NAME") {
      try show(name, parsed)
    } else {
      for option in ["model", "shots", "seed", "bos"] where parsed.flag(option) {
        throw UserError(
          "--\(option) does nothing without a task",
          remedy: "name a task, as icl-probe tasks lists them", status: .usage)
      }
      try list(parsed)
    }
  }

  private static func list(_ parsed: ParsedCommand) throws {
    let tasks = try TaskLibrary(folder: DataFolders.tasks()).entries.map {
      TaskOverview(task: try $0.load())
    }
    if parsed.flag("json") {
      CommonOptions.print(.array(tasks.map { .object($0.json) }))
      return
    }
    let device = TerminalDevice.standardOutput
    print(
      TextTable(
        headers: ["name", "kind", "title", "items", "labels"],
        rows: tasks.map {
          [
            $0.task.name, $0.task.kind.rawValue, $0.task.title, "\($0.itemCount)",
            $0.labels.joined(separator: " "),
          ]
        }, alignments: [.left, .left, .left, .right, .left]
      ).text(on: device), terminator: "")
  }

  private static func show(_ name: String, _ parsed: ParsedCommand) throws {
    let shots = try parsed.integer("shots", in: 0...1000) ?? 12
    let seed = try CommonOptions.seed(parsed)
    let task = try RuleTask(named: name, in: DataFolders.tasks())
    let episode = try EpisodeSampler(task: task)
      .episode(index: 0, split: .heldOut, demonstrations: shots, seed: seed)
    let model = try CommonOptions.modelIfFetched(parsed)
    let example = try PromptExample(
      episode, of: task, tokenizer: model.map(CommonOptions.tokenizer),
      beginToken: model.flatMap { try CommonOptions.beginToken(parsed, $0) })
    CommonOptions.warn(about: task)
    if let problem = example.problem { CommonOptions.warn(problem) }
    let overview = TaskOverview(task: task)
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
