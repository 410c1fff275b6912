/// Shells for which completion can be written.
public enum Shell: String, Sendable, CaseIterable {
  case bash
  case zsh
  case fish
}

extension CommandSpecification {
  /// The command that prints a program's script.
  static func completion(of program: String) -> CommandSpecification {
    CommandSpecification(
      name: "completion", summary: "Print a shell's completion script.",
      arguments: [
        ArgumentSpecification(
          name: "SHELL", help: "bash, zsh or fish.", choices: Shell.allCases.map(\.rawValue))
      ],
      examples: [
        CommandExample(
          line:
            "\(program) completion bash > ~/.local/share/bash-completion/completions/\(program)",
          comment: "for every new bash")
      ])
  }

  /// A script that teaches the shell to complete this program's commands, options and choices.
  /// Values without choices complete as file names.
  public func completionScript(shell: Shell) -> String {
    switch shell {
    case .bash: BashCompletion(root: self).script
    case .zsh: ZshCompletion(root: self).script
    case .fish: FishCompletion(root: self).script
    }
  }

  /// This command and all below it, with the names that lead there and the options known there.
  func levels(
    above: [String] = [], inherited: [OptionSpecification] = []
  ) -> [CommandLevel] {
    let path = above + [name]
    let options = options + inherited
    let builtIn: [OptionSpecification] = above.isEmpty ? [.help, .version] : [.help]
    return [CommandLevel(path: path, command: self, options: options + builtIn)]
      + subcommands.flatMap { $0.levels(above: path, inherited: options) }
  }
}

struct CommandLevel {
  let path: [String]
  let command: CommandSpecification
  let options: [OptionSpecification]

  /// A name for a shell function.
  var functionName: String {
    "_" + path.joined(separator: "__").map { $0.isLetter || $0.isNumber ? "\($0)" : "_" }.joined()
  }
}

/// A word that every shell reads as it stands.
func shellQuoted(_ text: String) -> String {
  "'" + text.map { $0 == "'" ? "'\\''" : "\($0)" }.joined() + "'"
}
