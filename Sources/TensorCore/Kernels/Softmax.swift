import Glibc

/// Softmax of `scores[0..<count] · scale` in place. A score of −∞ becomes exactly 0; if all are −∞
/// the row becomes zeros. NaN or +∞ among the scores makes the whole row NaN.
public func softmax(_ scores: UnsafeMutablePointer<Float>, count: Int, scale: Float) {
  let maximum = largest(scores, count: count)
  guard maximum > -.infinity else {
    let isMasked = (0..<count).allSatisfy { scores[$0] == -.infinity }
    scores.update(repeating: isMasked ? 0 : .nan, count: count)
    return
  }
  var sums = Lanes.zero
  var index = 0
  while index + 8 <= count {
    let value = exponential((scores.lanes(index) - maximum) * scale)
    scores.store(value, index)
    sums += value
    index += 8
  }
  var total = sums.sum()
  while index < count {
    // The tail goes through the same kernel, so that a row's bits do not depend on its length.
    let value = exponential(Lanes(repeating: (scores[index] - maximum) * scale))[0]
    scores[index] = value
    total += value
    index += 1
  }
  let inverse = 1 / total
  index = 0
  while index + 8 <= count {
    scores.store(scores.lanes(index) * inverse, index)
    index += 8
  }
  while index < count {
    scores[index] *= inverse
    index += 1
  }
}

/// Largest value of a row, NaN left out; −∞ if there is none.
private func largest(_ values: UnsafePointer<Float>, count: Int) -> Float {
  var best = Lanes(repeating: -.infinity)
  var index = 0
  while index + 8 <= count {
    let value = values.lanes(index)
    best = best.replacing(with: value, where: value .> best)
    index += 8
  }
  var maximum = best.max()
  while index < count {
    if values[index] > maximum { maximum = values[index] }
    index += 1
  }
  return maximum
}

/// Largest value, its index, and `log Σ exp` of a row.
public func logSumExp(_ values: UnsafePointer<Float>, count: Int) -> (
  maximum: Float, index: Int, logSumExp: Float
) {
  let best = largest(values, count: count)
  var bestIndex = 0
  while bestIndex < count - 1, values[bestIndex] != best { bestIndex += 1 }
  // The sum is taken in f64: 50,000 terms lose three digits in f32.
  var total = 0.0
  var index = 0
  while index + 8 <= count {
    total += Double(exponential(values.lanes(index) - best).sum())
    index += 8
  }
  while index < count {
    total += Double(exponential(Lanes(repeating: values[index] - best))[0])
    index += 1
  }
  return (best, bestIndex, best + Float(log(total)))
}

/// The Kullback–Leibler divergence of softmax(`logits`) from a distribution whose log probabilities are
/// `expected`, Σ p (log p − log q), in nats.
///
/// - Parameter logSumExp: of the logits.
public func divergence(
  _ expected: UnsafePointer<Float>, from logits: UnsafePointer<Float>, logSumExp: Float, count: Int
) -> Double {
  var total = 0.0
  var index = 0
  while index + 8 <= count {
    let p = expected.lanes(index)
    total += Double((exponential(p) * (p - (logits.lanes(index) - logSumExp))).sum())
    index += 8
  }
  while index < count {
    let p = Lanes(repeating: expected[index])
    total += Double((exponential(p) * (p - (logits[index] - logSumExp)))[0])
    index += 1
  }
  return total
}
