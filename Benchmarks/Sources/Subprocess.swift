import Foundation
import TensorCore

/// Other programs, run to their end.
enum Subprocess {
  /// What a finished process used.
  struct Usage {
    let seconds: Double
    /// On all processors, of its own and the system's for it.
    let processorSeconds: Double
    /// Largest resident set of it, in MB of 10⁶ bytes.
    let peakMegabytes: Double
  }

  static func ownPath() throws -> String {
    try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
  }

  /// Runs `program` and waits for it.
  ///
  /// The kernel counts the memory of the process that starts another into the other's peak, up to the
  /// moment of `exec`; measure peaks before this process grows.
  static func run(
    _ program: String, _ arguments: [String], capturesOutput: Bool = false
  ) throws -> (output: String, usage: Usage) {
    let path = NSTemporaryDirectory() + "benchmarks-\(getpid())-output"
    defer { unlink(path) }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(
      &actions, STDOUT_FILENO, capturesOutput ? path : "/dev/null", O_WRONLY | O_CREAT | O_TRUNC,
      0o600)
    var words: [UnsafeMutablePointer<CChar>?] = ([program] + arguments).map { strdup($0) } + [nil]
    defer { for word in words { free(word) } }
    var process = pid_t()
    var status: Int32 = 0
    var usage = rusage()
    var failure: Int32 = 0
    let elapsed = time {
      failure = posix_spawn(&process, program, &actions, nil, &words, environ)
      if failure == 0 { while wait4(process, &status, 0, &usage) < 0, errno == EINTR {} }
    }
    guard failure == 0 else {
      throw UserError("cannot be started: \(String(cString: strerror(failure)))", at: program)
    }
    guard status == 0 else { throw UserError("ended with status \(status)", at: program) }
    let text = capturesOutput ? String(decoding: try Files.read(path), as: UTF8.self) : ""
    func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) * 1e-6 }
    return (
      text,
      Usage(
        seconds: elapsed, processorSeconds: seconds(usage.ru_utime) + seconds(usage.ru_stime),
        // Linux counts it in KiB.
        peakMegabytes: Double(usage.ru_maxrss) * 1024 / 1e6)
    )
  }
}
