import Foundation
import Reports
import TensorCore
import Terminal
import Transformer

/// What a run's manifest says besides the identity: how, where and when it was made.
enum RunManifest {
  static func begin(_ directory: RunDirectory, engine: Engine) {
    if directory.value("started") == .null {
      directory.set("started", .string(now()))
    }
    directory.set("command", .array(CommandLine.arguments.map { .string($0) }))
    directory.set("version", .string(Main.version))
    directory.set("model", .string(engine.model.path))
    directory.set("threads", .integer(engine.pool.count))
    directory.set("machine", Machine.description)
    directory.set("finished", .null)
  }

  static func end(_ directory: RunDirectory) {
    directory.set("finished", .string(now()))
  }

  static func verify(_ directory: RunDirectory, variants: Int, largest: Float) {
    directory.set(
      "verification",
      ["variants": .integer(variants), "largest_deviation": .number(Double(largest))])
  }

  static func verification(in directory: RunDirectory) -> (variants: Int, largest: Float) {
    guard case .object(let pairs) = directory.value("verification") else { return (0, 0) }
    var result = (variants: 0, largest: Float(0))
    for (key, value) in pairs {
      let number = (try? JSONReader(value, place: "manifest").number()) ?? 0
      if key == "variants" { result.variants = Int(number) }
      if key == "largest_deviation" { result.largest = Float(number) }
    }
    return result
  }

  static func now() -> String { ISO8601DateFormatter().string(from: Date()) }
}
