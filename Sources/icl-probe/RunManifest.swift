import Foundation
import Reports
import RuleVectors
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
    directory.set("model", .string(Files.homeAsTilde(engine.model.path)))
    directory.set("threads", .integer(engine.pool.count))
    directory.set("machine", Machine.description)
    directory.set("finished", .null)
  }

  static func verify(_ directory: RunDirectory, _ verified: Verification) {
    directory.set(
      "verification",
      [
        "variants": .integer(verified.variants),
        "largest_deviation": .number(Double(verified.largestDeviation)),
      ])
  }

  /// - Throws: `UserError` naming the key, where somebody edited the manifest.
  static func verification(in directory: RunDirectory) throws -> Verification {
    let saved = directory.value("verification")
    guard saved != .null else { return Verification() }
    let fields = try JSONReader(saved, place: "\(directory.path)/manifest.json, verification")
      .object(required: ["variants", "largest_deviation"])
    return Verification(
      variants: try fields["variants"]?.integer(in: 0...Int(Int32.max)) ?? 0,
      largestDeviation: Float(try fields["largest_deviation"]?.number() ?? 0))
  }

  static func now() -> String { ISO8601DateFormatter().string(from: Date()) }
}
