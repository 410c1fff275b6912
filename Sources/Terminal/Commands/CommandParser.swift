import TensorCore

/// What a command line asks for.
public enum ParseOutcome: Sendable {
  case run(ParsedCommand)
  /// Print this text on standard output and succeed.
  case help(String)
  /// Print the program's version and succeed.
  case version
}

extension CommandSpecification {
  /// Reads a command line by GNU habits: `--long value`, `--long=value`, `-s value`, `-svalue`,
  /// joined short flags, options anywhere, `--` ends the options. `--help`, `-h` and `help` are
  /// answered on every level.
  ///
  /// - Parameters:
  ///   - arguments: What follows the program's name.
  ///   - width: Columns for a help text.
  ///   - style: Style of a help text's headings.
  /// - Throws: `UserError` with status `usage`.
  public func parse(
    _ arguments: [String], width: Int = 80, style: TextStyle = .plain
  ) throws -> ParseOutcome {
    var parser = CommandParser(root: self, arguments: arguments)
    switch try parser.parse() {
    case .finished: return .run(try parser.finish())
    case .version: return .version
    case .help(let path): return .help(helpText(for: path, width: width, style: style))
    }
  }
}

/// One pass over a command line, from left to right.
private struct CommandParser {
  enum End {
    case finished
    case version
    case help(path: [String])
  }

  /// The commands chosen so far, the program first.
  var commands: [CommandSpecification]
  var remaining: ArraySlice<String>
  var positionals: [String] = []
  var values: [String: [String]] = [:]

  init(root: CommandSpecification, arguments: [String]) {
    commands = [root]
    remaining = arguments[...]
  }

  var command: CommandSpecification { commands[commands.count - 1] }
  var path: [String] { commands.dropFirst().map(\.name) }
  var commandLine: String { commands.map(\.name).joined(separator: " ") }
  var options: [OptionSpecification] { commands.reversed().flatMap(\.options) }
  var knownOptions: [OptionSpecification] { options + [.help, .version] }

  mutating func parse() throws -> End {
    while let argument = remaining.popFirst() {
      if argument == "--" {
        for rest in remaining { try take(positional: rest) }
        break
      }
      if let end = try take(argument) { return end }
    }
    return .finished
  }

  private mutating func take(_ argument: String) throws -> End? {
    if argument.hasPrefix("--") { return try take(long: argument) }
    if argument.hasPrefix("-"), argument.count > 1, !isNegativeNumber(argument) {
      return try take(shorts: argument.dropFirst())
    }
    if argument == "help", !command.subcommands.isEmpty, positionals.isEmpty {
      for word in remaining where !word.hasPrefix("-") { try choose(subcommand: word) }
      return .help(path: path)
    }
    try take(positional: argument)
    return nil
  }

  private func isNegativeNumber(_ argument: String) -> Bool {
    Double(argument) != nil && !options.contains { $0.short?.isNumber == true }
  }

