/// 3×3 convolution of stride 1 by Winograd's minimal filtering F(2×2, 3×3) (Lavin & Gray 2016): each
/// 2×2 tile of the result costs 16 multiplications for a weight instead of 36.
///
/// `Y = Aᵀ [(G g Gᵀ) ⊙ (Bᵀ d B)] A`, summed over input channels between the brackets. With factors 0,
/// ±1 and ±½ alone, it rounds about as the direct sum does.
struct WinogradConvolution: Sendable {
  /// About how many multiplications make a task.
  private static let taskSize = 4 << 20
  /// Tiles that are transformed together, about: the factors of one of the 16 products stay in the
  /// first-level cache.
  private static let tilesPerStrip = 64
  /// Values of a transformed tile.
  private static let points = 16

  private let shape: ConvolutionShape
  private let image: PaddedImage
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
    image = PaddedImage(
      channels: shape.inputs, height: shape.height, width: shape.width, padding: 1)
    tiles = WinogradTiles(
      height: shape.height, width: shape.width, batch: shape.batch, wanted: Self.tilesPerStrip)
    blocks = DirectConvolution.blocks(of: shape.outputs)
    pointCount = blocks.reduce(0) { $0 + $1.width } * shape.inputs
    packed = Self.pack(weight, shape, blocks, pointCount, isTransposed: isTransposed)
    let stride = tiles.stride
    offsets = (0..<shape.inputs).map { Int32($0 * stride) }
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
    let (stride, images) = (tiles.stride, tiles.images)
    let padded = FloatBuffer(count: pool.count * images * image.count)
    let inputCount = Self.points * shape.inputs * stride
    let outputCount = Self.points * shape.outputs * stride
    let transformed = FloatBuffer(count: pool.count * inputCount)
    let products = FloatBuffer(count: pool.count * outputCount)
    padded.pointer.update(repeating: 0, count: padded.count)
    transformed.pointer.update(repeating: 0, count: transformed.count)
    let groups = (shape.batch + images - 1) / images
    let work = max(images * shape.outputCount * shape.inputs * 4, 1)
    let grain = max(Self.taskSize / work, 1)
    let (source, bias) = (x.storage, bias)
    pool.forEachOnWorker((groups + grain - 1) / grain) { task, worker in
      let scratch = padded.pointer + worker * images * image.count
      let v = transformed.pointer + worker * inputCount
      let m = products.pointer + worker * outputCount
      for group in task * grain..<min((task + 1) * grain, groups) {
        let first = group * images
        let count = min(images, shape.batch - first)
        for index in 0..<count {
          image.fill(
            scratch + index * image.count,
            from: source.pointer + (first + index) * shape.inputCount)
        }
        for rows in tiles.strips {
          for input in 0..<shape.inputs {
            tiles.transform(
              scratch + input * image.planeStride, imageStride: image.count,
              rowStride: image.rowStride, images: count, rows: rows, into: v + input * stride,
              pointStride: shape.inputs * stride)
          }
          multiply(v, count: count * rows.count * tiles.columns, into: m)
          for output in 0..<shape.outputs {
            let biases = bias.map {
              ($0.storage.pointer + output, $0.shape.count == 2 ? shape.outputs : 0)
            }
            let plane = shape.height * shape.width
            for index in 0..<count {
              tiles.invert(
                m + output * stride + index * rows.count * tiles.columns,
                pointStride: shape.outputs * stride, rows: rows,
                bias: biases.map { $0.0[(first + index) * $0.1] } ?? 0,
                into: out.pointer + (first + index) * shape.outputCount + output * plane)
            }
          }
        }
      }
    }
    return Tensor(adopting: out, shape: shape.outputShape)
  }

  /// The 16 products of transformed weights and `count` transformed tiles.
  private func multiply(
    _ v: UnsafePointer<Float>, count: Int, into m: UnsafeMutablePointer<Float>
  ) {
    let steps = shape.inputs
    let stride = tiles.stride
    offsets.withUnsafeBufferPointer { offsets in
      guard let offsets = offsets.baseAddress else { return }
      for point in 0..<Self.points {
        let input = v + point * shape.inputs * stride
        var weights = UnsafePointer(packed.pointer) + point * pointCount
        for block in blocks {
          let channels = min(block.width, shape.outputs - block.first)
          let target = m + (point * shape.outputs + block.first) * stride
          for first in Swift.stride(from: 0, to: count, by: 16) {
            let second = first + 8 < count ? first + 8 : first
            let tile = ChannelTile(
              out: target, plane: stride, channels: channels, valid: 8, first: first,
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
  let width: Int
  /// Images of a strip.
  let images: Int
  /// Rows of tiles of each strip.
  let strips: [Range<Int>]
  /// Room for the tiles of a strip, with what vectors write behind it.
  let stride: Int

  init(height: Int, width: Int, batch: Int, wanted: Int) {
    self.width = width
    columns = width / 2
    let all = height / 2
    let each = all * columns
    images = max(min(wanted / max(each, 1), batch), 1)
    let rows = images > 1 ? all : min(max(wanted / max(columns, 1), 1), all)
    strips = Swift.stride(from: 0, to: all, by: rows).map { $0..<min($0 + rows, all) }
    let room = images * rows * columns + max(8 - columns, 0)
    stride = (room + 15) / 16 * 16
  }

  /// Tiles of the vectors of a row: the last one reaches back over the one before.
  @inline(__always)
  private func start(_ column: Int) -> Int { max(min(column, columns - 8), 0) }

  /// `Bᵀ d B` of one channel's tiles; value `p` of tile `t` goes to `p · pointStride + t`.
  func transform(
    _ plane: UnsafePointer<Float>, imageStride: Int, rowStride: Int, images: Int,
    rows: Range<Int>, into out: UnsafeMutablePointer<Float>, pointStride: Int
  ) {
    var base = 0
    for index in 0..<images {
      for row in rows {
        let line = plane + index * imageStride + 2 * row * rowStride
        for column in Swift.stride(from: 0, to: columns, by: 8) {
          let first = start(column)
          let from = line + 2 * first
          let a = WinogradRow(from)
          let b = WinogradRow(from + rowStride)
          let c = WinogradRow(from + 2 * rowStride)
          let d = WinogradRow(from + 3 * rowStride)
          let target = out + base + first
          (a - c).store(target, pointStride)
          (b + c).store(target + 4 * pointStride, pointStride)
          (c - b).store(target + 8 * pointStride, pointStride)
          (b - d).store(target + 12 * pointStride, pointStride)
        }
        base += columns
      }
    }
  }

  /// `Aᵀ m A + bias` of one channel's tiles of one image into its plane.
  func invert(
    _ m: UnsafePointer<Float>, pointStride: Int, rows: Range<Int>, bias: Float,
    into plane: UnsafeMutablePointer<Float>
  ) {
    var base = 0
    for row in rows {
      let line = plane + 2 * row * width
      for column in Swift.stride(from: 0, to: columns, by: 8) {
        let first = start(column)
        let from = m + base + first
        @inline(__always)
        func sums(_ y: Int) -> (Lanes, Lanes) {
          let at = from + 4 * y * pointStride
          let (p, q) = (at.lanes(pointStride), at.lanes(2 * pointStride))
          return (at.lanes(0) + p + q, p - q - at.lanes(3 * pointStride))
        }
        let (a, b, c, d) = (sums(0), sums(1), sums(2), sums(3))
        store(a.0 + b.0 + c.0 + bias, a.1 + b.1 + c.1 + bias, line + 2 * first)
        store(b.0 - c.0 - d.0 + bias, b.1 - c.1 - d.1 + bias, line + width + 2 * first)
      }
      base += columns
    }
  }

  /// Even and odd columns of a row, as many as there are.
  @inline(__always)
  private func store(_ even: Lanes, _ odd: Lanes, _ target: UnsafeMutablePointer<Float>) {
    var both = SIMD16<Float>.zero
    both.evenHalf = even
    both.oddHalf = odd
    if columns >= 8 {
      target.store(both.lowHalf, 0)
      target.store(both.highHalf, 8)
    } else if columns == 4 {
      target.store(both.lowHalf, 0)
    } else {
      for lane in 0..<2 * columns { target[lane] = both[lane] }
    }
  }
}

/// A row of eight overlapping tiles: its four columns.
private struct WinogradRow {
  var a: Lanes
  var b: Lanes
  var c: Lanes
  var d: Lanes

  @inline(__always)
  init(_ x: UnsafePointer<Float>) {
    let near = SIMD16<Float>(lowHalf: x.lanes(0), highHalf: x.lanes(8))
    let far = SIMD16<Float>(lowHalf: x.lanes(2), highHalf: x.lanes(10))
    (a, b, c, d) = (near.evenHalf, near.oddHalf, far.evenHalf, far.oddHalf)
  }

  @inline(__always)
  private init(_ a: Lanes, _ b: Lanes, _ c: Lanes, _ d: Lanes) {
    (self.a, self.b, self.c, self.d) = (a, b, c, d)
  }

  @inline(__always)
  static func + (x: WinogradRow, y: WinogradRow) -> WinogradRow {
    WinogradRow(x.a + y.a, x.b + y.b, x.c + y.c, x.d + y.d)
  }

  @inline(__always)
  static func - (x: WinogradRow, y: WinogradRow) -> WinogradRow {
    WinogradRow(x.a - y.a, x.b - y.b, x.c - y.c, x.d - y.d)
  }

  /// The transform along the row.
  @inline(__always)
  func store(_ target: UnsafeMutablePointer<Float>, _ stride: Int) {
    target.store(a - c, 0)
    target.store(b + c, stride)
    target.store(c - b, 2 * stride)
    target.store(b - d, 3 * stride)
  }
}
