import DiffusionGAN
import Foundation
import TensorCore

/// The project's side of a comparison of training, in a process of its own so that its peak memory is
/// its own. It speaks as `Benchmarks/peers/worker.py` does.
enum TrainingWorker {
  /// Answers until nobody asks any more.
  ///
  /// - Parameter work: of one of `ComparedSteps`.
  static func run(_ work: String, threads: Int) throws {
    let step = try ComparedSteps.step(work)
    let next = step.begun()
    answer(["version": "", "resident": .number(try megabytes("VmRSS"))])
    try Compute.$pool.withValue(ThreadPool(count: threads)) {
      while let line = readLine() {
        let place = "the question"
        let question = try JSONReader(
          JSONValue(parsing: Data(line.utf8), place: place), place: place
        ).object(required: ["work", "limit"])
        let limit = try question["limit"]?.integer() ?? 0
        let isCheck = try question["work"]?.string() == ComparedSteps.check
        var values: [Double] = []
        let seconds = try time {
          values = isCheck ? try step.check() : try (0..<limit).map { _ in try next() }
        }
        answer([
          "preparation": 0, "seconds": .number(seconds),
          "values": .array(values.map { .number($0) }), "peak": .number(try megabytes("VmHWM")),
        ])
      }
    }
  }

  private static func answer(_ fields: JSONValue) {
    FileHandle.standardOutput.write(Data((fields.text + "\n").utf8))
  }

  /// Of this process: `VmRSS` is the resident set, `VmHWM` the largest so far.
  private static func megabytes(_ field: String) throws -> Double {
    let status = String(decoding: try Files.read("/proc/self/status"), as: UTF8.self)
    let line = status.split(separator: "\n").first { $0.hasPrefix(field + ":") }
    let kibibytes = line?.split(whereSeparator: { " \t".contains($0) }).dropFirst().first
    return (kibibytes.flatMap { Double($0) } ?? .nan) * 1024 / 1e6
  }
}
