/// 3×3 convolution of stride 1 by Winograd's minimal filtering F(2×2, 3×3) (Lavin & Gray 2016): each
/// 2×2 tile of the result costs 16 multiplications for a weight instead of 36.
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
  /// Values of a transformed tile.
  private static let points = 16

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
    shape.stride == 1 && shape.padding == 1 && shape.kernelHeight == 3 && shape.kernelWidth == 3
      && shape.height % 2 == 0 && shape.width % 2 == 0 && min(shape.inputs, shape.outputs) >= 8
  }

  /// - Parameters: as of `DirectConvolution`.
  init(_ shape: ConvolutionShape, _ weight: Tensor, isTransposed: Bool) {
    self.shape = shape
    tiles = WinogradTiles(
      height: shape.height, width: shape.width, batch: shape.batch, wanted: Self.tilesPerStrip)
    blocks = DirectConvolution.blocks(of: shape.outputs)
    pointCount = blocks.reduce(0) { $0 + $1.width } * shape.inputs
    packed = Self.pack(weight, shape, blocks, pointCount, isTransposed: isTransposed)
    let channelStride = Self.points * tiles.stride
    offsets = (0..<shape.inputs).map { Int32($0 * channelStride) }
  }

  private static func pack(
    _ weight: Tensor, _ shape: ConvolutionShape, _ blocks: [(first: Int, width: Int)],
    _ pointCount: Int, isTransposed: Bool
  ) -> FloatBuffer {
    let packed = FloatBuffer(count: points * pointCount)
    let source = weight.storage
    let (inputs, outputs) = (shape.inputs, shape.outputs)
    Compute.pool.forEach(blocks.count) { index in
      let block = blocks[index]
      for input in 0..<inputs {
        for place in 0..<block.width {
          let output = block.first + place
          let target = packed.pointer + block.first * inputs + input * block.width + place
          guard output < outputs else {
            for point in 0..<points { target[point * pointCount] = 0 }
            continue
          }
          let from =
            source.pointer
            + 9 * (isTransposed ? input * outputs + output : output * inputs + input)
          let row = { (y: Int) -> SIMD4<Float> in
            isTransposed
              ? SIMD4(from[8 - 3 * y], from[7 - 3 * y], from[6 - 3 * y], 0)
              : SIMD4(from[3 * y], from[3 * y + 1], from[3 * y + 2], 0)
          }
          let (a, b, c) = (row(0), row(1), row(2))
          let rows = (a, (a + b + c) * 0.5, (a - b + c) * 0.5, c)
          func put(_ y: Int, _ g: SIMD4<Float>) {
            let line = target + 4 * y * pointCount
            line[0] = g[0]
            line[pointCount] = (g[0] + g[1] + g[2]) * 0.5
            line[2 * pointCount] = (g[0] - g[1] + g[2]) * 0.5
            line[3 * pointCount] = g[2]
          }
          put(0, rows.0)
          put(1, rows.1)
          put(2, rows.2)
          put(3, rows.3)
        }
      }
    }
    return packed
  }

  func run(_ x: Tensor, bias: Tensor?) -> Tensor {
    let out = FloatBuffer(count: shape.batch * shape.outputCount)
    let pool = Compute.pool
    let images = tiles.images
    let channelStride = Self.points * tiles.stride
    let imageStride = tiles.framedCount(channels: shape.inputs)
    let framed = FloatBuffer(count: pool.count * images * imageStride)
    let transformed = FloatBuffer(count: pool.count * shape.inputs * channelStride)
    let products = FloatBuffer(count: pool.count * shape.outputs * channelStride)
    let lines = FloatBuffer(count: pool.count * tiles.lineCount)
    framed.pointer.update(repeating: 0, count: framed.count)
    transformed.pointer.update(repeating: 0, count: transformed.count)
    let groups = (shape.batch + images - 1) / images
    let work = max(images * shape.outputCount * shape.inputs * 4, 1)
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
                into: target + output * shape.height * shape.width)
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

  /// The 16 products of transformed weights and `count` transformed tiles.
  private func multiply(
    _ v: UnsafePointer<Float>, count: Int, into m: UnsafeMutablePointer<Float>
  ) {
    let steps = shape.inputs
    let (stride, channelStride) = (tiles.stride, Self.points * tiles.stride)
    offsets.withUnsafeBufferPointer { offsets in
      guard let offsets = offsets.baseAddress else { return }
      for point in 0..<Self.points {
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

/// How the 2×2 tiles of images are taken together: whole images, or some rows of tiles of one.
struct WinogradTiles: Sendable {
  /// Tiles of a row.
  let columns: Int
  let height: Int
  let width: Int
  /// Images of a strip.
  let images: Int
  /// Rows of tiles of each strip.
  let strips: [Range<Int>]
  /// Distance between the values of transformed tiles, with room for what vectors write behind them:
  /// an odd multiple of eight, so that channels do not fall on the same lines of a cache.
  let stride: Int
  /// Distance of the even from the odd columns of a row, and of rows and channels, in the frame.
  let half: Int
  let rowStride: Int
  let planeStride: Int

  init(height: Int, width: Int, batch: Int, wanted: Int) {
    self.height = height
    self.width = width
    columns = width / 2
    let all = height / 2
    let each = all * columns
    images = max(min(wanted / max(each, 1), batch), 1)
    let rows = images > 1 ? all : min(max(wanted / max(columns, 1), 1), all)
    strips = Swift.stride(from: 0, to: all, by: rows).map { $0..<min($0 + rows, all) }
    let room = images * rows * columns + max(8 - columns, 0)
    stride = (room + 15) / 16 * 16 + 8
    half = columns + 1
    rowStride = 2 * half
    planeStride = rowStride * (height + 2)
  }

  /// Values of a framed image, with the few that a last vector may read behind it.
  func framedCount(channels: Int) -> Int { channels * planeStride + 16 }

  /// Copies an image inside its frame of zeros: of each row first the even columns, counted with the
  /// frame, then the odd ones.
  func fill(
    _ target: UnsafeMutablePointer<Float>, from source: UnsafePointer<Float>, channels: Int
  ) {
    for channel in 0..<channels {
      var row = target + channel * planeStride + rowStride
      var from = source + channel * height * width
      for _ in 0..<height {
        ColumnParity.separate(from, count: columns, even: row + half, odd: row + 1)
        row += rowStride
        from += width
      }
    }
  }

  /// First tile of a vector: the last one of a row reaches back over the one before.
  @inline(__always)
  private func start(_ column: Int) -> Int { max(min(column, columns - 8), 0) }

  /// `Bᵀ d B` of one channel's tiles; value `p` of tile `t` goes to `p · stride + t`.
  func transform(
    _ plane: UnsafePointer<Float>, imageStride: Int, images: Int, rows: Range<Int>,
    into out: UnsafeMutablePointer<Float>
  ) {
    var base = 0
    for index in 0..<images {
      for row in rows {
        let line = plane + index * imageStride + 2 * row * rowStride
        for column in Swift.stride(from: 0, to: columns, by: 8) {
          let first = start(column)
          let (even, odd) = (line + first, line + first + half)
          let target = out + base + first
          // Along the columns first: of each, the four rows.
          let a = TileLine(even, rowStride)
          let b = TileLine(odd, rowStride)
          let c = TileLine(even + 1, rowStride)
          let d = TileLine(odd + 1, rowStride)
          put(a.a - c.a, b.a + c.a, c.a - b.a, b.a - d.a, target)
          put(a.b - c.b, b.b + c.b, c.b - b.b, b.b - d.b, target + 4 * stride)
          put(a.c - c.c, b.c + c.c, c.c - b.c, b.c - d.c, target + 8 * stride)
          put(a.d - c.d, b.d + c.d, c.d - b.d, b.d - d.d, target + 12 * stride)
        }
        base += columns
      }
    }
  }

  @inline(__always)
  private func put(
    _ a: Lanes, _ b: Lanes, _ c: Lanes, _ d: Lanes, _ target: UnsafeMutablePointer<Float>
  ) {
    target.store(a, 0)
    target.store(b, stride)
    target.store(c, 2 * stride)
    target.store(d, 3 * stride)
  }

  /// Values that `invert` needs room for.
  var lineCount: Int { 4 * (columns + 8) }

  /// `Aᵀ m A + bias` of one channel's tiles of one image into its plane.
  ///
  /// Even and odd columns go through `lines`: put together in registers, the compiler took the sums
  /// apart into single numbers.
  func invert(
    _ m: UnsafePointer<Float>, rows: Range<Int>, bias: Float,
    lines: UnsafeMutablePointer<Float>, into plane: UnsafeMutablePointer<Float>
  ) {
    var from = m
    let (second, third, fourth) = (
      lines + columns + 8, lines + 2 * columns + 16, lines + 3 * columns + 24
    )
    for row in rows {
      for column in Swift.stride(from: 0, to: columns, by: 8) {
        let first = start(column)
        let (a, b) = (sums(from + first), sums(from + first + 4 * stride))
        let (c, d) = (sums(from + first + 8 * stride), sums(from + first + 12 * stride))
        lines.store(a.0 + b.0 + c.0 + bias, first)
        second.store(a.1 + b.1 + c.1 + bias, first)
        third.store(b.0 - c.0 - d.0 + bias, first)
        fourth.store(b.1 - c.1 - d.1 + bias, first)
      }
      let line = plane + 2 * row * width
      ColumnParity.interleave(lines, second, count: columns, into: line)
      ColumnParity.interleave(third, fourth, count: columns, into: line + width)
      from += columns
    }
  }

  @inline(__always)
  private func sums(_ m: UnsafePointer<Float>) -> (Lanes, Lanes) {
    let (p, q) = (m.lanes(stride), m.lanes(2 * stride))
    return (m.lanes(0) + p + q, p - q - m.lanes(3 * stride))
  }
}

/// One column of eight tiles, transformed along it: `Bᵀ d`.
private struct TileLine {
  let a: Lanes
  let b: Lanes
  let c: Lanes
  let d: Lanes

  @inline(__always)
  init(_ x: UnsafePointer<Float>, _ stride: Int) {
    let (p, q) = (x.lanes(0), x.lanes(stride))
    let (r, s) = (x.lanes(2 * stride), x.lanes(3 * stride))
    (a, b, c, d) = (p - r, q + r, r - q, q - s)
  }
}
