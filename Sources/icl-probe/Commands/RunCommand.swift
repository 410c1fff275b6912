import Foundation
import TensorCore
import Terminal
import Transformer

/// `icl-probe run`: one prompt through the model, with interventions if wanted.
enum RunCommand: Command {
  static let specification = CommandSpecification(
    name: "run", summary: "Run a prompt and show the likeliest next tokens.",
    discussion: """
      A prompt gets the begin token that the model's file puts before texts, and nothing else; \
      --bos changes that, and --show-tokens lists what the model reads. Token ids are taken as they \
      are. Positions below 0 count from the end.
      """,
    options: [CommonOptions.model] + PromptInput.options + [
      OptionSpecification(
        long: "top", valueName: "K", help: "How many next tokens to show.", defaultText: "10"),
      OptionSpecification(
        long: "logits", valueName: "IDS", help: "Show the logits of these tokens too."),
      InterventionOptions.interventions, InterventionOptions.controlVector,
      OptionSpecification(
        long: "hook", valueName: "NAME", help: "Show the activations at this hook point.",
        repeats: true),
      OptionSpecification(
        long: "positions", valueName: "LIST", help: "Positions of --hook, or all.",
        defaultText: "all"),
      OptionSpecification(long: "show-tokens", help: "List the prompt's tokens."),
    ] + GenerationOptions.options + [
      CommonOptions.threads, CommonOptions.memory, CommonOptions.json,
    ],
    examples: [
      CommandExample(
        line: "icl-probe run --escapes --prompt 'dog -> A\\nshirt -> B\\ncat ->' --top 3",
        comment: "what comes after two demonstrations"),
      CommandExample(
        line: "icl-probe run --tokens 22676,4722 --hook blocks.10.hook_resid_post --positions -1",
        comment: "the residual stream at the last position"),
      CommandExample(
        line: "icl-probe run --prompt 'Once upon a time' --generate 40 --temperature 0.8 --seed 3",
        comment: "a text of the model's own"),
    ])

  static func run(_ parsed: ParsedCommand) throws {
    let options = try RunOptions(parsed)
    let generation = try GenerationOptions(parsed)
    let changes = try InterventionOptions.file(parsed)
    let engine = try CommonOptions.engine(parsed)
    let vocabulary = engine.model.architecture.vocabulary
    for id in options.logits where id >= vocabulary {
      throw UserError(
        "token \(id) is not in the vocabulary of \(vocabulary)", at: "option '--logits'",
        remedy: "use ids 0 to \(vocabulary - 1)", status: .usage)
    }
    let tokens = try options.input.tokens(for: engine.model)
    if let warning = options.input.warning { CommonOptions.warn(warning) }
    let positions = try options.recordedPositions(length: tokens.count)
    let interventions = try changes?.resolve(
      for: tokens, engine: engine, tokenize: { try options.input.tokens(of: $0, for: engine.model) }
    )
    let continued =
      generation?.changesEveryToken == true
      ? try continued(changes, interventions ?? [], engine.model.architecture) : nil
    let result = try engine.forward(
      ForwardRequest(
        tokens: tokens, interventions: interventions ?? [],
        recordings: options.hooks.map { Recording($0, positions: positions) },
        logits: LogitRequest(tokens: .all, summarises: true), keepsRun: generation != nil))
    guard let row = result.logits.last, let summary = row.summary else {
      throw UserError("the run gave no logits", at: engine.model.path)
    }
    func candidate(_ id: Int) -> RunReport.Candidate {
      RunReport.Candidate(
        id: id, logit: row.logits[id],
        probability: Float(exp(Double(row.logits[id]) - Double(summary.logSumExp))))
    }
    let json = parsed.flag("json")
    let device = TerminalDevice.standardOutput
    let writer = TokenText(device: device)
    let generated = try generation?.run(engine, after: result, tokens: tokens, changes: continued) {
      // Where nobody waits at a terminal, the text comes in one piece.
      guard !json, device.isTerminal else { return }
      print(writer.running($0), terminator: "")
      fflush(nil)
    }
    try MappedFile.requireUnchanged()
    let report = RunReport(
      model: options.model, tokenizer: engine.model.tokenizer, tokens: tokens,
      top: likeliest(options.top, row.logits).map(candidate),
      asked: options.logits.map(candidate),
      activations: zip(options.hooks, result.recorded).map { hook, tensor in
        RunReport.Activation(
          hook: hook, positions: positions,
          shape: shape(of: tensor, at: hook, engine.model.architecture), values: tensor.values)
      }, generated: generated)
    if json {
      CommonOptions.print(report.json)
      return
    }
    if let generated {
      print(device.isTerminal ? "" : writer.running(generated.text))
      if generated.end == .context {
        Notes.write(
          "the text ends after \(generated.tokens.count) tokens: the model takes "
            + "\(engine.model.architecture.contextLength)")
      }
    }
    print(
      report.text(device: device, showsTokens: options.showsTokens, showsTop: options.showsTop),
      terminator: "")
  }

  /// What of the changes acts on generated tokens.
  private static func continued(
    _ changes: InterventionFile?, _ resolved: [Intervention], _ architecture: Architecture
  ) throws -> ContinuedInterventions {
    guard let changes else {
      throw UserError(
        "--every-token does nothing without --interventions or --control-vector",
        remedy: "add one of them or leave out --every-token", status: .usage)
    }
    return try ContinuedInterventions(changes, resolved: resolved, architecture: architecture)
  }

  /// The `count` largest, the largest first, the lower id first of equals.
  private static func likeliest(_ count: Int, _ logits: [Float]) -> [Int] {
    Array(
      logits.indices.sorted { (logits[$1], $0) < (logits[$0], $1) }.prefix(count))
  }

  /// The recorded tensor's shape with its heads apart.
  private static func shape(
    of tensor: Tensor, at hook: HookPoint, _ architecture: Architecture
  ) -> [Int] {
    guard hook.site.hasHeads, tensor.shape.count == 2 else { return tensor.shape }
    let heads = hook.heads(in: architecture)
    return [tensor.rows, heads, tensor.columns / heads]
  }
}
