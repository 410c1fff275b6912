import Foundation
import TensorCore

/// `icl-probe patch` as a user runs it: all probes on the default task.
enum PatchJob {
  static func run(into results: inout Results) throws {
    let folder = URL(fileURLWithPath: try Subprocess.ownPath()).deletingLastPathComponent()
    let out = NSTemporaryDirectory() + "benchmarks-\(getpid())-patch"
    defer { try? FileManager.default.removeItem(atPath: out) }
    let (_, usage) = try Subprocess.run(
      folder.appendingPathComponent("icl-probe").path, ["patch", "--out", out, "--json"])
    results.set("patch.default.seconds", usage.seconds)
    results.set("patch.default.peak_rss_mb", usage.peakMegabytes)
  }
}
