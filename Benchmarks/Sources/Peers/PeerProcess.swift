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
  }

  let name: String
  private(set) var version = ""
  private let process = Process()
  private let questions = Pipe()
  private let answers = Pipe()
  private let log: String
  private var rest = Data()

  /// - Parameters:
  ///   - scripts: folder of the workers.
  ///   - work: path of the description of all works.
  ///   - log: what the peer prints goes here.
  init(
    _ name: String, python: String, scripts: String, model: String, work: String, log: String
  ) throws {
    self.name = name
    self.log = log
    process.executableURL = URL(fileURLWithPath: python)
    process.arguments = [scripts + "/worker.py", name, model, work]
    process.standardInput = questions
    process.standardOutput = answers
    _ = FileManager.default.createFile(atPath: log, contents: nil)
    process.standardError = FileHandle(forWritingAtPath: log)
    do { try process.run() } catch {
      throw UserError(
        "cannot be started: \(error.localizedDescription)", at: python,
        remedy: "use make bench-peers, which makes it")
    }
    if case .string(let text) = try readLine()["version"] { version = text }
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
      required: ["preparation", "seconds", "values"])
    func number(_ key: String) throws -> Double { try fields[key]?.number() ?? .nan }
    return Answer(
      preparation: try number("preparation"), seconds: try number("seconds"),
      values: try fields["values"]?.list().map { try $0.number() } ?? [])
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
