/// The transformed weights `G g Gᵀ` of a `WinogradConvolution`, in the order that its products read them: point,
/// input channel, output.
///
/// Eight outputs are transformed together, one in each lane.
struct WinogradWeights: Sendable {
  /// Distance of the points: an odd number of cache lines, or all would fall on the same ones.
  private let pointStride: Int
  /// Distance of the input channels: the outputs, and what fills the last vector.
  let inputStride: Int
  private let packed: FloatBuffer

  /// - Parameters:
  ///   - weight, isTransposed: as of `WinogradConvolution`.
  ///   - tileRows: as of `WinogradTiles`.
  init(_ shape: ConvolutionShape, _ weight: Tensor, isTransposed: Bool, tileRows: Int) {
    let blocks = (shape.outputs + 7) / 8
    let inputStride = 8 * blocks
    let pointStride = ((shape.inputs * inputStride + 15) / 16 | 1) * 16
    let size = shape.kernelHeight
    let packed = FloatBuffer(count: (size + tileRows - 1) * (size + 1) * pointStride)
    Compute.pool.forEach(blocks) { block in
      let kernels = BlockKernels(
        weight, shape, first: 8 * block, isTransposed: isTransposed, target: packed.pointer,
        inputStride: inputStride, pointStride: pointStride)
      switch (size, tileRows) {
      case (3, 4): kernels.fourOfThree()
      case (3, _): kernels.twoOfThree()
      default: kernels.twoOfTwo()
      }
    }
    self.packed = packed
    (self.pointStride, self.inputStride) = (pointStride, inputStride)
  }

  /// `[inputs][outputs]`.
  func ofPoint(_ point: Int) -> UnsafePointer<Float> {
    UnsafePointer(packed.pointer) + point * pointStride
  }
}

/// The kernels of eight outputs and where they go.
private struct BlockKernels {
  private let source: UnsafePointer<Float>
  private let inputs: Int
  private let inputStride: Int
  /// Distance of a kernel's taps: negative where it is turned by half a circle.
  private let step: Int
  private let size: Int
  /// Distances of the outputs' kernels from the first one. Those of outputs that do not exist are doubles of the last,
  /// and their products are dropped.
  private let places: (Int, Int, Int, Int, Int, Int, Int, Int)
  private let target: UnsafeMutablePointer<Float>
  private let outputsStride: Int
  private let pointStride: Int

  init(
    _ weight: Tensor, _ shape: ConvolutionShape, first: Int, isTransposed: Bool,
    target: UnsafeMutablePointer<Float>, inputStride outputsStride: Int, pointStride: Int
  ) {
    let taps = shape.taps
    let outputStride = isTransposed ? taps : shape.inputs * taps
    inputs = shape.inputs
    inputStride = isTransposed ? shape.outputs * taps : taps
    source =
      UnsafePointer(weight.storage.pointer) + first * outputStride
      + (isTransposed ? taps - 1 : 0)
    step = isTransposed ? -1 : 1
    size = shape.kernelHeight
    let last = shape.outputs - first - 1
    func place(_ index: Int) -> Int { min(index, last) * outputStride }
    places = (
      place(0), place(1), place(2), place(3), place(4), place(5), place(6), place(7)
    )
    (self.target, self.outputsStride, self.pointStride) = (
      target + first, outputsStride, pointStride
    )
  }

  /// One tap of all kernels for an input channel.
  @inline(__always)
  private func tap(_ input: Int, _ y: Int, _ x: Int) -> Lanes {
    let from = source + input * inputStride + step * (y * size + x)
    return Lanes(
      from[places.0], from[places.1], from[places.2], from[places.3], from[places.4],
      from[places.5], from[places.6], from[places.7])
  }

  @inline(__always)
  private func put(_ input: Int, _ y: Int, _ values: (Lanes, Lanes, Lanes, Lanes)) {
    let out = target + input * outputsStride + 4 * y * pointStride
    out.store(values.0, 0)
    out.store(values.1, pointStride)
    out.store(values.2, 2 * pointStride)
    out.store(values.3, 3 * pointStride)
  }

  // Down each column of the kernel, then along the rows.

  @inline(never)
  func fourOfThree() {
    for input in 0..<inputs {
      @inline(__always)
      func down(_ x: Int) -> (Lanes, Lanes, Lanes, Lanes, Lanes, Lanes) {
        FourOfThree.weights(tap(input, 0, x), tap(input, 1, x), tap(input, 2, x))
      }
      let (a, b, c) = (down(0), down(1), down(2))
      put(input, 0, TwoOfThree.weights(a.0, b.0, c.0))
      put(input, 1, TwoOfThree.weights(a.1, b.1, c.1))
      put(input, 2, TwoOfThree.weights(a.2, b.2, c.2))
      put(input, 3, TwoOfThree.weights(a.3, b.3, c.3))
      put(input, 4, TwoOfThree.weights(a.4, b.4, c.4))
      put(input, 5, TwoOfThree.weights(a.5, b.5, c.5))
    }
  }

  @inline(never)
  func twoOfThree() {
    for input in 0..<inputs {
      @inline(__always)
      func down(_ x: Int) -> (Lanes, Lanes, Lanes, Lanes) {
        TwoOfThree.weights(tap(input, 0, x), tap(input, 1, x), tap(input, 2, x))
      }
      let (a, b, c) = (down(0), down(1), down(2))
      put(input, 0, TwoOfThree.weights(a.0, b.0, c.0))
      put(input, 1, TwoOfThree.weights(a.1, b.1, c.1))
      put(input, 2, TwoOfThree.weights(a.2, b.2, c.2))
      put(input, 3, TwoOfThree.weights(a.3, b.3, c.3))
    }
  }

  @inline(never)
  func twoOfTwo() {
    for input in 0..<inputs {
      let a = TwoOfTwo.weights(tap(input, 0, 0), tap(input, 1, 0))
      let b = TwoOfTwo.weights(tap(input, 0, 1), tap(input, 1, 1))
      @inline(__always)
      func put(_ y: Int, _ values: (Lanes, Lanes, Lanes)) {
        let out = target + input * outputsStride + 3 * y * pointStride
        out.store(values.0, 0)
        out.store(values.1, pointStride)
        out.store(values.2, 2 * pointStride)
      }
      put(0, TwoOfTwo.weights(a.0, b.0))
      put(1, TwoOfTwo.weights(a.1, b.1))
      put(2, TwoOfTwo.weights(a.2, b.2))
    }
  }
}
