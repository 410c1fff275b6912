import Foundation
import TensorCore
import Transformer

/// `backward`: logits' differences of 16 prompts, and their derivatives by the residual stream before every
/// block, beside torch autograd.
struct BackwardWork {
  static let name = "backward"

  let prompts: [[Int]]
  /// The right and the wrong answer of each.
  let candidates: [[Int]]

  init(_ pairs: [PeerWork.Pair]) {
    prompts = pairs.prefix(16).map(\.donor)
    candidates = pairs.prefix(16).map(\.candidates)
  }

  var description: JSONValue {
    func list(_ rows: [[Int]]) -> JSONValue {
      .array(rows.map { .array($0.map { .integer($0) }) })
    }
    return ["prompts": list(prompts), "candidates": list(candidates)]
  }

  /// log Σ g² over all positions of the first and of a middle block, prompt by prompt.
  func run(_ engine: Engine) throws -> [Double] {
    let layers = engine.model.architecture.layers
    let hooks = (0..<layers).map { HookPoint(.residualPre, layer: $0) }
    let results = try engine.gradients(
      zip(prompts, candidates).map { tokens, candidates in
        GradientRequest(
          tokens: tokens,
          objective: .logitDifference(right: candidates[0], wrong: candidates[1]), hooks: hooks)
      })
    return results.flatMap { result in
      [result.gradients[0], result.gradients[layers / 2]].map { gradient in
        log(gradient.values.reduce(0) { $0 + Double($1) * Double($1) })
      }
    }
  }

  /// Floating-point operations of a forward and a backward pass; the latter has no gradients of
  /// weights and costs as much as the former.
  func operations(_ arithmetic: Arithmetic) -> Double {
    2 * prompts.reduce(0) { $0 + arithmetic.prompt(tokens: $1.count) }
  }
}

/// The largest resident set of this process since it was last forgotten.
enum ResidentPeak {
  /// Begins anew, where the system allows it.
  static func forget() {
    try? FileHandle(forWritingTo: URL(fileURLWithPath: "/proc/self/clear_refs"))
      .write(contentsOf: Data("5".utf8))
  }

  static var megabytes: Double {
    let text = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
    let line = text.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
    return line?.split(separator: " ").dropFirst().first.flatMap { Double($0) }
      .map { $0 * 1024 / 1e6 } ?? .nan
  }
}
