import Foundation

/// Something that a user can mend, told in one line: what is wrong, where, and what to do.
public struct UserError: Error, CustomStringConvertible, Equatable, Sendable {
  /// Process exit status that a command ends with.
  public enum Status: Int32, Sendable {
    /// The work could not be done: a bad file, a full disk.
    case failed = 1
    /// The command line was wrong.
    case usage = 2
    /// The user stopped it (Ctrl-C): 128 and the signal's number, as a shell says it.
    case interrupted = 130
    /// A signal that a batch system sends stopped it (TERM, USR1): EX_TEMPFAIL of sysexits.h, so that it
    /// is begun again.
    case temporary = 75
  }

  /// File, key path or option at fault, if there is one.
  public let place: String?
  /// What is wrong, as a clause without a final full stop.
  public let problem: String
  /// What to do about it.
  public let remedy: String?
  public let status: Status

  public init(
    _ problem: String, at place: String? = nil, remedy: String? = nil, status: Status = .failed
  ) {
    self.place = place
    self.problem = problem
    self.remedy = remedy
    self.status = status
  }

  /// Any error in words that a user can read. Errors of system libraries speak to programmers; of
  /// those, the file and the system's reason are kept.
  public init(any error: any Error) {
    switch error {
    case let error as UserError: self = error
    case let error as POSIXError: self.init(Self.reason(error.code.rawValue))
    case let error as CocoaError:
      let code = (error.underlying as? POSIXError)?.code.rawValue
      self.init(
        code.map(Self.reason) ?? "a file operation failed (code \(error.code.rawValue))",
        at: error.filePath)
    default: self.init("\(error)")
    }
  }

  private static func reason(_ code: Int32) -> String { String(cString: strerror(code)) }

  /// `place: problem; remedy`, on one line whatever the parts contain.
  public var description: String {
    var line = place.map { "\($0): " } ?? ""
    line += problem
    if let remedy { line += "; \(remedy)" }
    return String(line.map { $0.isNewline ? " " : $0 })
  }
}
