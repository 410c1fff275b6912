import Foundation
import TensorCore
import Terminal
import Transformer

/// `icl-probe tokenize`: a filter from JSON strings to token ids and back.
enum TokenizeCommand: Command {
  static let specification = CommandSpecification(
    name: "tokenize", summary: "Turn texts into token ids, or back.",
    discussion: """
      Reads one JSON string a line from standard input and prints one JSON array of ids a line; \
      with --decode the reverse.
      """,
    options: [
      CommonOptions.model,
      OptionSpecification(long: "decode", help: "Read arrays of ids, print strings."),
      OptionSpecification(
        long: "special", help: "Let the text of control tokens become these tokens."),
      CommonOptions.bos(default: .no),
    ],
    examples: [
      CommandExample(
        line: "echo '\"dog -> A\"' | icl-probe tokenize", comment: "[22676, 4722, 330]")
    ])

  static func run(_ parsed: ParsedCommand) throws {
    let decodes = parsed.flag("decode")
    guard !decodes || !parsed.flag("bos") else {
      throw UserError(
        "--bos does nothing with --decode", remedy: "leave out one of them", status: .usage)
    }
    let model = try CommonOptions.loadModel(parsed)
    // Showing tokens needs only their pieces.
    let showsPieces = decodes && (model.tokenizer as? NonEncodingTokenizer)?.knowsPieces == true
    let tokenizer = showsPieces ? model.tokenizer : try CommonOptions.tokenizer(of: model)
    let begin = try CommonOptions.beginToken(parsed, model, default: .no)
    var input = StandardInput()
    var number = 0
    while let bytes = try input.nextLine() {
      number += 1
      let place = "standard input, line \(number)"
      guard let line = String(validating: bytes, as: UTF8.self) else {
        throw UserError("not valid UTF-8", at: place, remedy: "convert the input to UTF-8")
      }
      let reader = JSONReader(
        try JSONValue(parsing: Data(line.utf8), place: place), place: place)
      if decodes {
        let ids = try reader.list().map { try $0.integer(in: 0...tokenizer.vocabularySize - 1) }
        CommonOptions.print(.string(tokenizer.decode(ids)))
      } else {
        let ids = try tokenizer.encode(
          try reader.string(), parsingSpecialTokens: parsed.flag("special"), begin: begin)
        CommonOptions.print(.array(ids.map(JSONValue.integer)))
      }
    }
  }
}
