extension CommandSpecification {
  /// The help of this command as the outermost one.
  public func helpText(width: Int = 80, style: TextStyle = .plain) -> String {
    helpText(for: [], width: width, style: style)
  }

  /// The help of the subcommand reached by `path`, as far as the path leads.
  ///
  /// - Parameter width: Columns of the terminal; lines are never made longer than 100.
  public func helpText(
    for path: [String], width: Int = 80, style: TextStyle = .plain
  ) -> String {
    var commands = [self]
    for name in path {
      guard let next = commands[commands.count - 1].subcommands.first(where: { $0.name == name })
      else { break }
      commands.append(next)
    }
    return HelpText(commands: commands, width: min(max(width, 40), 100), style: style).text
  }
}

/// Lays out the help of the last of `commands`.
private struct HelpText {
  let commands: [CommandSpecification]
  let width: Int
  let style: TextStyle

  /// Widest name that shares its line with its help.
  private var nameLimit: Int { width < 60 ? 0 : 26 }

  var command: CommandSpecification { commands[commands.count - 1] }
  var commandLine: String { commands.map(\.name).joined(separator: " ") }
  var options: [OptionSpecification] { commands.reversed().flatMap(\.options) }

  var text: String {
    var parts = [usage, wrapped(command.summary)]
    parts += paragraphs(of: command.discussion).map(wrapped)
    parts.append(
      section("Commands", command.subcommands.map { (name: $0.name, help: $0.summary) }))
    parts.append(
      section(
        "Arguments",
        command.arguments.map { (name: $0.name, help: $0.help + notes(choices: $0.choices)) }))
    parts.append(section("Options", optionEntries))
    parts.append(examples)
    if !command.subcommands.isEmpty {
      parts.append(wrapped("See '\(commandLine) COMMAND --help' for one command."))
    }
    return parts.filter { !$0.isEmpty }.joined(separator: "\n\n") + "\n"
  }

  private var usage: String {
    var words = options.filter(\.isRequired).map { "--\($0.long) \($0.valueName ?? "")" }
    words.append("[OPTION]...")
    if !command.subcommands.isEmpty { words.append("COMMAND") }
    words += command.arguments.map { argument in
      let name = argument.repeats ? "\(argument.name)..." : argument.name
      return argument.isOptional ? "[\(name)]" : name
    }
    let start = "Usage: \(commandLine) "
    guard start.count <= width / 2 else {
      let lines = TextWrapping.lines([String(start.dropLast())] + words, width: width - 4)
      return style.bold("Usage:") + (lines.first ?? "").dropFirst("Usage:".count)
        + lines.dropFirst().map { "\n    " + $0 }.joined()
    }
    let lines = TextWrapping.lines(words, width: width - start.count)
    let indent = String(repeating: " ", count: start.count)
    return style.bold("Usage:") + start.dropFirst("Usage:".count)
      + lines.joined(separator: "\n" + indent)
  }

  private var optionEntries: [(name: String, help: String)] {
    let builtIn = [OptionSpecification.help] + (commands.count == 1 ? [.version] : [])
    return (options + builtIn).map { option in
      let short = option.short.map { "-\($0), " } ?? "    "
      let value = option.valueName.map { " \($0)" } ?? ""
      var notes: [String] = []
      if let choices = option.choices { notes.append("one of: \(choices.joined(separator: ", "))") }
      if option.isRequired { notes.append("required") }
      if option.repeats { notes.append("may be repeated") }
      if let text = option.defaultText { notes.append("default: \(text)") }
      let note = notes.isEmpty ? "" : " (\(notes.joined(separator: "; ")))"
      return (name: "\(short)--\(option.long)\(value)", help: option.help + note)
    }
  }

  private func notes(choices: [String]?) -> String {
    choices.map { " (one of: \($0.joined(separator: ", ")))" } ?? ""
  }

  private func section(_ title: String, _ entries: [(name: String, help: String)]) -> String {
    guard !entries.isEmpty else { return "" }
    let fitting = entries.map(\.name.count).filter { $0 <= nameLimit }
    let column = (fitting.max() ?? max(nameLimit, 4)) + 4
    let margin = String(repeating: " ", count: column)
    var lines = [style.bold("\(title):")]
    for entry in entries {
      let help = TextWrapping.lines(entry.help, width: width - column)
      let name = "  \(entry.name)"
      if name.count + 2 <= column {
        let gap = String(repeating: " ", count: column - name.count)
        lines.append(name + gap + (help.first ?? ""))
        lines += help.dropFirst().map { margin + $0 }
      } else {
        lines += TextWrapping.lines([entry.name], width: width - 2).map { "  " + $0 }
        lines += help.map { margin + $0 }
      }
    }
    return lines.joined(separator: "\n")
  }

  private var examples: String {
    guard !command.examples.isEmpty else { return "" }
    let blocks = command.examples.map { example -> String in
      // A line to copy stays whole unless the terminal is narrow; the shell joins its parts.
      let lines =
        width < 80
        ? TextWrapping.shellLines(example.line, width: width - 2) : [example.line]
      return TextWrapping.lines(example.comment, width: width - 4)
        .map { style.dim("  # \($0)") + "\n" }.joined()
        + lines.map { "  \($0)" }.joined(separator: "\n")
    }
    return style.bold("Examples:") + "\n" + blocks.joined(separator: "\n\n")
  }

  private func wrapped(_ text: String) -> String {
    TextWrapping.lines(text, width: width).joined(separator: "\n")
  }

  private func paragraphs(of text: String) -> [String] {
    text.split(separator: "\n", omittingEmptySubsequences: false)
      .split(whereSeparator: \.isEmpty).map { $0.joined(separator: " ") }
  }
}
