import Foundation
import Reports
import RuleVectors
import TensorCore
import Terminal
import Transformer

/// `icl-probe record`: activations of many prompts into a safetensors file.
enum RecordCommand: Command {
  static let specification = CommandSpecification(
    name: "record", summary: "Record activations of many prompts into a safetensors file.",
    discussion: """
      The file has an array for each hook point, with a row for each recorded position of each \
      prompt. Its index, the same name with .json, says of each row which prompt, position and \
      token it is of, and for a task's prompts which role and demonstration. With --minus the means \
      of two files of prompts are taken from each other, block by block, for run --control-vector. \
      Shares of a record (--shard) go to FILE.shares; icl-probe aggregate FILE.shares makes the two \
      files of them.
      """,
    options: [
      CommonOptions.model,
      OptionSpecification(
        long: "hook", valueName: "NAME",
        help: "Hook point, or a pattern such as blocks.*.hook_resid_post.", repeats: true),
      OptionSpecification(
        long: "prompts", valueName: "FILE",
        help: "Prompts: a JSON text, {\"text\": …} or {\"tokens\": […]} a line."),
      OptionSpecification(
        long: "task", valueName: "NAME", help: "Task whose held-out episodes are the prompts."),
      OptionSpecification(
        long: "episodes", valueName: "N", help: "Episodes of --task.", defaultText: "32"),
      OptionSpecification(
        long: "shots", valueName: "N", help: "Demonstrations of --task.", defaultText: "16"),
      OptionSpecification(
        long: "seed", valueName: "N", help: "Seed of the episodes.", defaultText: "0"),
      OptionSpecification(
        long: "positions", valueName: "LIST", help: "Positions to record, or all.",
        defaultText: "all"),
      OptionSpecification(
        long: "roles", valueName: "LIST", help: "Roles of the tokens of --task to record."),
      CommonOptions.bos, CommonOptions.threads, CommonOptions.memory,
      OptionSpecification(
        long: "minus", valueName: "FILE",
        help: "Prompts whose mean residual streams are taken from those of --prompts."),
      OptionSpecification(
        long: "out", valueName: "FILE",
        help: "File to write: FILE.safetensors, or FILE.gguf with --minus."),
      CommonOptions.shard, CommonOptions.json,
    ],
    examples: [
      CommandExample(
        line:
          "icl-probe record --task multi-demo-rule --roles answer,last-separator --hook 'blocks.*.hook_resid_post' --out answers.safetensors",
        comment: "the residual stream where rules may sit"),
      CommandExample(
        line:
          "icl-probe record --prompts prompts.jsonl --hook blocks.3.attn.hook_z --positions -1 --out last.safetensors",
        comment: "one block's heads at the last position"),
      CommandExample(
        line:
          "icl-probe record --prompts glad.jsonl --minus sad.jsonl --positions -1 --out glad.gguf",
        comment: "a control vector"),
    ])

