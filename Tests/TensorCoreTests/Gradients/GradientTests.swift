import TensorCore
import Testing

/// Every operation's gradient, and its gradient's gradient, against central differences.
@Suite struct GradientTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let name: String
    let inputs: [Tensor]
    let step: Float
    let function: @Sendable ([Tensor]) -> Tensor

    init(
      _ name: String, _ inputs: [Tensor], step: Float = 0.01,
      _ function: @escaping @Sendable ([Tensor]) -> Tensor
    ) {
      self.name = name
      self.inputs = inputs
      self.step = step
      self.function = function
    }

    var testDescription: String { name }
  }

  /// Values at least 0.2 from 0.
  static func away(_ shape: [Int], _ seed: UInt64) -> Tensor {
    Tensor(
      random(shape, seed).values.map { $0 < 0 ? $0 - 0.2 : $0 + 0.2 }, shape: shape)
  }

  static func positive(_ shape: [Int], _ seed: UInt64) -> Tensor {
    random(shape, seed, scale: 0.5) + 1
  }

  /// Values at least 0.1 apart.
  static func apart(_ shape: [Int], _ seed: UInt64) -> Tensor {
    let count = shape.reduce(1, *)
    var values = (0..<count).map { Float($0) / 10 - Float(count) / 20 }
    var stream = RandomStream(seed: seed, path: [42])
    stream.shuffle(&values)
    return Tensor(values, shape: shape)
  }

  static let arithmetic: [Case] = [
    Case("sum", [random([3, 5], 1), random([3, 5], 2)]) { $0[0] + $0[1] * $0[1] },
    Case("sum, broadcast", [random([2, 3, 4], 1), random([3, 1], 2)]) { ($0[0] + $0[1]).squared() },
    Case("difference", [random([4, 3], 1), random([3], 2)]) { ($0[0] - $0[1]).squared() },
    Case("product", [random([2, 3, 4, 5], 1), random([3, 1, 1], 2)]) { $0[0] * $0[1] },
    Case("product of outer shapes", [random([4, 1], 1), random([5], 2)]) { $0[0] * $0[1] * $0[0] },
    Case("quotient", [random([3, 9], 1), positive([3, 1], 2)]) { $0[0] / $0[1] },
    Case("scaled", [random([7], 1)]) { (3 - $0[0] * 2).squared() / 4 },
    Case("scaled sum", [random([9], 1), random([9], 2)]) {
      Tensor.scaledSum($0[0], $0[1], factor: 0.7).squared()
    },
    Case("sums", [random([3, 4, 5], 1)]) { $0[0].sum(over: [1]).squared() },
    Case("means", [random([3, 4, 5], 1)]) { $0[0].mean(over: [0, 2]).squared() },
    Case("mean", [random([3, 4, 5], 1)]) { $0[0].mean().squared() },
    Case("repetition", [random([3, 1], 1)]) { $0[0].broadcast(to: [2, 3, 4]).squared() },
  ]

  static let shapes: [Case] = [
    Case("reshape", [random([3, 4], 1)]) { $0[0].squared().reshaped([2, -1]) },
    Case("permutation", [random([2, 3, 4], 1)]) { $0[0].permuted([2, 0, 1]).squared() },
    Case("transposition", [random([2, 3, 4], 1)]) { $0[0].transposed().squared() },
    Case("slice", [random([2, 5, 3], 1)]) { $0[0].slice(1, 1..<4).squared() },
    Case("padding", [random([2, 5, 3], 1)]) { $0[0].padded(-1, before: 1, after: 2).squared() },
    Case("concatenation", [random([2, 3, 4], 1), random([2, 1, 4], 2)]) {
      Tensor.concatenated($0, 1).squared()
    },
    Case("rows by number", [random([5, 3], 1)]) { $0[0].gathered([4, 0, 4]).squared() },
  ]

  static let elementary: [Case] = [
    Case("exp", [random([11], 1)]) { $0[0].exp() },
    Case("log", [positive([11], 1)]) { $0[0].log() },
    Case("square root", [positive([11], 1)]) { $0[0].squareRoot() },
    Case("square", [random([11], 1)]) { $0[0].squared() * $0[0] },
    Case("sine", [random([11], 1, scale: 3)]) { $0[0].sine() },
    Case("cosine", [random([11], 1, scale: 3)]) { $0[0].cosine() },
    Case("tanh", [random([11], 1, scale: 2)]) { $0[0].tanh() },
    Case("sigmoid", [random([11], 1, scale: 3)], step: 0.02) { $0[0].sigmoid() },
    Case("softplus", [random([11], 1, scale: 3)], step: 0.02) { $0[0].softplus() },
    Case("SiLU", [random([19], 1, scale: 3)], step: 0.02) { $0[0].silu() },
    Case("GELU", [random([11], 1, scale: 2)], step: 0.03) { $0[0].gelu() },
    Case("leaky ReLU", [away([13], 1)]) { $0[0].leakyReLU(slope: 0.2).squared() },
    Case("ReLU", [away([13], 1)]) { $0[0].relu().squared() },
  ]

  static let products: [Case] = [
    Case("product of matrices", [random([4, 3], 1), random([3, 5], 2)]) {
      Tensor.product($0[0], $0[1])
    },
    Case("product, left transposed", [random([2, 3, 4], 1), random([2, 3, 5], 2)]) {
      Tensor.product($0[0], $0[1], transposeA: true)
    },
    Case("product, right transposed", [random([2, 4, 3], 1), random([2, 5, 3], 2)]) {
      Tensor.product($0[0], $0[1], transposeB: true)
    },
    Case("product, both transposed", [random([3, 4], 1), random([5, 3], 2)]) {
      Tensor.product($0[0], $0[1], transposeA: true, transposeB: true)
    },
    Case("product, one left for all", [random([4, 3], 1), random([2, 3, 5], 2)]) {
      Tensor.product($0[0], $0[1])
    },
    Case("product, one right for all", [random([2, 4, 3], 1), random([3, 5], 2)]) {
      Tensor.product($0[0], $0[1])
    },
    Case("linear", [random([2, 4, 3], 1), random([5, 3], 2), random([5], 3)]) {
      $0[0].linear($0[1], bias: $0[2])
    },
    Case("softmax", [random([3, 6], 1, scale: 2)]) { $0[0].softmax(scale: 0.8) },
    Case("log-sum-exp", [random([3, 6], 1, scale: 2)]) { $0[0].logSumExp() },
    Case("cross entropy", [random([3, 6], 1, scale: 2)]) { $0[0].crossEntropy(labels: [5, 0, 2]) },
    Case("attention", [random([2, 4, 5], 1), random([2, 4, 6], 2), random([2, 3, 6], 3)]) {
      Tensor.attention(query: $0[0], key: $0[1], value: $0[2])
    },
  ]

  static let pictures: [Case] = [
    Case("convolution 3×3", [random([2, 3, 5, 6], 1), random([4, 3, 3, 3], 2), random([4], 3)]) {
      $0[0].convolved($0[1], bias: $0[2], padding: 1)
    },
    Case(
      "convolution, bias by sample",
      [random([2, 3, 9, 9], 1), random([7, 3, 3, 3], 2), random([2, 7], 3)]
    ) { $0[0].convolved($0[1], bias: $0[2], padding: 1) },
    Case("convolution 1×1", [random([2, 5, 4, 4], 1), random([6, 5, 1, 1], 2)]) {
      $0[0].convolved($0[1])
    },
    Case("convolution without padding", [random([1, 2, 6, 5], 1), random([3, 2, 4, 4], 2)]) {
      $0[0].convolved($0[1])
    },
    Case("convolution, stride 2", [random([2, 3, 6, 8], 1), random([5, 3, 4, 4], 2)]) {
      $0[0].convolved($0[1], stride: 2, padding: 1)
    },
    Case("convolution, stride 2 of odd size", [random([2, 2, 7, 5], 1), random([3, 2, 3, 3], 2)]) {
      $0[0].convolved($0[1], stride: 2, padding: 1)
    },
    Case("downsampling", [random([1, 2, 6, 8], 1)]) {
      $0[0].downsampled(ResampleFilter([1, 3, 3, 1])).squared()
    },
    Case("upsampling", [random([1, 2, 3, 4], 1)]) {
      $0[0].upsampled(ResampleFilter([1, 3, 3, 1])).squared()
    },
    Case("average pooling", [random([2, 2, 4, 4], 1)]) { $0[0].averagePooled().squared() },
    Case("maximum pooling", [apart([2, 2, 4, 6], 1)]) {
      $0[0].maxPooled(size: 2, stride: 2).squared()
    },
    Case("maximum pooling of overlapping windows", [apart([1, 2, 5, 6], 1)]) {
      $0[0].maxPooled(size: 3, stride: 2, padding: 1).squared()
    },
    Case("repetition of pixels", [random([2, 2, 3, 3], 1)]) {
      $0[0].upsampled(ResampleFilter([1, 1])).squared()
    },
    Case("bilinear", [random([2, 2, 3, 4], 1)]) {
      $0[0].resizedBilinearly(height: 6, width: 8).squared()
    },
  ]

  static let norms: [Case] = [
    Case("group norm", [random([2, 6, 3, 5], 1), random([6], 2), random([6], 3)], step: 0.005) {
      $0[0].groupNormalised(groups: 2, weight: $0[1], bias: $0[2], epsilon: 1e-5)
    },
    Case(
      "group norm, SiLU", [random([2, 4, 3, 4], 1), random([4], 2), random([4], 3)], step: 0.005
    ) {
      $0[0].groupNormalised(groups: 2, weight: $0[1], bias: $0[2], epsilon: 1e-5, silu: true)
    },
    Case(
      "adaptive group norm", [random([2, 4, 3, 4], 1), random([2, 4], 2), random([2, 4], 3)],
      step: 0.005
    ) {
      $0[0].groupNormalised(groups: 1, weight: $0[1], bias: $0[2], epsilon: 1e-5, silu: true)
    },
    Case("batch norm", [random([3, 4, 3, 3], 1), random([4], 2), random([4], 3)], step: 0.005) {
      $0[0].batchNormalised(weight: $0[1], bias: $0[2])
    },
    Case("spectral norm", [random([4, 3, 2, 2], 1)]) {
      var norm = SpectralNorm(left: random([4], 2), right: random([12], 3))
      norm.iterate(random([4, 3, 2, 2], 1))
      return norm.normalised($0[0])
    },
  ]

  static let transformers: [Case] =
    [
      Case("RMS norm", [random([6, 5], 1), random([5], 2)], step: 0.005) {
        $0[0].rootMeanSquareNormalised(weight: $0[1], epsilon: 1e-2)
      },
      Case(
        "RMS norm of heads with own weights", [random([6, 9], 1), random([27], 2)], step: 0.005
      ) {
        $0[0].rootMeanSquareNormalised(weight: $0[1], epsilon: 1e-2)
      },
      Case("layer norm", [random([4, 9], 1), random([9], 2), random([9], 3)], step: 0.005) {
        $0[0].layerNormalised(weight: $0[1], bias: $0[2], epsilon: 1e-2)
      },
      Case("layer norm without bias", [random([4, 9], 1), random([9], 2)], step: 0.005) {
        $0[0].layerNormalised(weight: $0[1], bias: nil, epsilon: 1e-2)
      },
      Case("rotation of halves", [random([3, 20], 1)]) {
        $0[0].rotated(angles(pairsNeighbours: false), headWidth: 10).squared()
      },
      Case("rotation of neighbours", [random([3, 20], 1)]) {
        $0[0].rotated(angles(pairsNeighbours: true), headWidth: 10).squared()
      },
      Case("clip", [apart([4, 5], 1)]) { $0[0].clipped(to: 0.53).squared() },
      Case("soft cap", [random([9], 1)]) { $0[0].softCapped(0.7) },
      Case("packed product", [random([5, 6], 1)]) { packedProduct.linear($0[0], packed).squared() },
      Case("transposed packed product", [random([5, 7], 1)]) {
        packedProduct.transposed($0[0], packed).squared()
      },
    ]
    + Activation.allCases.flatMap { activation in
      [
        Case("\(activation)", [random([13], 1, scale: 3)]) { $0[0].activated(activation) },
        Case("gate by \(activation)", [random([13], 1, scale: 3), random([13], 2)]) {
          Tensor.gated(activation, gate: $0[0], up: $0[1])
        },
      ]
    }

  static func angles(pairsNeighbours: Bool) -> RotaryAngles {
    // Cosines and sines of no angle: the adjoint is not the inverse.
    RotaryAngles(
      cosines: random([3, 4], 8), sines: random([3, 4], 9), pairsNeighbours: pairsNeighbours)
  }

  static let packed = PackedLinear(
    StoredMatrix(f32: random([9, 6], 3).values, rows: 9, columns: 6), bias: random([7], 4),
    rowOrder: [3, 1, 8, 0, 2, 7, 5])

  static var packedProduct: PackedProduct {
    PackedProduct(pool: Compute.pool)
  }

  @Test(
    arguments: arithmetic + shapes + elementary + products + pictures + norms + transformers)
  func agreesWithCentralDifferences(of operation: Case) {
    expectGradients(operation.name, at: operation.inputs, step: operation.step, operation.function)
  }
}
