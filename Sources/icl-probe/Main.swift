import Foundation
import TensorCore
import Terminal

/// Where the program starts: reads the command line, runs a command, ends with its status.
@main
enum Main {
  static let version = "0.1.0"

  static let specification = CommandSpecification(
    name: "icl-probe",
    summary: "Find where a language model keeps the rule that it learns from its prompt.",
    discussion: """
      A transformer inference engine with activation hooks, patching experiments over it, and \
      reports. Start with: icl-probe patch --task multi-demo-rule, then icl-probe aggregate.
      """,
    subcommands: commands.map { $0.specification })

  static let commands: [any Command.Type] = [
    ModelsCommand.self, TasksCommand.self, TokenizeCommand.self, RunCommand.self,
    EvalCommand.self, PatchCommand.self, AggregateCommand.self, CompletionCommand.self,
  ]

  static func main() {
    // A reader that closes early (head) ends the program quietly, as it does other tools.
    signal(SIGPIPE, SIG_DFL)
    do {
      let device = TerminalDevice.standardOutput
      switch try specification.parse(
        Array(CommandLine.arguments.dropFirst()), width: min(max(device.width, 60), 100),
        style: device.style)
      {
      case .help(let text): print(text, terminator: text.hasSuffix("\n") ? "" : "\n")
      case .version: print("icl-probe \(version)")
      case .run(let parsed):
        guard let name = parsed.path.first,
          let command = commands.first(where: { $0.specification.name == name })
        else { throw UserError("no command was given", remedy: "see icl-probe --help") }
        try command.run(parsed)
      }
      // Results that a full disk swallowed are a failure.
      guard fflush(nil) == 0 else {
        throw Files.systemError("cannot be written", at: "standard output")
      }
    } catch {
      let problem = (error as? UserError) ?? UserError("\(error)")
      FileHandle.standardError.write(Data("icl-probe: \(problem)\n".utf8))
      exit(problem.status.rawValue)
    }
  }
}

/// One command of the program.
protocol Command: Sendable {
  static var specification: CommandSpecification { get }
  static func run(_ parsed: ParsedCommand) throws
}
