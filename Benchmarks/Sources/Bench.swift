import TensorCore
import Transformer

/// What every workload needs: the model, prompts, the peak to compare with, and where numbers go.
final class Bench {
  let model: LanguageModel
  let engine: Engine
  let arithmetic: Arithmetic
  let peak: SgemmPeak
  let isQuick: Bool
  var results = Results()

  init(modelPath: String, threads: Int, isQuick: Bool) throws {
    model = try LanguageModel(gguf: modelPath)
    // As `icl-probe` chooses it.
    engine = Engine(model: model, threads: threads, memory: 1024 << 20)
    arithmetic = Arithmetic(architecture: model.architecture)
    peak = SgemmPeak(threads: threads)
    self.isQuick = isQuick
  }

  var repeats: Int { isQuick ? 3 : 7 }

  /// Token ids drawn at random: the arithmetic does not depend on them.
  func prompt(_ number: Int, tokens: Int) -> [Int] {
    var random = RandomStream(seed: 0, path: [UInt64(number)])
    return (0..<tokens).map { _ in random.integer(below: model.architecture.vocabulary) }
  }

  /// Times `body` and keeps `name.seconds` and `name.share_of_sgemm_peak`, the latter also
  /// in processor time.
  @discardableResult
  func measure(
    _ name: String, operations: Double, repeats: Int? = nil, warmsUp: Bool = true,
    _ body: () throws -> Void
  ) rethrows -> Timing {
    let timing = try Timing(
      repeats: repeats ?? self.repeats, operations: operations, peak: peak, warmsUp: warmsUp, body)
    results.set("\(name).seconds", timing.seconds)
    results.set("\(name).share_of_sgemm_peak", timing.shareOfPeak)
    results.set("\(name).share_of_fma_peak", timing.shareOfFused)
    results.set("\(name).processor_share_of_sgemm_peak", timing.processorShareOfPeak)
    return timing
  }
}
