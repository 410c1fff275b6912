import TensorCore
import Terminal

enum TasksCommand: Command {
  static let specification = CommandSpecification(name: "tasks", summary: "")
  static func run(_ parsed: ParsedCommand) throws {}
}
