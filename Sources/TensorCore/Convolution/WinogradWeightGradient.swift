import CPanels

/// The weight gradient of a convolution that `WinogradConvolution` suits, by its transpose:
/// `Gᵀ [(A g Aᵀ) ⊙ (Bᵀ d B)] G`, summed over tiles between the brackets.
///
/// Images are summed in tasks of fixed size, and the tasks in order, so the bits do not depend on the
/// number of threads.
struct WinogradWeightGradient: Sendable {
  /// Positions that one task sums.
  private static let positionsPerTask = 2048
  /// Tasks of a batch with all its parts, at least, where it has as many images.
  private static let fewestTasks = 4
  /// Tiles that are transformed together, about.
  private static let tilesPerStrip = 64

  private let shape: ConvolutionShape
  private let image: ChannelsLastImage
  private let gradient: ChannelsLastImage
  private let tiles: WinogradTiles
  /// Distance of the sums' rows: the outputs, and what fills the last panel. The kernels read as many values of
  /// the next tile, and what comes of them is not looked at.
  private let sumStride: Int
  private let imagesPerTask: Int

  init(_ shape: ConvolutionShape) {
    self.shape = shape
    imagesPerTask = max(
      min(
        Self.positionsPerTask / (shape.outputHeight * shape.outputWidth),
        shape.batch / max(Self.fewestTasks / Tensor.parts, 1)), 1)
    tiles = WinogradTiles(
      shape, batch: imagesPerTask, wanted: Self.tilesPerStrip, tileRows: 2)
    image = ChannelsLastImage(
      channels: shape.inputs, height: shape.height, width: shape.width, padding: shape.padding,
      rows: tiles.frameHeight, columns: tiles.frameWidth)
    gradient = ChannelsLastImage(
      channels: shape.outputs, height: tiles.height, width: tiles.width, padding: 0,
      rows: (tiles.height + 1) / 2 * 2, columns: 2 * tiles.columns)
    let columns = PanelKernelSet.columns
    sumStride = (shape.outputs + columns - 1) / columns * columns
  }

  /// What a worker writes to.
  private struct Scratch {
    let frame: UnsafeMutablePointer<Float>
    let upstream: UnsafeMutablePointer<Float>
    let transformedInputs: UnsafeMutablePointer<Float>
    let transformedGradients: UnsafeMutablePointer<Float>
    let sums: UnsafeMutablePointer<Float>
    let transposing: UnsafeMutablePointer<Float>
  }

  /// Distance of a transformed tile's values: not a multiple of a cache's page, or the sixteen would
  /// fall on the same lines.
  private func pointStride(_ image: ChannelsLastImage) -> Int {
    tiles.images * (tiles.strips.first?.count ?? 0) * tiles.columns * image.stride + 16
  }

  func run(_ x: Tensor, _ gradients: Tensor) -> Tensor {
    let size = shape.outputs * shape.inputs * shape.taps
    let tasks = (shape.batch + imagesPerTask - 1) / imagesPerTask
    let parts = FloatBuffer(count: max(tasks, 1) * size)
    let pool = Compute.pool
    let counts = [
      tiles.images * image.count, tiles.images * gradient.count,
      tiles.points * pointStride(image), tiles.points * pointStride(gradient),
      tiles.points * shape.inputs * sumStride, ChannelsLastImage.scratchCount,
    ]
    let buffers = counts.map { count in
      let buffer = FloatBuffer(count: pool.count * count)
      buffer.pointer.update(repeating: 0, count: buffer.count)
      return buffer
    }
    let (source, upstream) = (x.storage, gradients.storage)
    pool.forEachOnWorker(tasks) { task, worker in
      func part(_ index: Int) -> UnsafeMutablePointer<Float> {
        buffers[index].pointer + worker * counts[index]
      }
      let scratch = Scratch(
        frame: part(0), upstream: part(1), transformedInputs: part(2),
        transformedGradients: part(3), sums: part(4), transposing: part(5))
      scratch.sums.update(repeating: 0, count: counts[4])
      let end = min((task + 1) * imagesPerTask, shape.batch)
      for first in stride(from: task * imagesPerTask, to: end, by: tiles.images) {
        let images = min(tiles.images, end - first)
        for index in 0..<images {
          image.fill(
            scratch.frame + index * image.count,
            from: source.pointer + (first + index) * shape.inputCount,
            scratch: scratch.transposing)
          gradient.fill(
            scratch.upstream + index * gradient.count,
            from: upstream.pointer + (first + index) * shape.outputCount,
            scratch: scratch.transposing)
        }
        for rows in tiles.strips { add(scratch, images: images, rows: rows) }
      }
      finish(scratch.sums, into: parts.pointer + task * size)
    }
    return Tensor(adopting: parts, shape: [max(tasks, 1), size]).summed(to: [1, size])
      .reshaped(shape.weightShape)
  }

