/// Convolution of stride 1 with kernels 3×3 or 2×2 by Winograd's minimal filtering F(2×2, 3×3) and
/// F(2×2, 2×2) (Lavin & Gray 2016): each 2×2 tile of the result costs 16 products of a weight and a value
/// instead of 36, or 9 instead of 16.
///
/// `Y = Aᵀ [(G g Gᵀ) ⊙ (Bᵀ d B)] A`, summed over input channels between the brackets. With factors 0,
/// ±1 and ±½ alone, it rounds about as the direct sum does.
struct WinogradConvolution: Sendable {
  /// About how many multiplications make a task.
  private static let taskSize = 4 << 20
  private static let fewestTasks = 8
  /// Tiles that are transformed together, about: the factors of one of the 16 products stay in the
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
    tiles = WinogradTiles(shape, batch: shape.batch, wanted: Self.tilesPerStrip)
    blocks = DirectConvolution.blocks(of: shape.outputs)
    pointCount = blocks.reduce(0) { $0 + $1.width } * shape.inputs
    packed = Self.pack(weight, shape, blocks, pointCount, isTransposed: isTransposed)
    let channelStride = tiles.points * tiles.stride
    offsets = (0..<shape.inputs).map { Int32($0 * channelStride) }
  }

  private static func pack(
    _ weight: Tensor, _ shape: ConvolutionShape, _ blocks: [(first: Int, width: Int)],
    _ pointCount: Int, isTransposed: Bool
  ) -> FloatBuffer {
    let (inputs, outputs, taps) = (shape.inputs, shape.outputs, shape.taps)
    let side = shape.kernelHeight + 1
    let packed = FloatBuffer(count: side * side * pointCount)
    let source = weight.storage
    Compute.pool.forEach(blocks.count) { index in
      let block = blocks[index]
      for input in 0..<inputs {
        for place in 0..<block.width {
          let output = block.first + place
          let target = packed.pointer + block.first * inputs + input * block.width + place
          guard output < outputs else {
            for point in 0..<side * side { target[point * pointCount] = 0 }
            continue
          }
          let from =
            source.pointer
            + taps * (isTransposed ? input * outputs + output : output * inputs + input)
          transform(from, side: side, isTurned: isTransposed) { point, value in
            target[point * pointCount] = value
          }
        }
      }
    }
    return packed
  }

  /// `G g Gᵀ` of a kernel, turned by half a circle where told so.
  @inline(__always)
  private static func transform(
    _ g: UnsafePointer<Float>, side: Int, isTurned: Bool, into put: (Int, Float) -> Void
  ) {
    if side == 3 {
      let (a, b) = isTurned ? (g[3], g[2]) : (g[0], g[1])
      let (c, d) = isTurned ? (g[1], g[0]) : (g[2], g[3])
      put(0, a)
      put(1, a + b)
      put(2, b)
      put(3, a + c)
      put(4, a + b + c + d)
      put(5, b + d)
      put(6, c)
      put(7, c + d)
      put(8, d)
      return
    }
    func row(_ y: Int) -> SIMD4<Float> {
      isTurned
        ? SIMD4(g[8 - 3 * y], g[7 - 3 * y], g[6 - 3 * y], 0)
        : SIMD4(g[3 * y], g[3 * y + 1], g[3 * y + 2], 0)
    }
    let (a, b, c) = (row(0), row(1), row(2))
    func line(_ y: Int, _ g: SIMD4<Float>) {
      put(4 * y, g[0])
      put(4 * y + 1, (g[0] + g[1] + g[2]) * 0.5)
      put(4 * y + 2, (g[0] - g[1] + g[2]) * 0.5)
      put(4 * y + 3, g[2])
    }
    line(0, a)
    line(1, (a + b + c) * 0.5)
    line(2, (a - b + c) * 0.5)
    line(3, c)
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
    let lines = FloatBuffer(count: pool.count * tiles.lineCount)
    framed.pointer.update(repeating: 0, count: framed.count)
    transformed.pointer.update(repeating: 0, count: transformed.count)
    let groups = (shape.batch + images - 1) / images
    let work = max(images * shape.outputCount * shape.inputs * tiles.points / 4, 1)
    let grain = max(min(Self.taskSize / work, groups / Self.fewestTasks), 1)
    let source = x.storage
    pool.forEachOnWorker((groups + grain - 1) / grain) { task, worker in
      let frame = framed.pointer + worker * images * imageStride
      let v = transformed.pointer + worker * shape.inputs * channelStride
      let m = products.pointer + worker * shape.outputs * channelStride
      let lines = lines.pointer + worker * tiles.lineCount
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
              rows: rows, into: v + input * channelStride)
          }
          let each = rows.count * tiles.columns
          multiply(v, count: count * each, into: m)
          for index in 0..<count {
            let target = out.pointer + (first + index) * shape.outputCount
            for output in 0..<shape.outputs {
              tiles.invert(
                m + output * channelStride + index * each, rows: rows,
                bias: value(of: bias, first + index, output), lines: lines,
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
