import TensorCore
import Terminal

enum RunCommand: Command {
  static let specification = CommandSpecification(name: "run", summary: "")
  static func run(_ parsed: ParsedCommand) throws {}
}
