import Foundation
import TensorCore
import Terminal
import Transformer

/// `icl-probe run`: one prompt through the model, with interventions if wanted.
enum RunCommand: Command {
  static let specification = CommandSpecification(
    name: "run", summary: "Run a prompt and show the likeliest next tokens.",
    discussion: """
      Nothing is added to the prompt, no begin token and no space; --show-tokens lists what the \
      model reads. Positions below 0 count from the end.
      """,
    options: [
      CommonOptions.model,
      OptionSpecification(
        long: "prompt", short: "p", valueName: "TEXT", help: "Prompt, taken literally."),
      OptionSpecification(
        long: "escapes", help: "Let \\n, \\t and \\\\ in the prompt stand for their characters."),
      OptionSpecification(
        long: "special", help: "Let the text of control tokens become these tokens."),
      OptionSpecification(long: "tokens", valueName: "IDS", help: "Token ids instead of a prompt."),
      OptionSpecification(
        long: "top", valueName: "K", help: "How many next tokens to show.", defaultText: "10"),
      OptionSpecification(
        long: "logits", valueName: "IDS", help: "Show the logits of these tokens too."),
      OptionSpecification(
        long: "interventions", valueName: "FILE",
        help: "JSON list of changes to the forward pass."),
      OptionSpecification(
        long: "hook", valueName: "NAME", help: "Show the activations at this hook point.",
        repeats: true),
      OptionSpecification(
        long: "positions", valueName: "LIST", help: "Positions of --hook, or all.",
        defaultText: "all"),
      OptionSpecification(long: "show-tokens", help: "List the prompt's tokens."),
      CommonOptions.threads, CommonOptions.json,
    ],
    examples: [
      CommandExample(
        line: "icl-probe run --escapes --prompt 'dog -> A\\nshirt -> B\\ncat ->' --top 3",
        comment: "what comes after two demonstrations"),
      CommandExample(
        line: "icl-probe run --tokens 22676,4722 --hook blocks.10.hook_resid_post --positions -1",
        comment: "the residual stream at the last position"),
    ])

  static func run(_ parsed: ParsedCommand) throws {
    let options = try RunOptions(parsed)
    let changes = try options.interventions.map { try InterventionFile(contentsOf: $0) }
    let engine = try CommonOptions.engine(parsed)
    let vocabulary = engine.model.architecture.vocabulary
    for id in options.logits where id >= vocabulary {
      throw UserError(
        "token \(id) is not in the vocabulary of \(vocabulary)", at: "option '--logits'",
        remedy: "use ids 0 to \(vocabulary - 1)", status: .usage)
    }
    let tokens = try options.tokens(for: engine.model)
    let positions = try options.recordedPositions(length: tokens.count)
    let result = try engine.forward(
      ForwardRequest(
        tokens: tokens,
        interventions: try changes?.resolve(
          for: tokens, engine: engine, tokenize: { try options.tokens(of: $0, for: engine.model) })
          ?? [],
        recordings: options.hooks.map { Recording($0, positions: positions) },
        logits: LogitRequest(tokens: .all, summarises: true)))
    guard let row = result.logits.last, let summary = row.summary else {
      throw UserError("the run gave no logits", at: engine.model.path)
    }
    func candidate(_ id: Int) -> RunReport.Candidate {
      RunReport.Candidate(
        id: id, logit: row.logits[id],
        probability: Float(exp(Double(row.logits[id]) - Double(summary.logSumExp))))
    }
    let report = RunReport(
      model: options.model, tokenizer: engine.model.tokenizer, tokens: tokens,
      top: likeliest(options.top, row.logits).map(candidate),
      asked: options.logits.map(candidate),
      activations: zip(options.hooks, result.recorded).map { hook, tensor in
        RunReport.Activation(
          hook: hook, positions: positions,
          shape: shape(of: tensor, at: hook, engine.model.architecture), values: tensor.values)
      })
    if parsed.flag("json") {
      CommonOptions.print(report.json)
    } else {
      print(
        report.text(device: .standardOutput, showsTokens: options.showsTokens), terminator: "")
    }
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