  /// Adds a strip's products to the sums, `[point, input, output]`.
  private func add(_ scratch: Scratch, images: Int, rows: Range<Int>) {
    let (v, y) = (scratch.transformedInputs, scratch.transformedGradients)
    let (inputStride, gradientStride) = (pointStride(image), pointStride(gradient))
    var tile = 0
    for index in 0..<images {
      for row in rows {
        let line = scratch.frame + index * image.count + 2 * row * image.rowStride
        let below = scratch.upstream + index * gradient.count + 2 * row * gradient.rowStride
        for column in 0..<tiles.columns {
          let (from, upstream) = (
            line + 2 * column * image.stride, below + 2 * column * gradient.stride
          )
          let (input, output) = (v + tile * image.stride, y + tile * gradient.stride)
          if tiles.points == 16 {
            transformFour(from, into: input, inputStride)
            transformFourGradients(upstream, into: output, gradientStride)
          } else {
            transformThree(from, into: input, inputStride)
            transformThreeGradients(upstream, into: output, gradientStride)
          }
          tile += 1
        }
      }
    }
    var product = PanelProduct()
    product.rows = shape.inputs
    product.columns = sumStride
    product.steps = tile
    product.xRow = 1
    product.xStep = image.stride
    product.panelStride = PanelKernelSet.columns
    product.panelStep = gradient.stride
    product.yRow = sumStride
    product.startRow = sumStride
    product.isChained = 1
    for point in 0..<tiles.points {
      product.x = UnsafePointer(v + point * inputStride)
      product.panels = UnsafePointer(y + point * gradientStride)
      product.y = scratch.sums + point * shape.inputs * sumStride
      product.start = UnsafePointer(product.y)
      PanelKernelSet.best.multiply(product)
    }
  }

  /// `Bᵀ d B` of a tile, of all channels.
  @inline(__always)
  private func transformFour(
    _ tile: UnsafePointer<Float>, into out: UnsafeMutablePointer<Float>, _ stride: Int
  ) {
    let (step, row) = (image.stride, image.rowStride)
    for channel in Swift.stride(from: 0, to: step, by: 8) {
      @inline(__always)
      func column(_ x: Int) -> (Lanes, Lanes, Lanes, Lanes) {
        let from = tile + channel + x * step
        return TwoOfThree.image(
          from.lanes(0), from.lanes(row), from.lanes(2 * row), from.lanes(3 * row))
      }
      let (a, b, c, d) = (column(0), column(1), column(2), column(3))
      let out = out + channel
      @inline(__always)
      func put(_ y: Int, _ a: Lanes, _ b: Lanes, _ c: Lanes, _ d: Lanes) {
        let v = TwoOfThree.image(a, b, c, d)
        out.store(v.0, 4 * y * stride)
        out.store(v.1, (4 * y + 1) * stride)
        out.store(v.2, (4 * y + 2) * stride)
        out.store(v.3, (4 * y + 3) * stride)
      }
      put(0, a.0, b.0, c.0, d.0)
      put(1, a.1, b.1, c.1, d.1)
      put(2, a.2, b.2, c.2, d.2)
      put(3, a.3, b.3, c.3, d.3)
    }
  }

  @inline(__always)
  private func transformThree(
    _ tile: UnsafePointer<Float>, into out: UnsafeMutablePointer<Float>, _ stride: Int
  ) {
    let (step, row) = (image.stride, image.rowStride)
    for channel in Swift.stride(from: 0, to: step, by: 8) {
      @inline(__always)
      func column(_ x: Int) -> (Lanes, Lanes, Lanes) {
        let from = tile + channel + x * step
        return TwoOfTwo.image(from.lanes(0), from.lanes(row), from.lanes(2 * row))
      }
      let (a, b, c) = (column(0), column(1), column(2))
      let out = out + channel
      @inline(__always)
      func put(_ y: Int, _ a: Lanes, _ b: Lanes, _ c: Lanes) {
        let v = TwoOfTwo.image(a, b, c)
        out.store(v.0, 3 * y * stride)
        out.store(v.1, (3 * y + 1) * stride)
        out.store(v.2, (3 * y + 2) * stride)
      }
      put(0, a.0, b.0, c.0)
      put(1, a.1, b.1, c.1)
      put(2, a.2, b.2, c.2)
    }
  }

