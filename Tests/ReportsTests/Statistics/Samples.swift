import Foundation
import TensorCore

/// What simulations draw from; all have the mean 0.
enum Population: String, CaseIterable {
  case normal
  /// Exponential less its mean.
  case skewed
  /// Cauchy's: symmetric about 0, without a mean or a variance.
  case heavyTailed

  func sample(_ count: Int, seed: UInt64, _ path: UInt64...) -> [Double] {
    var random = RandomStream(seed: seed, path: path)
    // Away from 0 and 1, where 24 bits would end.
    func uniform() -> Double { (Double(random.nextUInt32()) + 0.5) * 0x1p-32 }
    return (0..<count).map { _ in
      switch self {
      case .normal: (-2 * log(uniform())).squareRoot() * cos(2 * .pi * uniform())
      case .skewed: -log(uniform()) - 1
      case .heavyTailed: tan(.pi * (uniform() - 0.5))
      }
    }
  }
}

/// The share of `simulations` that `body` holds in.
func share(of simulations: Int, _ body: (UInt64) -> Bool) -> Double {
  Double((0..<UInt64(simulations)).count { body($0) }) / Double(simulations)
}

/// Three standard errors of a share of `simulations` about `chance`.
func threeErrors(_ chance: Double, _ simulations: Int) -> Double {
  3 * (chance * (1 - chance) / Double(simulations)).squareRoot()
}

/// Inner products of rows, `[rows, rows]`.
func innerProducts(_ rows: [[Double]]) -> [Double] {
  var products: [Double] = []
  for a in rows {
    for b in rows {
      var sum = 0.0
      for (x, y) in zip(a, b) { sum += x * y }
      products.append(sum)
    }
  }
  return products
}
