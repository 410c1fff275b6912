import TensorCore
import Terminal

/// `onestep completion`: a completion script for a shell.
enum CompletionCommand: Command {
  static let specification = CommandSpecification(
    name: "completion", summary: "Print a shell's completion script.",
    arguments: [
      ArgumentSpecification(
        name: "SHELL", help: "bash, zsh or fish.", choices: Shell.allCases.map(\.rawValue))
    ],
    examples: [
      CommandExample(
        line: "onestep completion bash > ~/.local/share/bash-completion/completions/onestep",
        comment: "for every new bash")
    ])

  static func run(_ parsed: ParsedCommand) throws {
    guard let shell = Shell(rawValue: parsed.argument("SHELL") ?? "") else {
      throw UserError("no shell was named", status: .usage)
    }
    print(Main.program.specification.completionScript(shell: shell), terminator: "")
  }
}
