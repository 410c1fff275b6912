import Glibc
import Synchronization
import TensorCore

/// Ctrl-C as a wish: the first one is noted, so that long work can stop where nothing is lost; the
/// second ends the program at once. TERM and USR1, which batch systems send before they take a machine
/// away, are wishes however often they come.
public enum Interruption {
  /// The first signal that was noted; 0 for none.
  private static let noted = Atomic<Int32>(0)

  /// From now on the first Ctrl-C, `kill`, USR1 or closed terminal is noted.
  public static func watch() {
    // Made here, since a signal handler may not make anything.
    _ = noted.load(ordering: .relaxed)
    // Under `nohup` a closed terminal is to change nothing.
    let numbers = [SIGINT, SIGTERM, SIGUSR1] + (isIgnored(SIGHUP) ? [] : [SIGHUP])
    for number in numbers {
      signal(number) { number in
        _ = Interruption.noted.compareExchange(
          expected: 0, desired: number, ordering: .relaxed)
        if number == SIGINT || number == SIGHUP { signal(number, SIG_DFL) }
      }
    }
    // Whoever starts a program from a thread that takes no signals passes that on.
    var watched = sigset_t()
    sigemptyset(&watched)
    for number in numbers { sigaddset(&watched, number) }
    pthread_sigmask(SIG_UNBLOCK, &watched, nil)
  }

  private static func isIgnored(_ number: Int32) -> Bool {
    var action = sigaction()
    sigaction(number, nil, &action)
    return unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self)
      == unsafeBitCast(SIG_IGN, to: Int.self)
  }

  public static var isRequested: Bool { noted.load(ordering: .relaxed) != 0 }

  /// Status to end with: 130 where a user asked to stop, 75 where a batch system did, which is to
  /// begin the command again.
  public static var status: UserError.Status {
    [SIGTERM, SIGUSR1].contains(noted.load(ordering: .relaxed)) ? .temporary : .interrupted
  }

  /// To be called where nothing is lost by stopping: between two units whose rows are on the disk.
  ///
  /// - Throws: after a signal, a `UserError` that says how to continue.
  public static func check() throws {
    guard isRequested else { return }
    throw UserError(
      "stopped", remedy: "the same command continues: \(ShellWord.line(CommandLine.arguments))",
      status: status)
  }
}
