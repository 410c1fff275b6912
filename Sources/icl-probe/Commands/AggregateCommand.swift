import TensorCore
import Terminal

enum AggregateCommand: Command {
  static let specification = CommandSpecification(name: "aggregate", summary: "")
  static func run(_ parsed: ParsedCommand) throws {}
}
