import Foundation
import TensorCore

/// One command of a program.
public protocol Command: Sendable {
  static var specification: CommandSpecification { get }
  static func run(_ parsed: ParsedCommand) throws
}

/// A command-line program: its name, its version and its commands, behind which comes `completion`.
public struct Program: Sendable {
  public let specification: CommandSpecification
  public let version: String
  private let commands: [any Command.Type]
  /// Tells a user what ended the program.
  public var report: @Sendable (UserError) -> Void

  public init(
    name: String, version: String, summary: String, discussion: String,
    commands: [any Command.Type]
  ) {
    specification = CommandSpecification(
      name: name, summary: summary, discussion: discussion,
      subcommands: commands.map { $0.specification } + [.completion(of: name)])
    self.version = version
    self.commands = commands
    report = { problem in
      // Without `contentsOf` it ends the program where the disk is full that it writes to.
      try? FileHandle.standardError.write(contentsOf: Data("\(name): \(problem)\n".utf8))
    }
  }

  /// This process's arguments after the program's name.
  ///
  /// - Throws: `UserError` for one that is not UTF-8, which `CommandLine.arguments` would mend.
  private static func arguments() throws -> [String] {
    try (1..<max(1, Int(CommandLine.argc))).compactMap { index in
      guard let bytes = CommandLine.unsafeArgv[index] else { return nil }
      guard let text = String(validatingCString: bytes) else {
        throw UserError(
          "argument \(index), \"\(String(cString: bytes))\", is not valid UTF-8",
          remedy: "write it in UTF-8", status: .usage)
      }
      return text
    }
  }

  /// Reads this process's command line, runs the command and returns; after a failure the process
  /// ends with its status and one line on standard error.
  public func run() {
    // A reader that closes early (head) ends the program quietly, as it does other tools.
    signal(SIGPIPE, SIG_DFL)
    let name = specification.name
    do {
      let device = TerminalDevice.standardOutput
      switch try specification.parse(
        Self.arguments(), width: min(device.width, 100),
        style: device.style)
      {
      case .help(let text): print(text, terminator: text.hasSuffix("\n") ? "" : "\n")
      case .version: print("\(name) \(version)")
      case .run(let parsed):
        if let command = commands.first(where: { $0.specification.name == parsed.path.first }) {
          try command.run(parsed)
        } else if let shell = parsed.argument("SHELL").flatMap(Shell.init(rawValue:)) {
          print(specification.completionScript(shell: shell), terminator: "")
        }
      }
      // Results that a full disk swallowed are a failure, also where only a part before the last was.
      guard fflush(nil) == 0 else {
        throw Files.systemError("cannot be written", at: "standard output")
      }
      guard !StandardOutput.hasFailed else {
        throw UserError(
          "cannot be written in full", at: "standard output",
          remedy: "free some space and run the same command again")
      }
    } catch {
      end(error)
    }
  }

  /// Ends the process with the error's line and status.
  public func end(_ error: any Error) -> Never {
    let problem = UserError(any: error)
    report(problem)
    exit(problem.status.rawValue)
  }
}
