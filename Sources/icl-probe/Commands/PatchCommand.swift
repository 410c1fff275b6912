import Foundation
import RuleVectors
import TensorCore
import Terminal

/// `icl-probe patch`: runs probes on a task, or on a user's own pairs of prompts.
enum PatchCommand: Command {
  static let specification = CommandSpecification(
    name: "patch", summary: "Patch activations and measure what becomes of the answer.",
    discussion: """
      Runs the experiments of probes/ on a task: the donor is the clean run, the recipient the same \
      prompt under the flipped rule. Or, with --pairs, on prompts of your own: a JSON object a line \
      with the texts "clean" and "corrupted", of one length in tokens, and the answers "right" and \
      "wrong" as they follow, with their space. Results go to runs/NAME-NUMBER; the same command \
      finishes a run that was stopped. Of a family every task has a run of its own; with --out they \
      are folders of that one.
      """,
    options: design + [
      CommonOptions.shard, CommonOptions.out,
      OptionSpecification(long: "again", help: "Start anew even if this run is finished."),
      CommonOptions.json,
    ],
    examples: [
      CommandExample(line: "icl-probe patch --task multi-demo-rule", comment: "the default probes"),
      CommandExample(
        line: "icl-probe patch --task knowledge --probe global-vector",
        comment: "every task of a family"),
      CommandExample(
        line: "icl-probe patch --probe positions --episodes 8", comment: "a quick look"),
      CommandExample(
        line: "icl-probe patch --pairs pairs/indirect-object.jsonl --probe grid",
        comment: "activation patching on pairs of prompts"),
    ])

  /// What is patched, of what and by what: options that `plan` has too.
  static let design = [
    CommonOptions.task, CommonOptions.format,
    OptionSpecification(
      long: "pairs", valueName: "FILE", help: "Pairs of prompts, instead of a task."),
    OptionSpecification(
      long: "probe", valueName: "NAME", help: "Probe by name or path; may be repeated.",
      defaultText: "those that run by default", repeats: true),
    CommonOptions.model,
    OptionSpecification(
      long: "episodes", valueName: "N", help: "Held-out episodes; of pairs, the first N.",
      defaultText: "\(defaultEpisodes), or all pairs"),
    OptionSpecification(
      long: "shots", valueName: "N", help: "Demonstrations of an episode.",
      defaultText: "\(defaultDemonstrations)"),
    OptionSpecification(
      long: "pilot",
      help: "Report development items, to choose a design by before anything is measured."),
    OptionSpecification(
      long: "gate",
      help: "Patch nothing where the model does not do the task better than guessing."),
    CommonOptions.seed, CommonOptions.bos, CommonOptions.threads, CommonOptions.memory,
    OptionSpecification(
      long: "verify", valueName: "N",
      help: "Variants to run again in full; a deviation fails the run.", defaultText: "6"),
  ]

  private static let defaultEpisodes = 32
  private static let defaultDemonstrations = 16

  static func run(_ parsed: ParsedCommand) throws {
    switch try work(parsed) {
    case .pairs(let run): try run(parsed)
    case .tasks(let runs): try runs(parsed)
    }
  }

  /// What is to be run.
  enum Work {
    case pairs(LaboratoryRun)
    case tasks(TaskRuns)
  }

  /// What the options describe.
  static func work(_ parsed: ParsedCommand) throws -> Work {
    let folder = try DataFolders.probes()
    let names = parsed.strings("probe")
    let verifications = try parsed.integer("verify", in: 0...100_000) ?? 6
    let asked = try parsed.integer("episodes", in: 1...100_000)
    if let file = parsed.string("pairs") {
      for option in ["task", "format", "shots", "pilot", "gate"] where parsed.flag(option) {
        throw UserError(
          "--\(option) does nothing with --pairs", remedy: "leave out one of them", status: .usage)
      }
      guard !names.isEmpty else {
        throw UserError(
          "--pairs needs a probe", remedy: "add --probe grid", status: .usage)
      }
      let pairs = try PromptPairs(contentsOf: file)
      return .pairs(
        LaboratoryRun(
          kind: "patch", name: pairs.name, subject: .pairs(pairs),
          probes: try Probe.all(names, in: folder),
          episodes: min(asked ?? pairs.pairs.count, pairs.pairs.count), demonstrations: 0,
          verifications: verifications))
    }
    let tasks = try CommonOptions.tasks(parsed)
    let probes = [try Probe.baseline()] + (try Probe.all(names, in: folder))
    let demonstrations = try parsed.integer("shots", in: 1...1000) ?? defaultDemonstrations
    return .tasks(
      TaskRuns(selection: tasks) { task in
        LaboratoryRun(
          kind: "patch", name: task.name, subject: .task(task), probes: probes,
          episodes: asked ?? defaultEpisodes, demonstrations: demonstrations,
          verifications: verifications, split: parsed.flag("pilot") ? .pilot : .heldOut,
          stopsAtGate: parsed.flag("gate"))
      })
  }
}
