import TensorCore

/// A command line that fits its specification; values are asked for by the options' long names.
///
/// Asking for an option or argument that the command does not declare is a programming error and
/// stops the program.
public struct ParsedCommand: Sendable {
  /// Names of the chosen subcommands, outermost first; empty for a program without any.
  public let path: [String]
  /// The chosen command.
  public let specification: CommandSpecification
  /// Positional arguments in order.
  public let positionals: [String]
  /// Options of the command and of those above it.
  let options: [OptionSpecification]
  /// Values given, by long name.
  let values: [String: [String]]

  /// Whether the command has such an option, given or not.
  public func declares(_ option: String) -> Bool { options.contains { $0.long == option } }

  /// Whether the option was given.
  public func flag(_ option: String) -> Bool { !strings(option).isEmpty }

  /// Refuses options that would change nothing: they are a mistake, not a wish.
  ///
  /// - Throws: `UserError` for one of `options` that was given where `needed` was not.
  public func refuse(_ options: String..., unless needed: String) throws {
    for option in options where flag(option) && !flag(needed) {
      throw UserError(
        "--\(option) does nothing without --\(needed)",
        remedy: "add --\(needed) or leave out --\(option)", status: .usage)
    }
  }

  /// The option's value, nil when it was not given.
  public func string(_ option: String) -> String? { strings(option).last }

  /// All values of an option that may be repeated, in order.
  public func strings(_ option: String) -> [String] {
    precondition(declares(option), "option '\(option)' is not declared")
    return values[option] ?? []
  }

  /// The value of an option that this call cannot do without.
  public func requiredString(_ option: String) throws -> String {
    guard let value = string(option) else {
      throw UserError("missing option '--\(option)'", status: .usage)
    }
    return value
  }

  /// The value of a positional argument, nil when it was not given.
  public func argument(_ name: String) -> String? { arguments(name).first }

  /// All values of a positional argument that may be repeated.
  public func arguments(_ name: String) -> [String] {
    let declared = specification.arguments.firstIndex { $0.name == name }
    precondition(declared != nil, "argument \(name) is not declared")
    guard let index = declared, index < positionals.count else { return [] }
    return specification.arguments[index].repeats
      ? Array(positionals[index...]) : [positionals[index]]
  }

  /// A whole number in `range`, nil when the option was not given.
  public func integer(
    _ option: String, in range: ClosedRange<Int> = Int.min...Int.max
  ) throws -> Int? {
    try string(option).map { text in
      guard let value = Int(text), range.contains(value) else {
        throw wrong(option, "must be a whole number\(words(for: range))", text)
      }
      return value
    }
  }

  /// A finite number in `range`, nil when the option was not given.
  public func number(
    _ option: String, in range: ClosedRange<Double> = -Double.infinity...Double.infinity
  ) throws -> Double? {
    try string(option).map { text in
      guard let value = Double(text), value.isFinite, range.contains(value) else {
        throw wrong(option, "must be a number\(words(for: range))", text)
      }
      return value
    }
  }

  /// Whole numbers separated by commas, nil when the option was not given.
  public func integers(
    _ option: String, in range: ClosedRange<Int> = Int.min...Int.max
  ) throws -> [Int]? {
    try list(option)?.map { text in
      guard let value = Int(text), range.contains(value) else {
        throw wrong(
          option, "must be whole numbers\(words(for: range)) separated by commas", text)
      }
      return value
    }
  }

  /// Texts separated by commas, spaces around them removed; nil when the option was not given.
  public func list(_ option: String) throws -> [String]? {
    try string(option).map { text in
      let items = text.split(separator: ",", omittingEmptySubsequences: false).map(trimmed)
      guard !items.contains("") else {
        throw UserError(
          "option '--\(option)' has an empty item in '\(text)'",
          remedy: "separate items by single commas", status: .usage)
      }
      return items
    }
  }

  private func trimmed(_ text: Substring) -> String {
    let front = text.drop { $0.isWhitespace }
    let kept = front.reversed().drop { $0.isWhitespace }
    return String(kept.reversed())
  }

  private func wrong(_ option: String, _ must: String, _ text: String) -> UserError {
    UserError("option '--\(option)' \(must), not '\(text)'", status: .usage)
  }

  private func words(for range: ClosedRange<Int>) -> String {
    switch (range.lowerBound == Int.min, range.upperBound == Int.max) {
    case (true, true): ""
    case (false, true): " of at least \(range.lowerBound)"
    case (true, false): " of at most \(range.upperBound)"
    case (false, false): " from \(range.lowerBound) to \(range.upperBound)"
    }
  }

  private func words(for range: ClosedRange<Double>) -> String {
    switch (range.lowerBound.isFinite, range.upperBound.isFinite) {
    case (false, false): ""
    case (true, false): " of at least \(short(range.lowerBound))"
    case (false, true): " of at most \(short(range.upperBound))"
    case (true, true): " from \(short(range.lowerBound)) to \(short(range.upperBound))"
    }
  }

  private func short(_ bound: Double) -> String {
    Int(exactly: bound).map(String.init) ?? String(bound)
  }
}
