import TensorCore

extension Architecture {
  /// Most layers that a file may claim; a damaged number would cost all memory.
  static let mostLayers = 1 << 12
  /// Largest other size that a file may claim, so that products of two fit `Int`.
  static let largestSize = 1 << 30

  /// - Throws: `UserError` where sizes contradict each other.
  func check(place: String) throws {
    let check = Check(place: place)
    try check.require(
      heads % keyValueHeads == 0, "\(heads) heads do not share \(keyValueHeads) key-value heads")
    try check.require(
      headWidth > 0, "the width \(width) is less than the number of heads \(heads)")
    try check.cap(logitSoftCap)
    try check.factor(embeddingScale, "the factor of the embedding")
    try check.factor(logitScale, "the factor of the logits")
    try check.norm(finalNorm)
    for block in Set(blocks) {
      for norm in [
        block.attentionNorm, block.attentionPostNorm, block.mlpNorm, block.mlpPostNorm,
        block.headNorm?.norm,
      ] { try check.norm(norm) }
      try check.factor(block.attentionScale, "the scale of the attention scores")
      try check.factor(block.branchScale, "the factor of what blocks add")
      try check.cap(block.attentionSoftCap)
      if let window = block.window {
        try check.require(window > 0, "an attention window is \(window)")
      }
      if let clip = block.queryKeyValueClip {
        try check.require(clip > 0, "the clip of queries, keys and values is \(clip)")
      }
      if let rotary = block.rotary { try check.rotary(rotary, headWidth: headWidth) }
    }
  }
}

private struct Check {
  let place: String

  func require(_ condition: Bool, _ problem: String) throws {
    guard condition else {
      throw UserError(problem, at: place, remedy: "get the file again; its sizes contradict")
    }
  }

  func norm(_ norm: Architecture.Norm?) throws {
    guard let norm else { return }
    try require(
      norm.epsilon >= 0 && norm.epsilon < 1, "the norm's epsilon is \(norm.epsilon)")
  }

  func factor(_ value: Float, _ name: String) throws {
    try require(value > 0 && value.isFinite, "\(name) is \(value)")
  }

  func cap(_ cap: Float?) throws {
    guard let cap else { return }
    try require(cap > 0 && cap.isFinite, "a soft cap is \(cap)")
  }

  func rotary(_ rotary: Architecture.Rotary, headWidth: Int) throws {
    try require(
      rotary.dimensions > 0 && rotary.dimensions <= headWidth && rotary.dimensions % 2 == 0,
      "\(rotary.dimensions) of \(headWidth) values of a head cannot be rotated")
    try require(rotary.base > 0 && rotary.base.isFinite, "the rope base is \(rotary.base)")
    try require(
      rotary.attentionFactor > 0 && rotary.attentionFactor.isFinite,
      "the rope's attention factor is \(rotary.attentionFactor)")
    func stretch(_ factor: Double) throws {
      try require(factor > 0 && factor.isFinite, "the rope factor is \(factor)")
    }
    func factors(_ factors: [Float]) throws {
      try require(
        factors.count == rotary.dimensions / 2,
        "there are \(factors.count) rope factors for \(rotary.dimensions / 2) pairs")
      try require(
        factors.allSatisfy { $0 > 0 && $0.isFinite }, "a rope factor is not positive")
    }
    switch rotary.scaling {
    case nil: break
    case .factors(let all): try factors(all)
    case .linear(let factor): try stretch(factor)
    case .dynamic(let factor, _):
      try stretch(factor)
      try require(
        factor >= 1 && rotary.dimensions > 2, "the dynamic rope factor is \(factor)")
    case .llama3(let factor, let low, let high, _):
      try stretch(factor)
      try require(
        low > 0 && low < high,
        "the llama3 rope scaling has factor \(factor), low \(low), high \(high)")
    case .yarn(let yarn):
      try stretch(yarn.factor)
      try require(
        yarn.fastTurns > 0 && yarn.slowTurns > 0 && rotary.base != 1,
        "the yarn rope scaling has beta_fast \(yarn.fastTurns), beta_slow \(yarn.slowTurns)")
    case .longRope(let rope):
      try factors(rope.shortFactors)
      try factors(rope.longFactors)
    }
  }
}
