import Foundation
import TensorCore
import Transformer

/// `icl-probe patch` as a user runs it: all probes on the default task.
enum PatchJob {
  static func run(into results: inout Results) throws {
    let folder = URL(fileURLWithPath: try Subprocess.ownPath()).deletingLastPathComponent()
    let program = folder.appendingPathComponent("icl-probe").path
    let out = NSTemporaryDirectory() + "benchmarks-\(getpid())-patch"
    defer { try? FileManager.default.removeItem(atPath: out) }
    let (_, usage) = try Subprocess.run(program, ["patch", "--out", out, "--json"])
    results.set("patch.default.seconds", usage.seconds)
    results.set("patch.default.peak_rss_mb", usage.peakMegabytes)

    // The plan counts rows through layers; attention, logits and norms are left to the share.
    let plan = try Subprocess.run(program, ["plan", "--json"], capturesOutput: true).output
    let json = try JSONSerialization.jsonObject(with: Data(plan.utf8)) as? [String: Any]
    let rows = (json?["plans"] as? [[String: Any]])?.compactMap { $0["cost"] as? Double }
    guard let rows, !rows.isEmpty else {
      throw UserError("the plan has no cost", at: program)
    }
    let model = try LanguageModel(gguf: ModelStore().resolve("smollm2"))
    let operations = rows.reduce(0, +) * Arithmetic(architecture: model.architecture).row
    let peak = SgemmPeak(threads: ProcessInfo.processInfo.activeProcessorCount)
    for _ in 0..<5 { _ = peak.measure() }
    let rate = operations / usage.seconds / 1e9
    results.set("patch.default.share_of_fma_peak", rate / peak.bestFused)
    results.set("patch.default.share_of_sgemm_peak", rate / peak.best)
    results.set("patch.default.seconds_at_fma_peak", operations / peak.bestFused / 1e9)
  }
}
