import TensorCore
import Terminal

enum EvalCommand: Command {
  static let specification = CommandSpecification(name: "eval", summary: "")
  static func run(_ parsed: ParsedCommand) throws {}
}
