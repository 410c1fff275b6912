/// A command, declared once: parsing, help and shell completion are all derived from this value.
public struct CommandSpecification: Sendable {
  /// The word that calls the command; for the outermost command, the program's name.
  public var name: String
  /// One sentence for lists of commands and the top of the help.
  public var summary: String
  /// Further paragraphs of help, separated by empty lines.
  public var discussion: String
  public var arguments: [ArgumentSpecification]
  /// Options of this command. Its subcommands accept them as well.
  public var options: [OptionSpecification]
  public var examples: [CommandExample]
  /// When there are any, one of them must be chosen, and `arguments` must be empty.
  public var subcommands: [CommandSpecification]

  public init(
    name: String, summary: String, discussion: String = "",
    arguments: [ArgumentSpecification] = [], options: [OptionSpecification] = [],
    examples: [CommandExample] = [], subcommands: [CommandSpecification] = []
  ) {
    self.name = name
    self.summary = summary
    self.discussion = discussion
    self.arguments = arguments
    self.options = options
    self.examples = examples
    self.subcommands = subcommands
  }
}

/// A positional argument of a command.
public struct ArgumentSpecification: Sendable {
  /// The name in help texts and for asking a `ParsedCommand`, in capitals by habit: `FILE`.
  public var name: String
  public var help: String
  public var isOptional: Bool
  /// Whether it takes all remaining positional arguments; only the last argument may.
  public var repeats: Bool
  /// The only values allowed, if they are few.
  public var choices: [String]?

  public init(
    name: String, help: String, isOptional: Bool = false, repeats: Bool = false,
    choices: [String]? = nil
  ) {
    self.name = name
    self.help = help
    self.isOptional = isOptional
    self.repeats = repeats
    self.choices = choices
  }
}

/// An option of a command: a flag, or a name with a value.
public struct OptionSpecification: Sendable {
  /// The long name without dashes, also the name for asking a `ParsedCommand`.
  public var long: String
  public var short: Character?
  /// What the value is called in help texts; nil for a flag.
  public var valueName: String?
  public var help: String
  /// What holds when the option is not given, as a text for the help.
  public var defaultText: String?
  /// The only values allowed, if they are few.
  public var choices: [String]?
  /// Whether the option may be given several times.
  public var repeats: Bool
  /// Whether the command cannot run without it.
  public var isRequired: Bool

  public init(
    long: String, short: Character? = nil, valueName: String? = nil, help: String,
    defaultText: String? = nil, choices: [String]? = nil, repeats: Bool = false,
    isRequired: Bool = false
  ) {
    self.long = long
    self.short = short
    self.valueName = valueName
    self.help = help
    self.defaultText = defaultText
    self.choices = choices
    self.repeats = repeats
    self.isRequired = isRequired
  }

  var isFlag: Bool { valueName == nil }

  /// Answered by the parser itself, on every level.
  static let help = OptionSpecification(long: "help", short: "h", help: "Show this help.")
  static let version = OptionSpecification(long: "version", help: "Show the version.")
}

/// A command line worth showing, and what it does.
public struct CommandExample: Sendable {
  public var line: String
  public var comment: String

  public init(line: String, comment: String) {
    self.line = line
    self.comment = comment
  }
}
