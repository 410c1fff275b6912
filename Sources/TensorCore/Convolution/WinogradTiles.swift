/// How the tiles of a convolution's result, four or two rows of two columns, are taken together: of
/// whole images, or some rows of tiles of one; and the transforms of the image and of the products.
///
/// Where tiles do not fill the result, the last ones reach over its edge, where the frame has zeros;
/// what comes out there is dropped.
struct WinogradTiles: Sendable {
  /// Rows of a tile.
  let tileRows: Int
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
  /// Distance between the values of transformed tiles, with room for what vectors write behind them, and
  /// between channels: odd multiples of a panel's columns, which are a cache's line, so that they do not fall on
  /// the same lines of a cache.
  let stride: Int
  let channelStride: Int
  /// Extents of the frame: what the tiles read.
  let frameHeight: Int
  let frameWidth: Int

  private let kernel: Int
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
  ///   - tileRows: 2, or 4 for a kernel of three rows.
  init(_ shape: ConvolutionShape, batch: Int, wanted: Int, tileRows: Int) {
    precondition(tileRows == 2 || (tileRows == 4 && shape.kernelHeight == 3))
    self.tileRows = tileRows
    kernel = shape.kernelHeight
    points = (kernel + tileRows - 1) * (kernel + 1)
    height = shape.outputHeight
    width = shape.outputWidth
    columns = (width + 1) / 2
    let all = (height + tileRows - 1) / tileRows
    let each = all * columns
    images = max(min(wanted / max(each, 1), batch), 1)
    let rows = images > 1 ? all : min(max(wanted / max(columns, 1), 1), all)
    strips = Swift.stride(from: 0, to: all, by: rows).map { $0..<min($0 + rows, all) }
    let room = images * rows * columns + max(8 - columns, 0)
    let line = PanelKernelSet.columns
    stride = ((room + line - 1) / line | 1) * line
    channelStride = (points * stride / line | 1) * line
    frameHeight = tileRows * all + shape.kernelHeight - 1
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

  /// Points along a row of a tile, and down a column.
  private var pointColumns: Int { kernel + 1 }
  private var pointRows: Int { kernel + tileRows - 1 }

  /// Room for a value of each tile of an image's strip, with one row more, and what vectors write behind.
  private var room: Int { ((strips.first?.count ?? 0) + 1) * columns + 8 }

  /// Values that `transform` and `invert` need room for.
  var scratchCount: Int {
    max(pointColumns * tileRows, 2 * pointRows + 2 * tileRows) * room
  }

  /// `Bᵀ d B` of one channel's tiles; value `p` of tile `t` goes to `p · stride + t`.
  func transform(
    _ plane: UnsafePointer<Float>, imageStride: Int, images: Int, rows: Range<Int>,
    scratch: UnsafeMutablePointer<Float>, into out: UnsafeMutablePointer<Float>
  ) {
    let count = rows.count * columns
    let two = kernel == 3 ? WinogradPasses.imageTwoOfThree : WinogradPasses.imageTwoOfTwo
    for index in 0..<images {
      // Rows of the same place in their tiles follow each other, so that all tiles are one array.
      let top = plane + index * imageStride + tileRows * rows.lowerBound * rowStride
      for place in 0..<tileRows {
        // The first rows of the tiles below belong to those above them too.
        two(
          top + place * rowStride, half, 1, rows.count + (place < kernel - 1 ? 1 : 0),
          tileRows * rowStride, columns, scratch + place * room, tileRows * room)
      }
      for x in 0..<pointColumns {
        let first = scratch + x * tileRows * room
        let target = out + index * count + x * stride
        if tileRows == 4 {
          WinogradPasses.imageFourOfThree(
            first, step: room, next: columns, count: count, into: target,
            stride: pointColumns * stride)
        } else {
          two(first, room, columns, 1, 0, count, target, pointColumns * stride)
        }
      }
    }
  }

  /// `Aᵀ m A + bias` of one channel's tiles of one image into its plane.
  func invert(
    _ m: UnsafePointer<Float>, rows: Range<Int>, bias: Float,
    scratch: UnsafeMutablePointer<Float>, into plane: UnsafeMutablePointer<Float>
  ) {
    let count = rows.count * columns
    let two = kernel == 3 ? WinogradPasses.resultsTwoOfThree : WinogradPasses.resultsTwoOfTwo
    for y in 0..<pointRows {
      two(
        m + y * pointColumns * stride, stride, count, 0, scratch + y * room, pointRows * room)
    }
    let lines = scratch + 2 * pointRows * room
    for x in 0..<2 {
      let (points, target) = (scratch + x * pointRows * room, lines + x * tileRows * room)
      if tileRows == 4 {
        WinogradPasses.resultsFourOfThree(
          points, step: room, count: count, bias: bias, into: target)
      } else {
        two(points, room, count, bias, target, room)
      }
    }
    for row in rows {
      let top = tileRows * row
      for place in 0..<min(tileRows, height - top) {
        write(
          lines + place * room + (row - rows.lowerBound) * columns,
          into: plane + (top + place) * width)
      }
    }
  }

  /// A row of the result from its even and odd columns.
  @inline(__always)
  private func write(
    _ even: UnsafePointer<Float>, into row: UnsafeMutablePointer<Float>
  ) {
    ColumnParity.interleave(even, even + tileRows * room, count: width / 2, into: row)
    if width % 2 == 1 { row[width - 1] = even[columns - 1] }
  }
}
