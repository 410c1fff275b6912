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
  private let blocks: [(first: Int, width: Int)]
  /// Transformed weights: point, block, input channel, channel of the block.
  private let packed: FloatBuffer
  /// Weights of all blocks of a point.
  private let pointCount: Int
  /// Where each input channel lies in the transformed tiles of a point.
  private let offsets: [Int32]

  /// Whether a convolution can be computed so, and is faster so.
  static func suits(_ shape: ConvolutionShape) -> Bool {
    shape.stride == 1 && shape.isSquare && (2...3).contains(shape.kernelHeight)
      && shape.padding < shape.kernelHeight
      && min(shape.inputs, shape.outputs) >= 8
  }

  /// - Parameters: as of `DirectConvolution`.
  init(_ shape: ConvolutionShape, _ weight: Tensor, isTransposed: Bool) {
    self.shape = shape
    tiles = WinogradTiles(
      shape, batch: shape.batch, wanted: Self.tilesPerStrip, tileRows: Self.tileRows(shape))
    blocks = DirectConvolution.blocks(of: shape.outputs)
    pointCount = blocks.reduce(0) { $0 + $1.width } * shape.inputs
    packed = FloatBuffer(count: tiles.points * pointCount)
    let channelStride = tiles.points * tiles.stride
    offsets = (0..<shape.inputs).map { Int32($0 * channelStride) }
    pack(weight, isTransposed: isTransposed)
  }

  /// Four rows where they cost fewer products, of an image whose rows do not leave the last tiles empty.
  private static func tileRows(_ shape: ConvolutionShape) -> Int {
    guard shape.kernelHeight == 3 else { return 2 }
    let (fours, twos) = ((shape.outputHeight + 3) / 4, (shape.outputHeight + 1) / 2)
    // 6 × 4 and 4 × 4 points.
    return fours * 24 < twos * 16 ? 4 : 2
  }

  /// `G g Gᵀ` of the kernels; turned by half a circle where transposed.
  private func pack(_ weight: Tensor, isTransposed: Bool) {
    let (inputs, outputs, taps) = (shape.inputs, shape.outputs, shape.taps)
    let (size, source) = (shape.kernelHeight, weight.storage)
    Compute.pool.forEach(blocks.count) { index in
      let block = blocks[index]
      for input in 0..<inputs {
        for place in 0..<block.width {
          let output = block.first + place
          let target = packed.pointer + block.first * inputs + input * block.width + place
          guard output < outputs else {
            for point in 0..<tiles.points { target[point * pointCount] = 0 }
            continue
          }
          let kernel = isTransposed ? input * outputs + output : output * inputs + input
          let first = source.pointer + kernel * taps + (isTransposed ? taps - 1 : 0)
          let step = isTransposed ? -1 : 1
          func weight(_ y: Int, _ x: Int) -> Float { first[step * (y * size + x)] }
          // Down each column of the kernel, then along the rows.
          func down(_ x: Int) -> Lanes {
            switch (size, tiles.tileRows) {
            case (3, 4): FourOfThree.weights(weight(0, x), weight(1, x), weight(2, x))
            case (3, _): TwoOfThree.weights(weight(0, x), weight(1, x), weight(2, x))
            default: TwoOfTwo.weights(weight(0, x), weight(1, x))
            }
          }
          let (a, b, c) = (down(0), down(1), size == 3 ? down(2) : .zero)
          for y in 0..<size + tiles.tileRows - 1 {
            let points =
              size == 3 ? TwoOfThree.weights(a[y], b[y], c[y]) : TwoOfTwo.weights(a[y], b[y])
            for x in 0...size { target[(y * (size + 1) + x) * pointCount] = points[x] }
          }
        }
      }
    }
  }

  func run(_ x: Tensor, bias: Tensor?) -> Tensor {
    let out = FloatBuffer(count: shape.batch * shape.outputCount)
    let pool = Compute.pool
    let images = tiles.images
    let channelStride = tiles.points * tiles.stride
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

  /// The products, one for each point, of transformed weights and `count` transformed tiles.
  private func multiply(
    _ v: UnsafePointer<Float>, count: Int, into m: UnsafeMutablePointer<Float>
  ) {
    let steps = shape.inputs
    let (stride, channelStride) = (tiles.stride, tiles.points * tiles.stride)
    offsets.withUnsafeBufferPointer { offsets in
      guard let offsets = offsets.baseAddress else { return }
      for point in 0..<tiles.points {
        let input = v + point * stride
        var weights = UnsafePointer(packed.pointer) + point * pointCount
        for block in blocks {
          let channels = min(block.width, shape.outputs - block.first)
          let target = m + block.first * channelStride + point * stride
          for first in Swift.stride(from: 0, to: count, by: 16) {
            let second = first + 8 < count ? first + 8 : first
            let tile = ChannelTile(
              out: target, plane: channelStride, channels: channels, valid: 8, first: first,
              second: second, bias: nil)
            if block.width == 6 {
              sumSixByTwo(
                input + first, input + second, weights, offsets, steps: steps, into: tile)
            } else {
              sumFourByTwo(
                input + first, input + second, weights, offsets, steps: steps, into: tile)
            }
          }
          weights += block.width * steps
        }
      }
    }
  }
}
