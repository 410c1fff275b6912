import Foundation
import TensorCore
import Testing

@testable import Reports

/// Six samples of nine dimensions; coefficients are scikit-learn 1.7's (`Ridge` by SVD,
/// `LogisticRegression` by Newton's method with C = 1/λ, both without an intercept).
@Suite struct KernelRegressionTests {
  static let (samples, width) = (6, 9)
  static let data = (0..<samples).map { i -> [Double] in
    (0..<width).map { j -> Double in
      let angle = 1 + 3 * Double(i) + 0.7 * Double(j) * Double(i + 1)
      return sin(angle)
    }
  }
  static let targets: [Double] = [1, -1, 1, 1, -1, -1]
  static let kernel = innerProducts(data)

  private func weights(_ duals: [Double]) -> [Double] {
    (0..<Self.width).map { j in
      zip(duals, Self.data).reduce(0) { $0 + $1.0 * $1.1[j] }
    }
  }

  @Test(
    arguments: [
      (
        0.01,
        [
          0.3536124944, 0.5098266203, -0.4292868023, 0.4532428236, -0.4843701976, -0.1783036925,
          0.4574686927, -0.890919581, 0.2123956875,
        ]
      ),
      (
        0.5,
        [
          0.3184732039, 0.4516584183, -0.3536140097, 0.3620074388, -0.4092181017, -0.1478240575,
          0.3692632593, -0.7620523435, 0.1746837941,
        ]
      ),
      (
        10.0,
        [
          0.109144048, 0.144893495, -0.07801495266, 0.06383406794, -0.1050341253, -0.03416559296,
          0.07103394863, -0.2088484564, 0.03840807153,
        ]
      ),
    ])
  func ridgeAgreesWithScikitLearn(penalty: Double, expected: [Double]) throws {
    let ridge = try KernelRidge(kernel: Self.kernel, count: Self.samples)
    let found = weights(ridge.duals(Self.targets, penalty: penalty))
    for (a, b) in zip(found, expected) { #expect(abs(a - b) < 1e-8) }
  }

  @Test(
    arguments: [
      (
        0.01,
        [
          1.620419286, 2.279718325, -1.728714297, 1.743963573, -2.023980655, -0.7245366242,
          1.787306474, -3.788453127, 0.8515373877,
        ]
      ),
      (
        0.5,
        [
          0.5508088474, 0.75022498, -0.4784195677, 0.44018047, -0.5988181378, -0.204376383,
          0.4666287026, -1.155126689, 0.2350169502,
        ]
      ),
      (
        10.0,
        [
          0.07104006027, 0.09287296613, -0.04458542266, 0.03295738952, -0.06335142671,
          -0.01992967587, 0.03839245525, -0.1285778657, 0.02200715434,
        ]
      ),
    ])
  func logisticAgreesWithScikitLearn(penalty: Double, expected: [Double]) throws {
    let duals = try KernelLogistic.duals(
      kernel: Self.kernel, targets: Self.targets, penalty: penalty)
    for (a, b) in zip(weights(duals), expected) { #expect(abs(a - b) < 1e-4) }
    // From a neighbour's duals the way is shorter, and ends at the same place.
    let warm = try KernelLogistic.duals(
      kernel: Self.kernel, targets: Self.targets, penalty: penalty, start: duals.map { 2 * $0 })
    for (a, b) in zip(weights(warm), expected) { #expect(abs(a - b) < 1e-4) }
  }

  /// scikit-learn's predictions of blocks that it was not fitted to, at λ = 0.5.
  @Test func heldOutResidualsAreThoseOfRefitting() throws {
    let ridge = try KernelRidge(kernel: Self.kernel, count: Self.samples)
    let turned = ridge.turned(Self.targets, columns: 1)
    let found = try ridge.heldOutResiduals(of: turned, blocks: [[0, 1], [2, 5]], penalty: 0.5)
    let expected = [0.9985731503, -0.9929665609, 1.003242038, 0, 0, -0.9551503876]
    for (a, b) in zip(found, expected) { #expect(abs(a - b) < 1e-8) }
  }

  @Test func unusableDataAreRefused() {
    #expect(throws: UserError.self) { try KernelRidge(kernel: [.nan], count: 1) }
    #expect(throws: UserError.self) {
      try KernelLogistic.duals(kernel: [.infinity], targets: [1], penalty: 1)
    }
  }
}

@Suite struct RankCorrelationTests {
  /// scipy.stats.spearmanr, with ties on both sides.
  @Test func agreesWithScipy() {
    let found = RankCorrelation.spearman([3, 1, 4, 1, 5, 9, 2, 6], [2, 7, 1, 8, 2, 8, 1, 8])
    #expect(abs(found - 0.19885368120992467) < 1e-14)
    #expect(RankCorrelation.spearman([1, 2, 3], [-1, -10, -100]) == -1)
    #expect(RankCorrelation.spearman([1, 1, 1], [1, 2, 3]).isNaN)
  }
}

/// Eight conditions of five dimensions; numbers of the primal algorithm in numpy (Kobak et al. 2016:
/// the regression of Xᵩ on X by d × d normal equations, and an SVD of its predictions).
@Suite struct DemixedPCATests {
  @Test func agreesWithThePrimalAlgorithm() throws {
    var rows = (0..<8).map { i -> [Double] in
      (0..<5).map { j -> Double in
        let angle = 0.3 + 1.9 * Double(i) + 0.31 * Double(j) * Double(i + 2)
        return cos(angle)
      }
    }
    for j in 0..<5 {
      let mean = rows.reduce(0) { $0 + $1[j] } / 8
      for i in 0..<8 { rows[i][j] -= mean }
    }
    let kernel = innerProducts(rows)
    let f = (0..<8).map { $0 & 1 == 1 ? 1.0 : -1 }
    let g = (0..<8).map { $0 & 2 == 2 ? 1.0 : -1 }
    let projection = (0..<64).map { entry -> Double in
      let (i, j) = (entry / 8, entry % 8)
      return (f[i] * f[j] + f[i] * g[i] * f[j] * g[j]) / 8
    }
    let axes = try DemixedPCA(kernel: kernel, projection: projection, penalty: 0.3, rank: 5).axes
    try #require(axes.count == 2)
    let expected = [
      (
        7.99318250, 0.9982790069045092,
        [
          0.902776538, -1.028568202, 1.054359675, -0.9683148105, 0.9898958709, -0.9983384626,
          1.047124986, -0.9989355955,
        ]
      ),
      (
        1.50795306, 0.7375214578898371,
        [
          0.4996466545, -0.3905591743, -0.3935670092, 0.2160202707, 0.04001729694, -0.5899448764,
          -0.1170533313, 0.735440169,
        ]
      ),
    ]
    for (axis, (predicted, demixed, scores)) in zip(axes, expected) {
      #expect(abs(axis.predicted - predicted) < 1e-7 && abs(axis.demixed - demixed) < 1e-8)
      let sign = axis.scores[0] < 0 ? -1.0 : 1
      for (a, b) in zip(axis.scores, scores) { #expect(abs(sign * a - b) < 1e-8) }
      // The scores are what the decoder says of the samples themselves.
      for i in 0..<8 {
        let score = (0..<8).reduce(0) { $0 + axis.duals[$1] * kernel[$1 * 8 + i] }
        #expect(abs(score - axis.scores[i]) < 1e-10)
      }
    }
  }
}
