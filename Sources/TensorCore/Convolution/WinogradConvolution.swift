import CPanels

/// Convolution of stride 1 with kernels 3×3 or 2×2 by Winograd's minimal filterings (Lavin & Gray 2016):
/// a product of a weight and a value at each point of a transformed tile, summed over input channels, in
/// place of one for each tap and result. They round about as the direct sum does.
struct WinogradConvolution: Sendable {
  /// About how many multiplications make a task.
  private static let taskSize = 4 << 20
  private static let fewestTasks = 8
  /// Tiles that are transformed together, about: the factors of one point's products stay in the
  /// first-level cache.
  private static let tilesPerStrip = 32

  private let shape: ConvolutionShape
  private let tiles: WinogradTiles
  private let weights: WinogradWeights

  /// Whether a convolution can be computed so, and is faster so.
  static func suits(_ shape: ConvolutionShape) -> Bool {
    shape.stride == 1 && shape.isSquare && (2...3).contains(shape.kernelHeight)
      && shape.padding < shape.kernelHeight
      && min(shape.inputs, shape.outputs) >= 8
  }

  /// - Parameters:
  ///   - weight: `[outputs, inputs, height, width]`, or, if `isTransposed`, the weights of the
  ///     convolution whose input gradient this is, `[inputs, outputs, height, width]`, used turned
  ///     by half a circle.
  init(_ shape: ConvolutionShape, _ weight: Tensor, isTransposed: Bool) {
    self.shape = shape
    tiles = WinogradTiles(
      shape, batch: shape.batch, wanted: Self.tilesPerStrip, tileRows: Self.tileRows(shape))
    weights = WinogradWeights(
      shape, weight, isTransposed: isTransposed, tileRows: tiles.tileRows)
  }

  /// Four rows where they cost fewer products, of an image whose rows do not leave the last tiles empty.
  private static func tileRows(_ shape: ConvolutionShape) -> Int {
    guard shape.kernelHeight == 3 else { return 2 }
    let (fours, twos) = ((shape.outputHeight + 3) / 4, (shape.outputHeight + 1) / 2)
    // 6 × 4 and 4 × 4 points.
    return fours * 24 < twos * 16 ? 4 : 2
  }

  func run(_ x: Tensor, bias: Tensor?) -> Tensor {
    let out = FloatBuffer(count: shape.batch * shape.outputCount)
    let pool = Compute.pool
    let images = tiles.images
    let channelStride = tiles.channelStride
    let imageStride = tiles.framedCount(channels: shape.inputs)
    let framed = FloatBuffer(count: pool.count * images * imageStride)
    let transformed = FloatBuffer(count: pool.count * shape.inputs * channelStride)
    let products = FloatBuffer(count: pool.count * shape.outputs * channelStride)
    let scratch = FloatBuffer(count: pool.count * tiles.scratchCount)
    framed.pointer.update(repeating: 0, count: framed.count)
    transformed.pointer.update(repeating: 0, count: transformed.count)
    scratch.pointer.update(repeating: 0, count: scratch.count)
    let groups = (shape.batch + images - 1) / images
    let work = max(
      images * shape.outputCount * shape.inputs * tiles.points / (2 * tiles.tileRows), 1)
    let grain = max(min(Self.taskSize / work, groups / Self.fewestTasks), 1)
    let source = x.storage
    pool.forEachOnWorker((groups + grain - 1) / grain) { task, worker in
      let frame = framed.pointer + worker * images * imageStride
      let v = transformed.pointer + worker * shape.inputs * channelStride
      let m = products.pointer + worker * shape.outputs * channelStride
      let scratch = scratch.pointer + worker * tiles.scratchCount
      for group in task * grain..<min((task + 1) * grain, groups) {
        let first = group * images
        let count = min(images, shape.batch - first)
        for index in 0..<count {
          tiles.fill(
            frame + index * imageStride,
            from: source.pointer + (first + index) * shape.inputCount, channels: shape.inputs)
        }
        for rows in tiles.strips {
          for input in 0..<shape.inputs {
            tiles.transform(
              frame + input * tiles.planeStride, imageStride: imageStride, images: count,
              rows: rows, scratch: scratch, into: v + input * channelStride)
          }
          let each = rows.count * tiles.columns
          multiply(v, count: count * each, into: m)
          for index in 0..<count {
            let target = out.pointer + (first + index) * shape.outputCount
            for output in 0..<shape.outputs {
              tiles.invert(
                m + output * channelStride + index * each, rows: rows,
                bias: value(of: bias, first + index, output), scratch: scratch,
                into: target + output * tiles.height * tiles.width)
            }
          }
        }
      }
    }
    return Tensor(adopting: out, shape: shape.outputShape)
  }

  private func value(of bias: Tensor?, _ image: Int, _ output: Int) -> Float {
    guard let bias else { return 0 }
    let row = bias.shape.count == 2 ? image * shape.outputs : 0
    return bias.storage.pointer[row + output]
  }

  /// The products, one for each point, of transformed weights and `count` transformed tiles: as many more as
  /// fill a panel are multiplied too, and not looked at.
  private func multiply(
    _ v: UnsafePointer<Float>, count: Int, into m: UnsafeMutablePointer<Float>
  ) {
    var product = PanelProduct()
    product.rows = shape.outputs
    product.columns =
      (count + PanelKernelSet.columns - 1) / PanelKernelSet.columns
      * PanelKernelSet.columns
    product.steps = shape.inputs
    product.xRow = 1
    product.xStep = weights.inputStride
    product.panelStride = PanelKernelSet.columns
    product.panelStep = tiles.channelStride
    product.yRow = tiles.channelStride
    for point in 0..<tiles.points {
      product.x = weights.ofPoint(point)
      product.panels = v + point * tiles.stride
      product.y = m + point * tiles.stride
      PanelKernelSet.best.multiply(product)
    }
  }
}
