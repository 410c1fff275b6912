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
    ],
    examples: [
      CommandExample(
        line: "echo '\"dog -> A\"' | icl-probe tokenize", comment: "[22676, 4722, 330]")
    ])

  static func run(_ parsed: ParsedCommand) throws {
    let tokenizer = try CommonOptions.tokenizer(of: CommonOptions.loadModel(parsed))
    var number = 0
    while let line = readLine(strippingNewline: true) {
      number += 1
      let place = "standard input, line \(number)"
      let reader = JSONReader(
        try JSONValue(parsing: Data(line.utf8), place: place), place: place)
      if parsed.flag("decode") {
        let ids = try reader.list().map { try $0.integer(in: 0...tokenizer.vocabularySize - 1) }
        CommonOptions.print(.string(tokenizer.decode(ids)))
      } else {
        let ids = tokenizer.encode(
          try reader.string(), parsingSpecialTokens: parsed.flag("special"))
        CommonOptions.print(.array(ids.map(JSONValue.integer)))
      }
    }
  }
}
