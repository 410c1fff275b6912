import Testing

@testable import TensorCore

/// Products with unfolded images against the definition, the other kernels against these.
@Suite struct ConvolutionTests {
  struct Extents: Sendable, CustomTestStringConvertible {
    let channels: (Int, Int)
    let size: (Int, Int)
    let kernel: Int
    let padding: Int

    var testDescription: String { "\(channels.0)→\(channels.1), \(size), \(kernel), \(padding)" }
  }

  static let cases: [Extents] = {
    var stream = RandomStream(seed: 8)
    var cases: [Extents] = []
    for outputs in 1...17 {
      let kernel = [1, 2, 3, 5][stream.integer(below: 4)]
      cases.append(
        Extents(
          channels: (1 + stream.integer(below: 9), outputs),
          size: (kernel + stream.integer(below: 12), kernel + stream.integer(below: 20)),
          kernel: kernel, padding: stream.integer(below: kernel)))
    }
    for width in [1, 2, 3, 7, 8, 9, 16, 28] {
      for kernel in [1, 3] {
        cases.append(
          Extents(channels: (3, 6), size: (width, width), kernel: kernel, padding: kernel / 2))
      }
    }
    return cases
  }()

  @Test(arguments: cases, [1, 2, 3])
  func unfoldingIsTheDefinition(extents: Extents, stride: Int) {
    let x = random([10, extents.channels.0, extents.size.0, extents.size.1], 1)
    let weight = random(
      [extents.channels.1, extents.channels.0, extents.kernel, extents.kernel], 2)
    let shape = ConvolutionShape(
      x.shape, weight: weight.shape, stride: stride, padding: extents.padding)
    let gradient = random(shape.outputShape, 3)
    let bias = random([10, extents.channels.1], 4)
    let unfolded = UnfoldedConvolution(shape)
    let expected = definition(shape, x, weight, bias, gradient)
    expectClose(unfolded.forward(x, weight, bias: bias), expected.result, 1e-5, "forward")
    expectClose(
      unfolded.inputGradient(gradient, weight), expected.inputGradient, 1e-5, "input gradient")
    expectClose(
      unfolded.weightGradient(x, gradient), expected.weightGradient, 1e-5, "weight gradient")
  }

  /// A convolution and its gradients, in doubles, product by product.
  private func definition(
    _ shape: ConvolutionShape, _ x: Tensor, _ weight: Tensor, _ bias: Tensor, _ gradient: Tensor
  ) -> (result: Tensor, inputGradient: Tensor, weightGradient: Tensor) {
    var result = bias.values.flatMap {
      [Double](repeating: Double($0), count: shape.outputHeight * shape.outputWidth)
    }
    var inputGradient = [Double](repeating: 0, count: x.count)
    var weightGradient = [Double](repeating: 0, count: weight.count)
    let (x, weight, gradient) = (x.values, weight.values, gradient.values)
    var place = 0
    for image in 0..<shape.batch {
      for output in 0..<shape.outputs {
        for row in 0..<shape.outputHeight {
          for column in 0..<shape.outputWidth {
            for input in 0..<shape.inputs {
              for y in 0..<shape.kernelHeight {
                for z in 0..<shape.kernelWidth {
                  let h = row * shape.stride + y - shape.padding
                  let w = column * shape.stride + z - shape.padding
                  guard (0..<shape.height).contains(h), (0..<shape.width).contains(w) else {
                    continue
                  }
                  let pixel = ((image * shape.inputs + input) * shape.height + h) * shape.width + w
                  let tap =
                    ((output * shape.inputs + input) * shape.kernelHeight + y) * shape.kernelWidth
                    + z
                  result[place] += Double(x[pixel]) * Double(weight[tap])
                  inputGradient[pixel] += Double(gradient[place]) * Double(weight[tap])
                  weightGradient[tap] += Double(gradient[place]) * Double(x[pixel])
                }
              }
            }
            place += 1
          }
        }
      }
    }
    return (
      Tensor(result.map(Float.init), shape: shape.outputShape),
      Tensor(inputGradient.map(Float.init), shape: shape.inputShape),
      Tensor(weightGradient.map(Float.init), shape: shape.weightShape)
    )
  }

  /// Strides above 1, whose kernels and images need not divide evenly.
  @Test(arguments: [(1, 2, 0), (2, 2, 0), (3, 2, 1), (4, 2, 1), (5, 3, 2), (7, 2, 3), (2, 3, 0)])
  func phasesAgreeWithUnfolding(kernel: Int, stride: Int, padding: Int) {
    for (height, width) in [(7, 7), (8, 8), (9, 14), (16, 10)] {
      let x = random([3, 4, height, width], 1)
      let weight = random([5, 4, kernel, kernel], 2)
      let bias = random([3, 5], 4)
      let shape = ConvolutionShape(
        x.shape, weight: weight.shape, stride: stride, padding: padding)
      let gradient = random(shape.outputShape, 3)
      let unfolded = UnfoldedConvolution(shape)
      expectClose(
        x.convolved(weight, bias: bias, stride: stride, padding: padding),
        unfolded.forward(x, weight, bias: bias), 1e-5, "forward")
      let found = vectorJacobianProduct(at: [x, weight], cotangent: gradient) {
        $0[0].convolved($0[1], stride: stride, padding: padding)
      }
      expectClose(found[0], unfolded.inputGradient(gradient, weight), 1e-5, "input gradient")
      expectClose(found[1], unfolded.weightGradient(x, gradient), 1e-5, "weight gradient")
    }
  }

