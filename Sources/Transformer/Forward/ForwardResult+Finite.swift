import TensorCore

extension ForwardResult {
  /// Checks what no later normalisation saw: recordings, logits and the end of a kept run.
  ///
  /// - Parameter first: the first position that was computed.
  /// - Throws: `UserError` that names the place where a value overflowed.
  func checkFinite(_ recordings: [Recording], from first: Int, model path: String) throws {
    func overflow(_ what: String) -> UserError {
      UserError(
        "\(what) are not finite", at: path,
        remedy: "the interventions are too large or the file is damaged")
    }
    for (recording, tensor) in zip(recordings, recorded) {
      // Scores are −∞ where a query may not look.
      let lowest: Float = recording.hook.site == .scores ? -.infinity : -.greatestFiniteMagnitude
      guard Self.isFinite(tensor, from: lowest) else {
        throw overflow("activations at \(recording.hook)")
      }
    }
    for row in logits {
      guard row.logits.allSatisfy(\.isFinite), row.summary?.logSumExp.isFinite ?? true else {
        throw overflow("logits at position \(row.position)")
      }
    }
    if let run {
      // The rows of a base have been checked with it.
      let count = run.tokens.count - first
      let end = UnsafeBufferPointer(
        start: run.residualRow(run.layers, first), count: count * run.width)
      guard Self.isFinite(end, from: -.greatestFiniteMagnitude) else {
        throw overflow("activations after the last block")
      }
    }
  }

  /// Whether no value is NaN, +∞ or below `lowest`.
  private static func isFinite(_ tensor: Tensor, from lowest: Float) -> Bool {
    tensor.withPointer {
      isFinite(UnsafeBufferPointer(start: $0, count: tensor.count), from: lowest)
    }
  }

  private static func isFinite(_ values: UnsafeBufferPointer<Float>, from lowest: Float) -> Bool {
    var isFinite = true
    for value in values { isFinite = isFinite && value >= lowest && value < .infinity }
    return isFinite
  }
}
