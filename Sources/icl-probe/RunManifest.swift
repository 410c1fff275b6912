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
    directory.set("verification", verified.json)
  }

  /// - Throws: `UserError` naming the key, where somebody edited the manifest.
  static func verification(in directory: RunDirectory) throws -> Verification {
    try Verification(
      directory.value("verification"), place: "\(directory.path)/manifest.json, verification")
  }

  static func now() -> String { ISO8601DateFormatter().string(from: Date()) }
}
