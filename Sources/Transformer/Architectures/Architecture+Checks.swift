import TensorCore

extension Architecture {
  /// Most layers that a file may claim; a damaged number would cost all memory.
  static let mostLayers = 1 << 16
  /// Largest other size that a file may claim, so that products of two fit `Int`.
  static let largestSize = 1 << 30

  /// - Throws: `UserError` where sizes contradict each other.
  func check(place: String) throws {
    func require(_ condition: Bool, _ problem: String) throws {
      guard condition else {
        throw UserError(problem, at: place, remedy: "get the file again; its sizes contradict")
      }
    }
    try require(
      heads % keyValueHeads == 0, "\(heads) heads do not share \(keyValueHeads) key-value heads")
    try require(headWidth > 0, "the width \(width) is less than the number of heads \(heads)")
    try require(
      norm.epsilon >= 0 && norm.epsilon < 1, "the norm's epsilon is \(norm.epsilon)")
    try require(
      attentionScale > 0 && attentionScale.isFinite,
      "the scale of the attention scores is \(attentionScale)")
    for cap in [attentionSoftCap, logitSoftCap].compactMap(\.self) {
      try require(cap > 0 && cap.isFinite, "a soft cap is \(cap)")
    }
    try require(
      windows.count == layers, "\(windows.count) windows do not fit \(layers) layers")
    for window in windows.compactMap(\.self) {
      try require(window > 0, "an attention window is \(window)")
    }
    guard let rotary else { return }
    try require(
      rotary.dimensions > 0 && rotary.dimensions <= headWidth && rotary.dimensions % 2 == 0,
      "\(rotary.dimensions) of \(headWidth) values of a head cannot be rotated")
    try require(rotary.base > 0 && rotary.base.isFinite, "the rope base is \(rotary.base)")
    switch rotary.scaling {
    case .factors(let factors):
      try require(
        factors.count == rotary.dimensions / 2, "rope_freqs.weight has \(factors.count) values")
    case .linear(let factor):
      try require(factor > 0 && factor.isFinite, "the rope factor is \(factor)")
    case .llama3(let factor, let low, let high, let original):
      try require(
        factor > 0 && factor.isFinite && low > 0 && low < high && original > 0,
        "the llama3 rope scaling has factor \(factor), low \(low), high \(high)")
    case nil: break
    }
  }
}
