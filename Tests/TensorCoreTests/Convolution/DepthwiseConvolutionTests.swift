import Testing

@testable import TensorCore

/// Depthwise convolution against the convolution whose kernel is zero between channels, and its
/// derivatives against finite differences.
@Suite struct DepthwiseConvolutionTests {
  static let cases = [
    [1, 1, 1, 1, 1, 1], [2, 3, 7, 9, 3, 1], [1, 5, 16, 16, 5, 1], [2, 4, 9, 8, 3, 2],
    [1, 3, 15, 17, 5, 2], [1, 2, 5, 5, 5, 2], [1, 2, 9, 25, 3, 3], [1, 2, 4, 4, 1, 2],
  ]

  private func tensors(_ extents: [Int]) -> (x: Tensor, weight: Tensor, stride: Int) {
    (
      random([extents[0], extents[1], extents[2], extents[3]], 1),
      random([extents[1], 1, extents[4], extents[4]], 2), extents[5]
    )
  }

  @Test(arguments: cases) func agreesWithTheWholeConvolution(_ extents: [Int]) {
    let (x, weight, stride) = tensors(extents)
    let (channels, taps) = (extents[1], extents[4] * extents[4])
    var whole = [Float](repeating: 0, count: channels * channels * taps)
    for channel in 0..<channels {
      for tap in 0..<taps {
        whole[(channel * channels + channel) * taps + tap] = weight[channel * taps + tap]
      }
    }
    let kernel = Tensor(whole, shape: [channels, channels, extents[4], extents[4]])
    expectClose(
      x.depthwiseConvolved(weight, stride: stride), x.convolved(kernel, stride: stride), 1e-5,
      "forward")
  }

  @Test(arguments: cases) func slopes(_ extents: [Int]) {
    let (x, weight, stride) = tensors(extents)
    let shape = x.depthwiseConvolved(weight, stride: stride).shape
    let direction = random(shape, 3)
    func loss(_ x: Tensor, _ weight: Tensor) -> Tensor {
      (x.depthwiseConvolved(weight, stride: stride) * direction).sum()
    }
    // Linear in each factor: a difference over any step is exact but for rounding.
    let (dx, dw) = (random(x.shape, 4), random(weight.shape, 5))
    let slope = gradient(at: x) { loss($0, weight) }
    let base = loss(x, weight)[0]
    #expect(abs((slope * dx).sum()[0] - (loss(x + dx, weight)[0] - base)) < 1e-3)
    let weightSlope = gradient(at: weight) { loss(x, $0) }
    #expect(abs((weightSlope * dw).sum()[0] - (loss(x, weight + dw)[0] - base)) < 1e-3)
    // The slope of a slope, as a gradient penalty takes it: |∂loss/∂x|² is quadratic in the weight.
    func penalty(_ weight: Tensor) -> Tensor {
      gradient(at: x) { loss($0, weight) }.squared().sum()
    }
    let second = gradient(at: weight) { penalty($0) }
    let step: Float = 0.125
    let difference = (penalty(weight + dw.scaled(by: step)) - penalty(weight - dw.scaled(by: step)))
      .scaled(by: 0.5 / step)
    let expected = difference[0]
    #expect(abs((second * dw).sum()[0] - expected) < 2e-3 * max(abs(expected), 1))
  }
}