  /// `A g Aᵀ` of a tile, of all channels.
  @inline(__always)
  private func transformFourGradients(
    _ g: UnsafePointer<Float>, into out: UnsafeMutablePointer<Float>, _ stride: Int
  ) {
    let (step, row) = (gradient.stride, gradient.rowStride)
    for channel in Swift.stride(from: 0, to: step, by: 8) {
      let (a, b) = (g.lanes(channel), g.lanes(channel + step))
      let (c, d) = (g.lanes(channel + row), g.lanes(channel + row + step))
      let out = out + channel
      @inline(__always)
      func put(_ y: Int, _ a: Lanes, _ b: Lanes) {
        out.store(a, 4 * y * stride)
        out.store(a + b, (4 * y + 1) * stride)
        out.store(a - b, (4 * y + 2) * stride)
        out.store(-b, (4 * y + 3) * stride)
      }
      put(0, a, b)
      put(1, a + c, b + d)
      put(2, a - c, b - d)
      put(3, -c, -d)
    }
  }

  @inline(__always)
  private func transformThreeGradients(
    _ g: UnsafePointer<Float>, into out: UnsafeMutablePointer<Float>, _ stride: Int
  ) {
    let (step, row) = (gradient.stride, gradient.rowStride)
    for channel in Swift.stride(from: 0, to: step, by: 8) {
      let (a, b) = (g.lanes(channel), g.lanes(channel + step))
      let (c, d) = (g.lanes(channel + row), g.lanes(channel + row + step))
      let out = out + channel
      @inline(__always)
      func put(_ y: Int, _ a: Lanes, _ b: Lanes) {
        out.store(a, 3 * y * stride)
        out.store(a + b, (3 * y + 1) * stride)
        out.store(b, (3 * y + 2) * stride)
      }
      put(0, a, b)
      put(1, a + c, b + d)
      put(2, c, d)
    }
  }

  /// `Gᵀ u G` of the sums, as `[outputs, inputs, kernel height, kernel width]`.
  private func finish(_ sums: UnsafePointer<Float>, into out: UnsafeMutablePointer<Float>) {
    let width = sumStride
    let point = shape.inputs * width
    let taps = shape.taps
    for output in stride(from: 0, to: shape.outputs, by: 8) {
      for input in 0..<shape.inputs {
        let u = sums + input * width + output
        let target = out + (output * shape.inputs + input) * taps
        let count = min(8, shape.outputs - output)
        @inline(__always)
        func put(_ tap: Int, _ value: Lanes) {
          for lane in 0..<count { target[lane * shape.inputs * taps + tap] = value[lane] }
        }
        if tiles.points == 16 {
          finishFour(u, point, put)
        } else {
          finishThree(u, point, put)
        }
      }
    }
  }

  @inline(__always)
  private func finishFour(
    _ u: UnsafePointer<Float>, _ point: Int, _ put: (Int, Lanes) -> Void
  ) {
    @inline(__always)
    func three(_ a: Lanes, _ b: Lanes, _ c: Lanes, _ d: Lanes) -> (Lanes, Lanes, Lanes) {
      let sum = (b + c) * 0.5
      return (a + sum, (b - c) * 0.5, sum + d)
    }
    @inline(__always)
    func column(_ x: Int) -> (Lanes, Lanes, Lanes) {
      three(
        u.lanes(x * point), u.lanes((x + 4) * point), u.lanes((x + 8) * point),
        u.lanes((x + 12) * point))
    }
    let (a, b, c, d) = (column(0), column(1), column(2), column(3))
    @inline(__always)
    func row(_ y: Int, _ values: (Lanes, Lanes, Lanes)) {
      put(3 * y, values.0)
      put(3 * y + 1, values.1)
      put(3 * y + 2, values.2)
    }
    row(0, three(a.0, b.0, c.0, d.0))
    row(1, three(a.1, b.1, c.1, d.1))
    row(2, three(a.2, b.2, c.2, d.2))
  }

  @inline(__always)
  private func finishThree(
    _ u: UnsafePointer<Float>, _ point: Int, _ put: (Int, Lanes) -> Void
  ) {
    @inline(__always)
    func column(_ x: Int) -> (Lanes, Lanes) {
      let (a, b, c) = (u.lanes(x * point), u.lanes((x + 3) * point), u.lanes((x + 6) * point))
      return (a + b, b + c)
    }
    let (a, b, c) = (column(0), column(1), column(2))
    put(0, a.0 + b.0)
    put(1, b.0 + c.0)
    put(2, a.1 + b.1)
    put(3, b.1 + c.1)
  }
}
