import Foundation
import TensorCore

/// A peer in a process of its own, which does a piece of work whenever it is asked to: one JSON
/// object a line each way. See `Benchmarks/peers/worker.py`.
final class PeerProcess {
  /// What one piece of work took and gave.
  struct Answer {
    /// Seconds to get ready, of which recording donors is the largest part.
    let preparation: Double
    let seconds: Double
    let values: [Double]
    /// Largest resident set of the process so far.
    let peakMegabytes: Double
  }

  let name: String
  private(set) var version = ""
  /// Resident set before the first question.
  private(set) var startMegabytes = 0.0
  private let process = Process()
  private let questions = Pipe()
  private let answers = Pipe()
  private let log: String
  private var rest = Data()

  /// A peer written in Python.
  ///
  /// - Parameters:
  ///   - module: without `_peer`.
  ///   - name: for people, if it is another.
  ///   - root: the package's folder.
  ///   - work: path of the description of all works.
  ///   - log: what the peer prints goes here.
  convenience init(
    _ module: String, called name: String? = nil, root: String, model: String, work: String,
    log: String
  ) throws {
    try self.init(
      name ?? module, program: root + "/Benchmarks/.venv/bin/python",
      arguments: [root + "/Benchmarks/peers/worker.py", module, model, work], log: log)
  }

  /// Any program that speaks as the workers do.
  init(_ name: String, program: String, arguments: [String], log: String) throws {
    self.name = name
    self.log = log
    process.executableURL = URL(fileURLWithPath: program)
    process.arguments = arguments
    process.standardInput = questions
    process.standardOutput = answers
    _ = FileManager.default.createFile(atPath: log, contents: nil)
    process.standardError = FileHandle(forWritingAtPath: log)
    do { try process.run() } catch {
      throw UserError(
        "cannot be started: \(error.localizedDescription)", at: program,
        remedy: "use make bench-peers, which makes it")
    }
    let greeting = try JSONReader(readLine(), place: log).object(required: ["version", "resident"])
    version = try greeting["version"]?.string() ?? ""
    startMegabytes = try greeting["resident"]?.number() ?? .nan
  }

  deinit {
    try? questions.fileHandleForWriting.close()
    process.waitUntilExit()
  }

  /// Has the peer do the first `limit` units of `work`.
  func ask(_ work: String, limit: Int) throws -> Answer {
    let question: JSONValue = ["work": .string(work), "limit": .integer(limit)]
    try questions.fileHandleForWriting.write(contentsOf: Data((question.text + "\n").utf8))
    let fields = try JSONReader(readLine(), place: log).object(
      required: ["preparation", "seconds", "values", "peak"])
    func number(_ key: String) throws -> Double { try fields[key]?.number() ?? .nan }
    return Answer(
      preparation: try number("preparation"), seconds: try number("seconds"),
      values: try fields["values"]?.list().map { try $0.number() } ?? [],
      peakMegabytes: try number("peak"))
  }

  private func readLine() throws -> JSONValue {
    let newline = UInt8(ascii: "\n")
    while !rest.contains(newline) {
      let more = answers.fileHandleForReading.availableData
      guard !more.isEmpty else {
        throw UserError("\(name) ended before it answered", at: log, remedy: "read this log")
      }
      rest.append(more)
    }
    let line = Data(rest.prefix { $0 != newline })
    rest = Data(rest.dropFirst(line.count + 1))
    return try JSONValue(parsing: line, place: log)
  }
}
