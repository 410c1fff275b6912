/// An image whose channels lie together at each position, in eights: how kernels want it that do the
/// same to every channel.
struct ChannelsLastImage: Sendable {
  let channels: Int
  let height: Int
  let width: Int
  /// Zeros around the image.
  let padding: Int
  /// Distance of positions: the channels, and zeros up to it.
  let stride: Int

  init(channels: Int, height: Int, width: Int, padding: Int) {
    self.channels = channels
    self.height = height
    self.width = width
    self.padding = padding
    stride = (channels + 7) / 8 * 8
  }

  /// Distance of rows.
  var rowStride: Int { (width + 2 * padding) * stride }

  var count: Int { (height + 2 * padding) * rowStride }

  /// Copies an image `[channels, height, width]` inside its frame, which stays as it is.
  func fill(_ target: UnsafeMutablePointer<Float>, from source: UnsafePointer<Float>) {
    let plane = height * width
    for first in Swift.stride(from: 0, to: channels, by: 8) {
      let count = min(8, channels - first)
      for row in 0..<height {
        let from = source + first * plane + row * width
        let to = target + (row + padding) * rowStride + padding * stride + first
        if count == 8, width >= 8 {
          for column in Swift.stride(from: 0, to: width, by: 8) {
            let place = min(column, width - 8)
            transposeEightByEight(from + place, plane, into: to + place * stride, stride)
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

/// Pairs of the lower and of the upper values of each half of two vectors.
@inline(__always)
private func interleaved(_ a: Lanes, _ b: Lanes) -> (Lanes, Lanes) {
  (
    Lanes(a[0], b[0], a[1], b[1], a[4], b[4], a[5], b[5]),
    Lanes(a[2], b[2], a[3], b[3], a[6], b[6], a[7], b[7])
  )
}

/// As `interleaved`, of pairs.
@inline(__always)
private func interleavedPairs(_ a: Lanes, _ b: Lanes) -> (Lanes, Lanes) {
  (
    Lanes(a[0], a[1], b[0], b[1], a[4], a[5], b[4], b[5]),
    Lanes(a[2], a[3], b[2], b[3], a[6], a[7], b[6], b[7])
  )
}

/// Halves of two vectors.
@inline(__always)
private func halves(_ a: Lanes, _ b: Lanes) -> (Lanes, Lanes) {
  (Lanes(lowHalf: a.lowHalf, highHalf: b.lowHalf), Lanes(lowHalf: a.highHalf, highHalf: b.highHalf))
}

/// Eight rows of eight values become eight columns.
@inline(__always)
private func transposeEightByEight(
  _ source: UnsafePointer<Float>, _ sourceStride: Int,
  into target: UnsafeMutablePointer<Float>, _ targetStride: Int
) {
  let a = interleaved(source.lanes(0), source.lanes(sourceStride))
  let b = interleaved(source.lanes(2 * sourceStride), source.lanes(3 * sourceStride))
  let c = interleaved(source.lanes(4 * sourceStride), source.lanes(5 * sourceStride))
  let d = interleaved(source.lanes(6 * sourceStride), source.lanes(7 * sourceStride))
  let (e, f) = (interleavedPairs(a.0, b.0), interleavedPairs(a.1, b.1))
  let (g, h) = (interleavedPairs(c.0, d.0), interleavedPairs(c.1, d.1))
  let (p, q) = (halves(e.0, g.0), halves(e.1, g.1))
  let (r, s) = (halves(f.0, h.0), halves(f.1, h.1))
  target.store(p.0, 0)
  target.store(q.0, targetStride)
  target.store(r.0, 2 * targetStride)
  target.store(s.0, 3 * targetStride)
  target.store(p.1, 4 * targetStride)
  target.store(q.1, 5 * targetStride)
  target.store(r.1, 6 * targetStride)
  target.store(s.1, 7 * targetStride)
}
