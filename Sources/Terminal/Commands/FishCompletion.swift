struct FishCompletion {
  let root: CommandSpecification

  /// One `complete` line for each command and option, with the words that must have come before.
  var script: String {
    let lines = root.levels().flatMap { level in
      level.command.subcommands.map { subcommand in
        line(at: level, "-f -a \(quoted(subcommand.name)) -d \(quoted(subcommand.summary))")
      }
        + level.command.arguments.compactMap(\.choices).map { choices in
          line(at: level, "-f -a \(quoted(choices.joined(separator: " ")))")
        }
        + level.options.map { line(at: level, option($0)) }
    }
    return "# fish completion for \(root.name)\n" + lines.map { $0 + "\n" }.joined()
  }

  private func line(at level: CommandLevel, _ rest: String) -> String {
    var conditions = level.path.dropFirst().map { "__fish_seen_subcommand_from \($0)" }
    let below = level.command.subcommands.map(\.name)
    if !below.isEmpty {
      conditions.append("not __fish_seen_subcommand_from \(below.joined(separator: " "))")
    }
    let condition =
      conditions.isEmpty ? "" : " -n \(quoted(conditions.joined(separator: "; and ")))"
    return "complete -c \(root.name)\(condition) \(rest)"
  }

  private func option(_ option: OptionSpecification) -> String {
    var words = ["-l \(option.long)"]
    if let short = option.short { words.append("-s \(short)") }
    if let choices = option.choices {
      words.append("-x -a \(quoted(choices.joined(separator: " ")))")
    } else if !option.isFlag {
      words.append("-r")
    }
    return (words + ["-d \(quoted(option.help))"]).joined(separator: " ")
  }

  /// Fish knows backslashes inside single quotes, unlike other shells.
  private func quoted(_ text: String) -> String {
    "'" + text.map { "'\\".contains($0) ? "\\\($0)" : "\($0)" }.joined() + "'"
  }
}
