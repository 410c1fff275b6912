struct BashCompletion {
  let root: CommandSpecification

  /// One function: it walks the words to find the command, then completes the current word.
  var script: String {
    let levels = root.levels()
    let function = levels[0].functionName
    return """
      # bash completion for \(root.name)
      \(function)() {
        local current=${COMP_WORDS[COMP_CWORD]} previous= command=\(shellQuoted(root.name))
        local index word words= takes_value=
        for ((index = 1; index < COMP_CWORD; index++)); do
          word=${COMP_WORDS[index]}
          # Bash cuts --option=value into three words.
          [[ $word == "=" ]] && continue
          previous=$word
          if [[ $takes_value ]]; then takes_value=; continue; fi
          case "$command $word" in
      \(levels.flatMap(subcommandCases).joined(separator: "\n"))
      \(levels.flatMap(skipCases).joined(separator: "\n"))
          esac
        done
        [[ $current == "=" ]] && current=
        case "$command $previous" in
      \(levels.flatMap(valueCases).joined(separator: "\n"))
        esac
        case "$command" in
      \(levels.map(wordsCase).joined(separator: "\n"))
        esac
        COMPREPLY=($(compgen -W "$words" -- "$current"))
        if [[ ${#COMPREPLY[@]} -eq 0 ]]; then COMPREPLY=($(compgen -f -- "$current")); fi
      }
      complete -o filenames -F \(function) \(root.name)

      """
  }

  private func name(_ level: CommandLevel) -> String { level.path.joined(separator: " ") }

  private func subcommandCases(_ level: CommandLevel) -> [String] {
    level.command.subcommands.map { subcommand in
      let whole = shellQuoted("\(name(level)) \(subcommand.name)")
      return "      \(whole)) command=\(whole) ;;"
    }
  }

  /// The ways to write an option that takes a value, after its command.
  private func pattern(_ level: CommandLevel, _ option: OptionSpecification) -> String {
    let names = ["--\(option.long)"] + (option.short.map { ["-\($0)"] } ?? [])
    return names.map { shellQuoted("\(name(level)) \($0)") }.joined(separator: " | ")
  }

  private func skipCases(_ level: CommandLevel) -> [String] {
    level.options.filter { !$0.isFlag }
      .map { "      \(pattern(level, $0))) takes_value=yes ;;" }
  }

  private func valueCases(_ level: CommandLevel) -> [String] {
    level.options.filter { !$0.isFlag }.map { option in
      let words =
        option.choices.map { "-W \(shellQuoted($0.joined(separator: " ")))" } ?? "-f"
      let reply = "COMPREPLY=($(compgen \(words) -- \"$current\"))"
      return "    \(pattern(level, option))) \(reply); return ;;"
    }
  }

  private func wordsCase(_ level: CommandLevel) -> String {
    let words =
      level.command.subcommands.map(\.name)
      + level.command.arguments.flatMap { $0.choices ?? [] }
      + level.options.map { "--\($0.long)" }
    return "    \(shellQuoted(name(level)))) words=\(shellQuoted(words.joined(separator: " "))) ;;"
  }
}