  static func run(_ parsed: ParsedCommand) throws {
    if parsed.flag("minus") { return try recordDifference(parsed) }
    let out = try parsed.requiredString("out")
    guard out.hasSuffix(".safetensors"), out.count > 12 else {
      throw UserError(
        "option '--out' must end in .safetensors, not '\(out)'",
        remedy: "the index goes beside it, with .json", status: .usage)
    }
    let selection = try PositionSelection(parsed)
    guard parsed.flag("hook") else {
      throw UserError(
        "there is nothing to record", remedy: "give --hook NAME", status: .usage)
    }
    guard parsed.flag("prompts") != parsed.flag("task") else {
      throw UserError(
        parsed.flag("task") ? "--prompts and --task are both given" : "there are no prompts",
        remedy: "give --prompts FILE or --task NAME", status: .usage)
    }
    try parsed.refuse("episodes", "shots", "seed", "roles", unless: "task")
    let shard = try CommonOptions.shard(parsed)
    let engine = try CommonOptions.engine(parsed)
    let hooks = try hooks(parsed.strings("hook"), engine.model.architecture)
    let prompts = try prompts(parsed, engine.model)
    let chosen = try prompts.map { try selection.positions(of: $0) }
    let recorded = zip(prompts, chosen).map {
      ActivationFile.Prompt(tokens: $0.tokens, positions: $1)
    }
    let file = try ActivationFile(recorded, at: hooks, engine: engine)
    let shapes = hooks.map { hook in
      (hook.description, JSONValue.array(file.shape(of: hook).map(JSONValue.integer)))
    }
    let index: JSONValue = [
      "model": .string(parsed.string("model") ?? CommonOptions.defaultModel),
      "hooks": .object(shapes), "prompts": .array(prompts.map(\.json)),
      "rows": .array(rows(prompts, chosen, engine.model.tokenizer)),
    ]
    let metadata = ["model": engine.model.path]
    guard shard.isWhole else {
      let share = RecordShare(
        file: file, prompts: recorded, hooks: hooks, engine: engine, index: index,
        metadata: metadata)
      tell(shard, in: try share(shard, out: out), isJSON: parsed.flag("json"))
      return
    }
    let progress = Progress()
    defer { progress.finish() }
    let indexPath = out.dropLast(".safetensors".count) + ".json"
    try file.write(
      to: out, metadata: metadata,
      progress: { progress.update(done: $0, total: prompts.count, label: "prompts") },
      beforeNaming: {
        // An index of what was there before would tell wrong things of what is there now.
        guard unlink(String(indexPath)) == 0 || errno == ENOENT else {
          throw Files.systemError("cannot be replaced", at: String(indexPath))
        }
      })
    try Files.write(Data((index.text + "\n").utf8), to: String(indexPath))
    progress.finish()
    tell(
      SharedActivations.Record(
        file: out, index: String(indexPath), rows: file.rows, hooks: .object(shapes)),
      isJSON: parsed.flag("json"))
  }

  /// Says what was written.
  static func tell(_ written: SharedActivations.Record, isJSON: Bool) {
    if isJSON {
      CommonOptions.print(written.json)
    } else {
      print(
        "\(written.rows) rows of \(written.hooks.pairs.count) hook points: \(written.file), index "
          + written.index)
    }
  }

  private static func tell(_ shard: Shard, in folder: String, isJSON: Bool) {
    if isJSON {
      CommonOptions.print(["run": .string(folder), "shard": .string(shard.description)])
    } else {
      print("When all shares are there: \(LaboratoryRun.reportCommand([folder]))")
    }
  }

  /// Each hook point once, in the order of the options.
  private static func hooks(
    _ patterns: [String], _ architecture: Architecture
  ) throws -> [HookPoint] {
    var seen: Set<HookPoint> = []
    return try patterns.flatMap {
      try HookPoint.matching($0, in: architecture, place: "option '--hook'")
    }.filter { seen.insert($0).inserted }
  }

  private static func prompts(
    _ parsed: ParsedCommand, _ model: LanguageModel
  ) throws -> [PromptSource] {
    let begin = try CommonOptions.beginToken(parsed, model)
    if let path = parsed.string("prompts") {
      return try PromptSource.read(path, model: model, begin: begin)
    }
    return try PromptSource.episodes(
      try parsed.integer("episodes", in: 1...1_000_000) ?? 32,
      shots: try parsed.integer("shots", in: 0...1000) ?? 16,
      of: CommonOptions.loadTask(parsed), seed: CommonOptions.seed(parsed), model: model,
      begin: begin)
  }

  /// One entry a row of the arrays.
  private static func rows(
    _ prompts: [PromptSource], _ chosen: [[Int]], _ tokenizer: any Tokenizer
  ) -> [JSONValue] {
    zip(prompts, chosen).enumerated().flatMap { number, pair in
      let (prompt, positions) = pair
      return positions.map { position -> JSONValue in
        let token = prompt.tokens[position]
        var entry: [(key: String, value: JSONValue)] = [
          ("prompt", .integer(number)), ("position", .integer(position)),
          ("token", .integer(token)), ("text", .string(tokenizer.decode([token]))),
        ]
        if let roles = prompt.roles { entry.append(("role", .string(roles[position].rawValue))) }
        if let demonstrations = prompt.demonstrations {
          entry.append(
            ("demonstration", demonstrations[position].map(JSONValue.integer) ?? .null))
        }
        return .object(entry)
      }
    }
  }
}
