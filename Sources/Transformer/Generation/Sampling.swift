import Foundation
import TensorCore

/// How the next token is chosen from the logits.
public struct Sampling: Sendable {
  private let temperature: Double?
  private var stream: RandomStream

  /// The token with the largest logit, the lower id of equals.
  public static let greedy = Sampling(temperature: nil, stream: RandomStream(seed: 0))

  /// Token *i* with probability softmax(logits / `temperature`)ᵢ.
  ///
  /// - Precondition: `temperature` is above 0.
  public static func temperature(_ temperature: Double, seed: UInt64) -> Sampling {
    Sampling(temperature: temperature, stream: RandomStream(seed: seed, path: [0x746F_6B65_6E]))
  }

  /// - Parameter logits: finite, at least one.
  public mutating func choose(_ logits: [Float]) -> Int {
    let best = logits.indices.reduce(0) { logits[$1] > logits[$0] ? $1 : $0 }
    guard let temperature else { return best }
    let weights = logits.map { exp((Double($0) - Double(logits[best])) / temperature) }
    let total = weights.reduce(0, +)
    // 53 random bits: 24 would never reach tokens beyond a probability of 6e-8.
    var rest = Double(stream.next() >> 11) * 0x1p-53 * total
    for (token, weight) in weights.enumerated() {
      rest -= weight
      if rest < 0 { return token }
    }
    return best
  }
}
