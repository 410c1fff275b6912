import Foundation

/// What the far end of an output stream can show.
public struct TerminalDevice: Sendable, Equatable {
  /// A terminal that lines can be redrawn on, rather than a file or a pipe.
  public var isTerminal: Bool
  /// Columns of the terminal; elsewhere what `COLUMNS` says, or 80.
  public var width: Int
  /// Whether the width is that of something, rather than assumed.
  public var hasWidth: Bool
  /// Whether colours are shown and wanted.
  public var usesColour: Bool
  /// Whether the locale's encoding is UTF-8.
  public var usesUnicode: Bool

  /// - Parameter width: Nil for an assumed width of 80.
  public init(isTerminal: Bool, width: Int? = nil, usesColour: Bool, usesUnicode: Bool) {
    self.isTerminal = isTerminal
    self.width = width ?? 80
    hasWidth = width != nil
    self.usesColour = usesColour
    self.usesUnicode = usesUnicode
  }

  public var style: TextStyle { TextStyle(isEnabled: usesColour) }

  public static var standardOutput: TerminalDevice { of(STDOUT_FILENO) }
  public static var standardError: TerminalDevice { of(STDERR_FILENO) }

  /// Asks the system about an open file. `NO_COLOR` set to anything turns colours off, and a
  /// `TERM` of `dumb` counts as no terminal.
  public static func of(
    _ descriptor: Int32, environment: [String: String] = ProcessInfo.processInfo.environment
  ) -> TerminalDevice {
    let isTerminal = isatty(descriptor) == 1 && environment["TERM"] != "dumb"
    var size = winsize()
    let hasSize = ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0
    let wanted = environment["COLUMNS"].flatMap { Int($0) }.flatMap { $0 > 0 ? $0 : nil }
    return TerminalDevice(
      isTerminal: isTerminal, width: hasSize ? Int(size.ws_col) : wanted,
      usesColour: isTerminal && (environment["NO_COLOR"] ?? "").isEmpty,
      usesUnicode: usesUnicode(environment))
  }

  static func usesUnicode(_ environment: [String: String]) -> Bool {
    let locale =
      ["LC_ALL", "LC_CTYPE", "LANG"].lazy.compactMap { environment[$0] }.first { !$0.isEmpty }
    guard let encoding = locale?.lowercased() else { return false }
    return encoding.contains("utf-8") || encoding.contains("utf8")
  }
}
