/// How the 2×2 tiles of a convolution's result are taken together: of whole images, or some rows of
/// tiles of one; and the transforms of the image and of the products.
///
/// Where the result has an odd extent, the last tiles reach over its edge, where the frame has zeros;
/// what comes out there is dropped.
struct WinogradTiles: Sendable {
  /// Values of a transformed tile.
  let points: Int
  /// Tiles of a row.
  let columns: Int
  /// Extents of the result.
  let height: Int
  let width: Int
  /// Images of a strip.
  let images: Int
  /// Rows of tiles of each strip.
  let strips: [Range<Int>]
  /// Distance between the values of transformed tiles, with room for what vectors write behind them:
  /// an odd multiple of eight, so that channels do not fall on the same lines of a cache.
  let stride: Int
  /// Extents of the frame: what the tiles read.
  let frameHeight: Int
  let frameWidth: Int

  private let inputHeight: Int
  private let inputWidth: Int
  private let padding: Int
  /// Distance of the even from the odd columns of a row, and of rows and channels, in the frame.
  private let half: Int
  private let rowStride: Int
  let planeStride: Int

  /// - Parameters:
  ///   - batch: images that may go into a strip.
  ///   - wanted: tiles of a strip, about.
  init(_ shape: ConvolutionShape, batch: Int, wanted: Int) {
    points = (shape.kernelHeight + 1) * (shape.kernelHeight + 1)
    height = shape.outputHeight
    width = shape.outputWidth
    columns = (width + 1) / 2
    let all = (height + 1) / 2
    let each = all * columns
    images = max(min(wanted / max(each, 1), batch), 1)
    let rows = images > 1 ? all : min(max(wanted / max(columns, 1), 1), all)
    strips = Swift.stride(from: 0, to: all, by: rows).map { $0..<min($0 + rows, all) }
    let room = images * rows * columns + max(8 - columns, 0)
    stride = (room + 15) / 16 * 16 + 8
    frameHeight = 2 * all + shape.kernelHeight - 1
    frameWidth = 2 * columns + shape.kernelWidth - 1
    (inputHeight, inputWidth, padding) = (shape.height, shape.width, shape.padding)
    half = columns + 1
    rowStride = 2 * half
    planeStride = rowStride * frameHeight
  }

  /// Values of a framed image, with the few that a last vector may read behind it.
  func framedCount(channels: Int) -> Int { channels * planeStride + 16 }

