struct ZshCompletion {
  let root: CommandSpecification

  /// One function a command, each written with zsh's own `_arguments`.
  var script: String {
    let levels = root.levels()
    return """
      #compdef \(root.name)

      \(levels.map(function).joined(separator: "\n\n"))

      if [[ $funcstack[1] == \(levels[0].functionName) ]]; then
        \(levels[0].functionName) "$@"
      else
        compdef \(levels[0].functionName) \(root.name)
      fi

      """
  }

  private func function(_ level: CommandLevel) -> String {
    var specifications = level.options.flatMap(option)
    if level.command.subcommands.isEmpty {
      specifications += level.command.arguments.map(argument)
    } else {
      specifications += ["'1: :->command'", "'*:: :->rest'"]
    }
    let list = specifications.map { " \\\n    \($0)" }.joined()
    let isGroup = !level.command.subcommands.isEmpty
    return """
      \(level.functionName)() {
        local context state state_descr line
        typeset -A opt_args
        _arguments -s -S\(isGroup ? " -C" : "")\(list)
      \(isGroup ? dispatch(level) + "\n" : "")}
      """
  }

  private func dispatch(_ level: CommandLevel) -> String {
    let names = level.command.subcommands.map {
      "        " + shellQuoted("\(escaped($0.name)):\($0.summary)")
    }
    let calls = level.command.subcommands.map { subcommand in
      let target = CommandLevel(
        path: level.path + [subcommand.name], command: subcommand, options: [])
      return "        \(shellQuoted(subcommand.name))) \(target.functionName) ;;"
    }
    return """
        case $state in
          command)
            local -a commands=(
      \(names.joined(separator: "\n"))
            )
            _describe command commands
            ;;
          rest)
            case $line[1] in
      \(calls.joined(separator: "\n"))
            esac
            ;;
        esac
      """
  }

  private func option(_ option: OptionSpecification) -> [String] {
    let names = ["--\(option.long)"] + (option.short.map { ["-\($0)"] } ?? [])
    return names.map { name in
      // One spelling rules out the other, unless the option repeats.
      let exclusions = option.repeats ? "*" : "(\(names.joined(separator: " ")))"
      let sign = option.isFlag ? "" : (name.hasPrefix("--") ? "=" : "+")
      let value = option.valueName.map { ":\(escaped($0)):\(action(option.choices))" } ?? ""
      return shellQuoted("\(exclusions)\(name)\(sign)[\(escaped(option.help))]\(value)")
    }
  }

  private func argument(_ argument: ArgumentSpecification) -> String {
    let place = argument.repeats ? "*:" : (argument.isOptional ? "::" : ":")
    return shellQuoted("\(place)\(escaped(argument.name)):\(action(argument.choices))")
  }

  private func action(_ choices: [String]?) -> String {
    choices.map { "(\($0.joined(separator: " ")))" } ?? "_files"
  }

  /// Text inside an `_arguments` specification.
  private func escaped(_ text: String) -> String {
    text.map { "[]:\\".contains($0) ? "\\\($0)" : "\($0)" }.joined()
  }
}
