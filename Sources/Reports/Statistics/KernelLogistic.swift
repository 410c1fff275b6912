import Foundation
import TensorCore

/// Logistic regression with an L2 penalty in its dual form, by Newton's method.
///
/// The weights that minimise Σ log(1 + exp(−yᵢ wᵀxᵢ)) + (λ / 2) ‖w‖² are w = Xᵀ α; a new sample x has
/// the log odds Σ αᵢ ⟨xᵢ, x⟩. There is no intercept.
public enum KernelLogistic {
  /// α.
  ///
  /// - Parameters:
  ///   - kernel: ⟨xᵢ, xⱼ⟩, `[n, n]`.
  ///   - targets: +1 or −1.
  ///   - penalty: λ, above 0.
  ///   - start: duals to begin with, such as those of a neighbouring penalty.
  /// - Throws: `UserError` for values that are not finite.
  public static func duals(
    kernel: [Double], targets: [Double], penalty: Double, start: [Double]? = nil
  ) throws -> [Double] {
    let n = targets.count
    precondition(kernel.count == n * n && penalty > 0)
    var duals = start ?? [Double](repeating: 0, count: n)
    var odds = product(kernel, duals)
    var loss = objective(odds, duals, targets, penalty)
    for _ in 0..<100 {
      // Newton's step in the dual (Rasmussen and Williams 2006, algorithm 3.1):
      // α' = b − W½ B⁻¹ W½ K b / λ, with B = 1 + W½ K W½ / λ and b = (W f + gradient) / λ.
      let chances = odds.map { 1 / (1 + exp(-$0)) }
      let roots = chances.map { max($0 * (1 - $0), 1e-12).squareRoot() }
      let b = (0..<n).map { i in
        (roots[i] * roots[i] * odds[i] + (targets[i] > 0 ? 1 : 0) - chances[i]) / penalty
      }
      var system = [Double](repeating: 0, count: n * n)
      for i in 0..<n {
        let scale = roots[i] / penalty
        for j in i..<n { system[i * n + j] = scale * kernel[i * n + j] * roots[j] }
        system[i * n + i] += 1
      }
      let kb = product(kernel, b)
      let solved = try PositiveDefiniteSolve.solutions(
        system, order: n, right: (0..<n).map { roots[$0] * kb[$0] })
      let target = (0..<n).map { b[$0] - roots[$0] * solved[$0] / penalty }
      // The objective is convex, so a step that is short enough goes down.
      var step = 1.0
      var found: (duals: [Double], odds: [Double], loss: Double)?
      while found == nil, step > 1e-6 {
        let next = (0..<n).map { duals[$0] + step * (target[$0] - duals[$0]) }
        let nextOdds = product(kernel, next)
        let nextLoss = objective(nextOdds, next, targets, penalty)
        if nextLoss <= loss { found = (next, nextOdds, nextLoss) }
        step /= 2
      }
      guard let found else { break }
      let gain = loss - found.loss
      (duals, odds, loss) = found
      if gain <= 1e-9 * (1 + loss.magnitude) { break }
    }
    return duals
  }

  /// Σ log(1 + exp(−y f)).
  static func logLoss(_ odds: [Double], _ targets: [Double]) -> Double {
    zip(odds, targets).reduce(0) { sum, pair in
      let x = -pair.0 * pair.1
      return sum + (x > 0 ? x + log1p(exp(-x)) : log1p(exp(x)))
    }
  }

  private static func objective(
    _ odds: [Double], _ duals: [Double], _ targets: [Double], _ penalty: Double
  ) -> Double {
    logLoss(odds, targets) + penalty / 2 * zip(odds, duals).reduce(0) { $0 + $1.0 * $1.1 }
  }

  private static func product(_ kernel: [Double], _ vector: [Double]) -> [Double] {
    let n = vector.count
    var result = [Double](repeating: 0, count: n)
    guard n > 0 else { return result }
    gemm(m: n, n: 1, k: n, a: kernel, b: vector, transposeB: false, c: &result)
    return result
  }
}