  /// Fewer, as many and more tiles in a row than a vector holds, and channels that fill no block.
  static let tiled: [Extents] = [
    ((8, 8), (2, 2)), ((9, 13), (4, 6)), ((24, 24), (16, 16)), ((32, 16), (8, 8)),
    ((10, 40), (14, 14)), ((17, 31), (28, 28)), ((12, 8), (18, 32)), ((8, 24), (6, 50)),
  ].map { Extents(channels: $0.0, size: $0.1, kernel: 3, padding: 1) }

  /// Odd extents of the result, all paddings, and the 2×2 kernels.
  static let uneven: [Extents] = [2, 3].flatMap { kernel in
    (0..<kernel).flatMap { padding in
      [
        ((8, 8), (3, 3)), ((9, 13), (5, 4)), ((24, 24), (15, 15)), ((32, 16), (8, 9)),
        ((10, 40), (14, 7)), ((17, 31), (29, 28)), ((12, 8), (19, 33)),
      ].map { Extents(channels: $0.0, size: $0.1, kernel: kernel, padding: padding) }
    }
  }

  @Test(arguments: tiled + uneven)
  func tilesAgreeWithUnfolding(extents: Extents) throws {
    let x = random([5, extents.channels.0, extents.size.0, extents.size.1], 1)
    let weight = random(
      [extents.channels.1, extents.channels.0, extents.kernel, extents.kernel], 2)
    let shape = ConvolutionShape(
      x.shape, weight: weight.shape, stride: 1, padding: extents.padding)
    #expect(WinogradConvolution.suits(shape))
    let gradient = random(shape.outputShape, 3)
    let unfolded = UnfoldedConvolution(shape)
    for bias in [random([5, extents.channels.1], 4), random([extents.channels.1], 5)] {
      expectClose(
        WinogradConvolution(shape, weight, isTransposed: false).run(x, bias: bias),
        unfolded.forward(x, weight, bias: bias), 1e-5, "forward")
    }
    let transposed = try #require(shape.transposed)
    expectClose(
      WinogradConvolution(transposed, weight, isTransposed: true).run(gradient, bias: nil),
      unfolded.inputGradient(gradient, weight), 1e-5, "input gradient")
    expectClose(
      WinogradWeightGradient(shape).run(x, gradient), unfolded.weightGradient(x, gradient), 1e-5,
      "weight gradient")
  }

  /// Sums of 432 products, beside those of doubles: the tiles' root mean square error is near that of
  /// the direct sum.
  @Test func tilesRoundAboutAsTheDirectSum() {
    let (x, weight) = (random([1, 48, 16, 16], 1), random([48, 48, 3, 3], 2))
    let shape = ConvolutionShape(x.shape, weight: weight.shape, stride: 1, padding: 1)
    let (values, factors) = (x.values.map(Double.init), weight.values.map(Double.init))
    func exact(_ output: Int, _ row: Int, _ column: Int) -> Double {
      var sum = 0.0
      for input in 0..<48 {
        for y in max(row - 1, 0)...min(row + 1, 15) {
          for x in max(column - 1, 0)...min(column + 1, 15) {
            sum +=
              values[(input * 16 + y) * 16 + x]
              * factors[((output * 48 + input) * 3 + y - row + 1) * 3 + x - column + 1]
          }
        }
      }
      return sum
    }
    func error(_ found: Tensor) -> Double {
      var sum = 0.0
      for output in 0..<6 {
        for row in 0..<16 {
          for column in 0..<16 {
            let found = Double(found[(output * 16 + row) * 16 + column])
            let difference = found - exact(output, row, column)
            sum += difference * difference
          }
        }
      }
      return sum.squareRoot()
    }
    let tiles = WinogradConvolution(shape, weight, isTransposed: false).run(x, bias: nil)
    let direct = UnfoldedConvolution(shape).forward(x, weight, bias: nil)
    #expect(error(tiles) < 1.5 * error(direct))
    #expect(error(direct) > 0)
  }

  @Test func bitsAreTheSameForAnyNumberOfThreads() {
    for kernel in [2, 3] { threadsAgree(random([9, 24, kernel, kernel], 2)) }
  }

  private func threadsAgree(_ weight: Tensor) {
    let x = random([37, 24, 8, 8], 1)
    let shape = ConvolutionShape(x.shape, weight: weight.shape, stride: 1, padding: 1)
    let gradient = random(shape.outputShape, 3)
    let results = [1, 2, 5].map { threads in
      Compute.$pool.withValue(ThreadPool(count: threads)) {
        WinogradConvolution(shape, weight, isTransposed: false).run(x, bias: nil).values
          + WinogradWeightGradient(shape).run(x, gradient).values
          + UnfoldedConvolution(shape).forward(x, weight, bias: nil).values
          + UnfoldedConvolution(shape).weightGradient(x, gradient).values
      }
    }
    #expect(results[0] == results[1])
    #expect(results[0] == results[2])
  }
}
