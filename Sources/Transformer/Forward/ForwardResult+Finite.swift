import TensorCore

extension ForwardResult {
  /// Checks what no later normalisation saw: recordings, logits and the end of a kept run.
  ///
  /// - Throws: `UserError` that names the place where a value overflowed.
  func checkFinite(_ recordings: [Recording], model path: String) throws {
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
    if let end = run?.residual.last {
      let stream = Tensor(adopting: end, shape: [end.count])
      guard Self.isFinite(stream, from: -.greatestFiniteMagnitude) else {
        throw overflow("activations after the last block")
      }
    }
  }

  /// Whether no value is NaN, +∞ or below `lowest`.
  private static func isFinite(_ tensor: Tensor, from lowest: Float) -> Bool {
    tensor.withPointer { values in
      var isFinite = true
      for index in 0..<tensor.count {
        isFinite = isFinite && values[index] >= lowest && values[index] < .infinity
      }
      return isFinite
    }
  }
}
