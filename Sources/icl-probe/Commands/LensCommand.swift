import Foundation
import Reports
import TensorCore
import Terminal
import Transformer

/// `icl-probe lens`: the logit lens, and what each part of the model adds to a token's logit.
enum LensCommand: Command {
  static let specification = CommandSpecification(
    name: "lens", summary: "Show what a model would say after each block, and why.",
    discussion: """
      The logit lens takes the residual stream after each block through the final norm and the \
      unembedding. With --answer it follows that token, and shows how much the embedding, each head \
      and each MLP add to its logit at the last position (less that of --versus), with the final \
      norm's scale held fixed: these add up to the logit.
      """,
    options: [CommonOptions.model] + PromptInput.options + [
      OptionSpecification(
        long: "answer", valueName: "TEXT", help: "Token to follow, as it stands behind the prompt."
      ),
      OptionSpecification(
        long: "versus", valueName: "TEXT", help: "Token whose logit is taken away from it."),
      OptionSpecification(
        long: "top", valueName: "K", help: "How many parts of the model to show.",
        defaultText: "12"),
      OptionSpecification(
        long: "out", valueName: "FILE",
        help: "Picture to write, FILE.svg; that of the parts is FILE-parts.svg."),
      CommonOptions.threads, CommonOptions.memory, CommonOptions.json,
    ],
    examples: [
      CommandExample(
        line: "icl-probe lens --prompt 'The capital of France is' --answer ' Paris'",
        comment: "where the answer appears, and which heads write it"),
      CommandExample(
        line:
          "icl-probe lens --prompt 'The capital of France is' --answer ' Paris' --versus ' London' --out lens.svg",
        comment: "the difference of two answers, and pictures"),
    ])

  static func run(_ parsed: ParsedCommand) throws {
    let input = try PromptInput(parsed)
    let count = try parsed.integer("top", in: 1...Int.max) ?? 12
    try parsed.refuse("versus", "top", unless: "answer")
    let out = parsed.string("out")
    if let out, !out.hasSuffix(".svg") {
      throw UserError(
        "option '--out' must end in .svg, not '\(out)'", remedy: "name a picture", status: .usage)
    }
    let engine = try CommonOptions.engine(parsed)
    let model = engine.model
    let tokens = try input.tokens(for: model)
    func token(_ option: String) throws -> Int? {
      try parsed.string(option).map {
        try input.firstToken(of: $0, option: option, for: model)
      }
    }
    let (answer, versus) = (try token("answer"), try token("versus"))
    guard let run = try engine.record([tokens]).first else {
      throw UserError("the run gave nothing", at: model.path)
    }
    let progress = Progress()
    defer { progress.finish() }
    let lens = try LogitLens(
      of: run, positions: Array(tokens.indices), answer: answer, engine: engine
    ) { layer in
      progress.update(done: layer, total: model.architecture.layers, label: "blocks")
    }
    progress.finish()
    let report = LensReport(
      model: parsed.string("model") ?? CommonOptions.defaultModel, tokenizer: model.tokenizer,
      tokens: tokens, answer: answer, versus: versus, lens: lens,
      attribution: try answer.map {
        try LogitAttribution(
          of: run, position: tokens.count - 1, answer: $0, versus: versus, engine: engine)
      }, heads: model.architecture.heads)
    try MappedFile.requireUnchanged()
    if let out {
      try Files.write(Data(report.picture.svg.utf8), to: out)
      if let parts = report.partsPicture {
        try Files.write(Data(parts.svg.utf8), to: out.dropLast(".svg".count) + "-parts.svg")
      }
    }
    if parsed.flag("json") {
      CommonOptions.print(report.json)
    } else {
      print(report.text(device: .standardOutput, count: count), terminator: "")
    }
  }
}
