import Testing

@testable import TensorCore

/// The kernels of stride 1 against products with unfolded images.
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

  @Test(arguments: cases)
  func directKernelsAgreeWithUnfolding(extents: Extents) throws {
    let x = random([5, extents.channels.0, extents.size.0, extents.size.1], 1)
    let weight = random(
      [extents.channels.1, extents.channels.0, extents.kernel, extents.kernel], 2)
    let shape = ConvolutionShape(
      x.shape, weight: weight.shape, stride: 1, padding: extents.padding)
    let gradient = random(shape.outputShape, 3)
    let unfolded = UnfoldedConvolution(shape)
    let bias = random([5, extents.channels.1], 4)
    expectClose(
      DirectConvolution(shape, weight, isTransposed: false).run(x, bias: bias),
      unfolded.forward(x, weight, bias: bias), 1e-5, "forward")
    let transposed = try #require(shape.transposed)
    expectClose(
      DirectConvolution(transposed, weight, isTransposed: true).run(gradient, bias: nil),
      unfolded.inputGradient(gradient, weight), 1e-5, "input gradient")
    expectClose(
      DirectWeightGradient(shape).run(x, gradient), unfolded.weightGradient(x, gradient), 1e-5,
      "weight gradient")
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
    let direct = DirectConvolution(shape, weight, isTransposed: false).run(x, bias: nil)
    #expect(error(tiles) < 1.5 * error(direct))
    #expect(error(direct) > 0)
  }

  @Test func tilesAreTheSameBitsForAnyNumberOfThreads() {
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
      }
    }
    #expect(results[0] == results[1])
    #expect(results[0] == results[2])
  }

  @Test func unfoldingIsTheDefinition() {
    let (x, weight) = (random([2, 2, 5, 7], 1), random([3, 2, 3, 3], 2))
    for (stride, padding) in [(1, 0), (1, 1), (2, 1), (3, 2)] {
      let shape = ConvolutionShape(x.shape, weight: weight.shape, stride: stride, padding: padding)
      let result = UnfoldedConvolution(shape).forward(x, weight, bias: nil)
      var expected = Tensor(zeros: shape.outputShape)
      var place = 0
      for image in 0..<2 {
        for output in 0..<3 {
          for row in 0..<shape.outputHeight {
            for column in 0..<shape.outputWidth {
              var sum = 0.0
              for input in 0..<2 {
                for y in 0..<3 {
                  for z in 0..<3 {
                    let (h, w) = (row * stride + y - padding, column * stride + z - padding)
                    guard (0..<5).contains(h), (0..<7).contains(w) else { continue }
                    sum +=
                      Double(x[((image * 2 + input) * 5 + h) * 7 + w])
                      * Double(weight[((output * 2 + input) * 3 + y) * 3 + z])
                  }
                }
              }
              expected[place] = Float(sum)
              place += 1
            }
          }
        }
      }
      expectClose(result, expected, 1e-6, "stride \(stride), padding \(padding)")
    }
  }
}
