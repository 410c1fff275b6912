import Foundation
import Testing

/// The built programs, run as their users run them.
enum Program {
  struct Result {
    let status: Int32
    let out: String
    let err: String
  }

  /// The binaries lie beside the test bundle, which is this process's own executable.
  static func path(of name: String = "icl-probe") throws -> String {
    let bundle = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
    return URL(fileURLWithPath: bundle).deletingLastPathComponent().path + "/" + name
  }

  /// Runs the program to its end.
  ///
  /// - Parameters:
  ///   - name: which program.
  ///   - input: what it reads from standard input.
  ///   - environment: variables to set besides this process's own.
  ///   - folder: working folder.
  static func run(
    _ arguments: [String], of name: String = "icl-probe", input: String = "",
    environment: [String: String] = [:], folder: Scratch? = nil
  ) throws -> Result {
    try RunningProgram(
      path(of: name), arguments, input: input, environment: environment, folder: folder
    ).finish()
  }

  /// Runs a line of bash in which `$PROGRAM` is the program.
  static func shell(_ line: String, folder: Scratch) throws -> Result {
    try RunningProgram(
      "/bin/bash", ["-c", line], environment: ["PROGRAM": path()], folder: folder
    ).finish()
  }

  static func start(
    _ arguments: [String], of name: String = "icl-probe", folder: Scratch
  ) throws -> RunningProgram {
    try RunningProgram(path(of: name), arguments, folder: folder)
  }
}

/// A process with its output in files, which unlike pipes never fill.
final class RunningProgram {
  private let process = Process()
  private let scratch: Scratch

  init(
    _ program: String, _ arguments: [String], input: String = "",
    environment: [String: String] = [:], folder: Scratch?
  ) throws {
    scratch = try Scratch()
    let files = try ["out", "err"].map { name in
      try #require(FileHandle(forWritingAtPath: scratch.write(name, "")))
    }
    process.executableURL = URL(fileURLWithPath: program)
    process.arguments = arguments
    process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
    process.currentDirectoryURL = URL(fileURLWithPath: (folder ?? scratch).path)
    process.standardInput = FileHandle(forReadingAtPath: try scratch.write("in", input))
    process.standardOutput = files[0]
    process.standardError = files[1]
    try process.run()
  }

  var isRunning: Bool { process.isRunning }

  /// Keeps it where it is; a stopped process can be killed.
  func pause() { Glibc.kill(process.processIdentifier, SIGSTOP) }

  /// What Ctrl-C sends.
  func interrupt() { Glibc.kill(process.processIdentifier, SIGINT) }

  func send(_ number: Int32) { Glibc.kill(process.processIdentifier, number) }

  func kill() { Glibc.kill(process.processIdentifier, SIGKILL) }

  func finish() throws -> Program.Result {
    process.waitUntilExit()
    return Program.Result(
      status: process.terminationStatus, out: try scratch.read("out"), err: try scratch.read("err"))
  }
}

extension Program.Result {
  /// Expects a failure that is told in one line with all of `parts`, and no results.
  func expectFailure(
    _ expected: Int32, _ parts: String..., of program: String = "icl-probe",
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    #expect(status == expected, sourceLocation: sourceLocation)
    #expect(out.isEmpty, sourceLocation: sourceLocation)
    #expect(err.hasPrefix("\(program): ") && err.hasSuffix("\n"), sourceLocation: sourceLocation)
    #expect(err.count(where: \.isNewline) == 1, "\(err)", sourceLocation: sourceLocation)
    for part in parts where !part.isEmpty {
      #expect(err.contains(part), "\(err)", sourceLocation: sourceLocation)
    }
  }
}