  /// Copies an image inside its frame of zeros: of each row first the even columns, counted with the
  /// frame, then the odd ones.
  func fill(
    _ target: UnsafeMutablePointer<Float>, from source: UnsafePointer<Float>, channels: Int
  ) {
    // Where the even and the odd columns of the image go.
    let isShifted = padding % 2 == 1
    let even = padding / 2 + (isShifted ? half : 0)
    let odd = (padding + 1) / 2 + (isShifted ? 0 : half)
    for channel in 0..<channels {
      var row = target + channel * planeStride + padding * rowStride
      var from = source + channel * inputHeight * inputWidth
      for _ in 0..<inputHeight {
        ColumnParity.separate(from, count: inputWidth / 2, even: row + even, odd: row + odd)
        if inputWidth % 2 == 1 { row[even + inputWidth / 2] = from[inputWidth - 1] }
        row += rowStride
        from += inputWidth
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
    // A loop for each size: with the choice inside, what is the same for all vectors was found anew.
    if points == 16 {
      transform(plane, imageStride, images, rows, into: out, transformFour)
    } else {
      transform(plane, imageStride, images, rows, into: out, transformThree)
    }
  }

  @inline(__always)
  private func transform(
    _ plane: UnsafePointer<Float>, _ imageStride: Int, _ images: Int, _ rows: Range<Int>,
    into out: UnsafeMutablePointer<Float>,
    _ one: (UnsafePointer<Float>, UnsafeMutablePointer<Float>) -> Void
  ) {
    var base = 0
    for index in 0..<images {
      for row in rows {
        let line = plane + index * imageStride + 2 * row * rowStride
        for column in Swift.stride(from: 0, to: columns, by: 8) {
          let first = start(column)
          one(line + first, out + base + first)
        }
        base += columns
      }
    }
  }

  /// Along the columns first: of each, the four rows.
  @inline(__always)
  private func transformFour(
    _ even: UnsafePointer<Float>, _ target: UnsafeMutablePointer<Float>
  ) {
    @inline(__always)
    func along(_ x: UnsafePointer<Float>) -> (Lanes, Lanes, Lanes, Lanes) {
      let (p, q) = (x.lanes(0), x.lanes(rowStride))
      let (r, s) = (x.lanes(2 * rowStride), x.lanes(3 * rowStride))
      return (p - r, q + r, r - q, q - s)
    }
    @inline(__always)
    func put(_ y: Int, _ a: Lanes, _ b: Lanes, _ c: Lanes, _ d: Lanes) {
      let target = target + 4 * y * stride
      target.store(a - c, 0)
      target.store(b + c, stride)
      target.store(c - b, 2 * stride)
      target.store(b - d, 3 * stride)
    }
    let odd = even + half
    let (a, b, c, d) = (along(even), along(odd), along(even + 1), along(odd + 1))
    put(0, a.0, b.0, c.0, d.0)
    put(1, a.1, b.1, c.1, d.1)
    put(2, a.2, b.2, c.2, d.2)
    put(3, a.3, b.3, c.3, d.3)
  }

  @inline(__always)
  private func transformThree(
    _ even: UnsafePointer<Float>, _ target: UnsafeMutablePointer<Float>
  ) {
    @inline(__always)
    func along(_ x: UnsafePointer<Float>) -> (Lanes, Lanes, Lanes) {
      let (p, q, r) = (x.lanes(0), x.lanes(rowStride), x.lanes(2 * rowStride))
      return (p - q, q, r - q)
    }
    @inline(__always)
    func put(_ y: Int, _ a: Lanes, _ b: Lanes, _ c: Lanes) {
      let target = target + 3 * y * stride
      target.store(a - b, 0)
      target.store(b, stride)
      target.store(c - b, 2 * stride)
    }
    let (a, b, c) = (along(even), along(even + half), along(even + 1))
    put(0, a.0, b.0, c.0)
    put(1, a.1, b.1, c.1)
    put(2, a.2, b.2, c.2)
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
    if points == 16 {
      invert(m, rows, bias, lines, into: plane, invertFour)
    } else {
      invert(m, rows, bias, lines, into: plane, invertThree)
    }
  }

  @inline(__always)
  private func invert(
    _ m: UnsafePointer<Float>, _ rows: Range<Int>, _ bias: Float,
    _ lines: UnsafeMutablePointer<Float>, into plane: UnsafeMutablePointer<Float>,
    _ one: (UnsafePointer<Float>) -> (Lanes, Lanes, Lanes, Lanes)
  ) {
    var from = m
    let room = columns + 8
    for row in rows {
      for column in Swift.stride(from: 0, to: columns, by: 8) {
        let first = start(column)
        let tile = one(from + first)
        lines.store(tile.0 + bias, first)
        lines.store(tile.1 + bias, first + room)
        lines.store(tile.2 + bias, first + 2 * room)
        lines.store(tile.3 + bias, first + 3 * room)
      }
      write(lines, into: plane + 2 * row * width)
      if 2 * row + 1 < height { write(lines + 2 * room, into: plane + (2 * row + 1) * width) }
      from += columns
    }
  }

  /// A row of the result from its even and odd columns.
  @inline(__always)
  private func write(
    _ lines: UnsafeMutablePointer<Float>, into row: UnsafeMutablePointer<Float>
  ) {
    let odd = lines + columns + 8
    if width % 2 == 0 {
      ColumnParity.interleave(lines, odd, count: columns, into: row)
    } else {
      ColumnParity.interleave(lines, odd, count: width / 2, into: row)
      row[width - 1] = lines[columns - 1]
    }
  }

  /// The four values of each of eight tiles, row by row.
  @inline(__always)
  private func invertFour(_ m: UnsafePointer<Float>) -> (Lanes, Lanes, Lanes, Lanes) {
    @inline(__always)
    func sums(_ y: Int) -> (Lanes, Lanes) {
      let m = m + 4 * y * stride
      let (p, q) = (m.lanes(stride), m.lanes(2 * stride))
      return (m.lanes(0) + p + q, p - q - m.lanes(3 * stride))
    }
    let (a, b, c, d) = (sums(0), sums(1), sums(2), sums(3))
    return (
      a.0 + b.0 + c.0, a.1 + b.1 + c.1, b.0 - c.0 - d.0, b.1 - c.1 - d.1
    )
  }

  @inline(__always)
  private func invertThree(_ m: UnsafePointer<Float>) -> (Lanes, Lanes, Lanes, Lanes) {
    @inline(__always)
    func sums(_ y: Int) -> (Lanes, Lanes) {
      let m = m + 3 * y * stride
      let p = m.lanes(stride)
      return (m.lanes(0) + p, p + m.lanes(2 * stride))
    }
    let (a, b, c) = (sums(0), sums(1), sums(2))
    return (a.0 + b.0, a.1 + b.1, b.0 + c.0, b.1 + c.1)
  }
}
