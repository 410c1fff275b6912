/// An image whose channels lie together at each position, in eights: how kernels want it that do the
/// same to every channel.
struct ChannelsLastImage: Sendable {
  let channels: Int
  let height: Int
  let width: Int
  /// Zeros above and left of the image.
  let padding: Int
  /// Rows of the frame.
  let rows: Int
  /// Distance of positions: the channels, and zeros up to it.
  let stride: Int
  /// Distance of rows.
  let rowStride: Int

  /// - Parameters:
  ///   - rows, columns: of the frame.
  init(channels: Int, height: Int, width: Int, padding: Int, rows: Int, columns: Int) {
    self.channels = channels
    self.height = height
    self.width = width
    self.padding = padding
    self.rows = rows
    stride = (channels + 7) / 8 * 8
    rowStride = columns * stride
  }

  var count: Int { rows * rowStride }

  /// Values that `fill` needs room for.
  static let scratchCount = 128

  /// Copies an image `[channels, height, width]` inside its frame, which stays as it is.
  func fill(
    _ target: UnsafeMutablePointer<Float>, from source: UnsafePointer<Float>,
    scratch: UnsafeMutablePointer<Float>
  ) {
    let plane = height * width
    for first in Swift.stride(from: 0, to: channels, by: 8) {
      let count = min(8, channels - first)
      for row in 0..<height {
        let from = source + first * plane + row * width
        let to = target + (row + padding) * rowStride + padding * stride + first
        if count == 8, width >= 8 {
          for column in Swift.stride(from: 0, to: width, by: 8) {
            let place = min(column, width - 8)
            transposeEightByEight(
              from + place, plane, into: to + place * stride, stride, scratch: scratch)
          }
        } else {
          for column in 0..<width {
            for channel in 0..<count {
              to[column * stride + channel] = from[channel * plane + column]
            }
          }
        }
      }
    }
  }
}

/// Eight rows of eight values become eight columns, in three shuffles like those of cards: row `i` and
/// row `i + 4` become rows `2i` and `2i + 1`, their values in turn.
@inline(__always)
private func transposeEightByEight(
  _ source: UnsafePointer<Float>, _ sourceStride: Int,
  into target: UnsafeMutablePointer<Float>, _ targetStride: Int,
  scratch: UnsafeMutablePointer<Float>
) {
  shuffle(source, sourceStride, into: scratch, 8)
  shuffle(scratch, 8, into: scratch + 64, 8)
  shuffle(scratch + 64, 8, into: target, targetStride)
}

/// Apart from its callers: taken together, the compiler made the shuffles moves of single numbers.
@inline(never)
private func shuffle(
  _ source: UnsafePointer<Float>, _ sourceStride: Int,
  into target: UnsafeMutablePointer<Float>, _ targetStride: Int
) {
  for row in 0..<4 {
    let from = source + row * sourceStride
    let (a, b) = (from.lanes(0), from.lanes(4 * sourceStride))
    let to = target + 2 * row * targetStride
    to.store(Lanes(a[0], b[0], a[1], b[1], a[2], b[2], a[3], b[3]), 0)
    to.store(Lanes(a[4], b[4], a[5], b[5], a[6], b[6], a[7], b[7]), targetStride)
  }
}
