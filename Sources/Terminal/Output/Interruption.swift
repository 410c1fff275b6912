import Glibc
import Synchronization
import TensorCore

/// Ctrl-C as a wish: the first one is noted, so that long work can stop where nothing is lost; the
/// second ends the program at once.
public enum Interruption {
  private static let requested = Atomic(false)

  /// From now on the first Ctrl-C, `kill` or closed terminal is noted.
  public static func watch() {
    // Made here, since a signal handler may not make anything.
    requested.store(false, ordering: .relaxed)
    // Under `nohup` a closed terminal is to change nothing.
    let numbers = [SIGINT, SIGTERM] + (isIgnored(SIGHUP) ? [] : [SIGHUP])
    for number in numbers {
      signal(number) { number in
        Interruption.requested.store(true, ordering: .relaxed)
        signal(number, SIG_DFL)
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

  public static var isRequested: Bool { requested.load(ordering: .relaxed) }

  /// To be called where nothing is lost by stopping: between two units whose rows are on the disk.
  ///
  /// - Throws: after a Ctrl-C, a `UserError` that says how to continue.
  public static func check() throws {
    guard isRequested else { return }
    throw UserError(
      "stopped", remedy: "the same command continues: \(ShellWord.line(CommandLine.arguments))",
      status: .interrupted)
  }
}
