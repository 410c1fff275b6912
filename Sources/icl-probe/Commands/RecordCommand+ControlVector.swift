import TensorCore
import Terminal
import Transformer

extension RecordCommand {
  /// `--minus`: the difference of two sets of prompts as a control vector.
  static func recordDifference(_ parsed: ParsedCommand) throws {
    let out = try parsed.requiredString("out")
    guard out.hasSuffix(".gguf"), out.count > 5 else {
      throw UserError(
        "option '--out' must end in .gguf with --minus, not '\(out)'",
        remedy: "the difference is a control vector", status: .usage)
    }
    for option in ["hook", "task", "roles", "shard"] where parsed.flag(option) {
      throw UserError(
        "--\(option) does nothing with --minus",
        remedy: option == "shard"
          ? "leave it out: the means are one piece of work"
          : "leave it out: the residual stream after each block is taken", status: .usage)
    }
    let selection = try PositionSelection(parsed)
    guard let path = parsed.string("prompts"), let other = parsed.string("minus") else {
      throw UserError("there are no prompts", remedy: "give --prompts FILE", status: .usage)
    }
    let engine = try CommonOptions.engine(parsed)
    let begin = try CommonOptions.beginToken(parsed, engine.model)
    func prompts(_ path: String) throws -> [ActivationFile.Prompt] {
      try PromptSource.read(path, model: engine.model, begin: begin).map {
        ActivationFile.Prompt(tokens: $0.tokens, positions: try selection.positions(of: $0))
      }
    }
    let (towards, away) = (try prompts(path), try prompts(other))
    let progress = Progress()
    defer { progress.finish() }
    let vector = try ControlVector(towards: towards, away: away, engine: engine) { done in
      progress.update(done: done, total: towards.count + away.count, label: "prompts")
    }
    try MappedFile.requireUnchanged()
    try vector.write(to: out, family: engine.model.architecture.family)
    progress.finish()
    if parsed.flag("json") {
      CommonOptions.print([
        "file": .string(out), "layers": .array(vector.directions.map { .integer($0.layer) }),
      ])
    } else {
      print("\(vector.directions.count) directions: \(out)")
    }
  }
}