  private mutating func take(long argument: String) throws -> End? {
    let parts = argument.dropFirst(2).split(
      separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    let name = String(parts[0])
    guard let option = knownOptions.first(where: { $0.long == name }) else {
      throw unknownOption("--\(name)")
    }
    if option.isFlag {
      guard parts.count == 1 else {
        throw UserError("option '--\(name)' takes no value", status: .usage)
      }
      return try record(flag: option, as: "--\(name)")
    }
    if parts.count == 2 {
      try record(String(parts[1]), for: option, as: "--\(name)")
    } else {
      try record(try nextValue(for: option, as: "--\(name)"), for: option, as: "--\(name)")
    }
    return nil
  }

  private mutating func take(shorts: Substring) throws -> End? {
    var rest = shorts
    while let letter = rest.popFirst() {
      guard let option = knownOptions.first(where: { $0.short == letter }) else {
        throw unknownOption("-\(letter)")
      }
      if option.isFlag {
        if let end = try record(flag: option, as: "-\(letter)") { return end }
        continue
      }
      let value = rest.isEmpty ? try nextValue(for: option, as: "-\(letter)") : String(rest)
      try record(value, for: option, as: "-\(letter)")
      return nil
    }
    return nil
  }

  /// The next word, whatever it starts with, unless it is plainly another option: prompts and
  /// numbers may well start with a dash.
  private mutating func nextValue(
    for option: OptionSpecification, as written: String
  ) throws -> String {
    let needed = "option '\(written)' needs a value (\(option.valueName ?? "VALUE"))"
    guard let next = remaining.popFirst() else { throw UserError(needed, status: .usage) }
    let name = next.split(separator: "=", maxSplits: 1).first.map(String.init) ?? next
    if name == "--" || knownOptions.contains(where: { "--\($0.long)" == name }) {
      throw UserError(
        needed, remedy: "if '\(next)' is the value, write '--\(option.long)=\(next)'",
        status: .usage)
    }
    return next
  }

  private mutating func record(flag option: OptionSpecification, as written: String) throws -> End?
  {
    if !options.contains(where: { $0.long == option.long }) {
      return option.long == "version" ? .version : .help(path: path)
    }
    try record("", for: option, as: written)
    return nil
  }

  private mutating func record(
    _ value: String, for option: OptionSpecification, as written: String
  ) throws {
    guard option.repeats || values[option.long] == nil else {
      throw UserError("option '\(written)' is given more than once", status: .usage)
    }
    try check(value, among: option.choices, of: "option '\(written)'")
    values[option.long, default: []].append(value)
  }

  private func check(_ value: String, among choices: [String]?, of owner: String) throws {
    guard let choices, !choices.contains(value) else { return }
    let near = NearestName.find(value, in: choices).map { "did you mean '\($0)'?" }
    throw UserError(
      "\(owner) cannot be '\(value)'",
      remedy: near ?? "choose one of: \(choices.joined(separator: ", "))", status: .usage)
  }

  private func unknownOption(_ written: String) -> UserError {
    let owners = command.subcommands.filter { candidate in
      candidate.options.contains { "--\($0.long)" == written || "-\($0.short ?? "-")" == written }
    }
    if let owner = owners.first(where: { remaining.contains($0.name) }) ?? owners.first {
      return UserError(
        "unknown option '\(written)' before the command",
        remedy: "write it after the command: \(commandLine) \(owner.name) \(written)",
        status: .usage)
    }
    let names = knownOptions.map { "--\($0.long)" }
    if written.hasPrefix("--") {
      return NearestName.unknown("option", written, known: names)
    }
    let shorts = knownOptions.compactMap { $0.short.map { "-\($0)" } }
    return UserError(
      "unknown option '\(written)'",
      remedy: "there are: \((shorts + names).joined(separator: ", "))", status: .usage)
  }

  private mutating func take(positional argument: String) throws {
    if !command.subcommands.isEmpty { return try choose(subcommand: argument) }
    let arguments = command.arguments
    let takesMore = positionals.count < arguments.count || arguments.last?.repeats == true
    guard takesMore else {
      throw UserError(
        "unexpected argument '\(argument)'", remedy: "see '\(commandLine) --help'", status: .usage)
    }
    let owner = arguments[min(positionals.count, arguments.count - 1)]
    try check(argument, among: owner.choices, of: "argument \(owner.name)")
    positionals.append(argument)
  }

  private mutating func choose(subcommand name: String) throws {
    guard let chosen = command.subcommands.first(where: { $0.name == name }) else {
      throw NearestName.unknown("command", name, known: command.subcommands.map(\.name))
    }
    commands.append(chosen)
  }

  /// What only the whole command line can tell: nothing needed is missing.
  func finish() throws -> ParsedCommand {
    guard command.subcommands.isEmpty else {
      let names = command.subcommands.map(\.name).joined(separator: ", ")
      throw UserError(
        "missing command", remedy: "choose one of: \(names); or see '\(commandLine) --help'",
        status: .usage)
    }
    for (index, argument) in command.arguments.enumerated()
    where !argument.isOptional && index >= positionals.count {
      throw UserError(
        "missing argument \(argument.name)", remedy: "see '\(commandLine) --help'", status: .usage)
    }
    for option in options where option.isRequired && values[option.long] == nil {
      throw UserError(
        "missing option '--\(option.long)\(option.valueName.map { " \($0)" } ?? "")'",
        remedy: "see '\(commandLine) --help'", status: .usage)
    }
    return ParsedCommand(
      path: path, specification: command, positionals: positionals, options: options,
      values: values)
  }
}
