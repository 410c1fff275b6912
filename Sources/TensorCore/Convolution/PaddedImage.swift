/// How an image lies in scratch memory so that a kernel of stride 1 may read eight columns anywhere:
/// with a frame of zeros, and some more behind.
struct PaddedImage: Sendable {
  let channels: Int
  let height: Int
  let width: Int
  let padding: Int
  /// Distance of rows and of channels.
  let rowStride: Int
  let planeStride: Int

  init(channels: Int, height: Int, width: Int, padding: Int, slack: Int = 0) {
    self.channels = channels
    self.height = height
    self.width = width
    self.padding = padding
    rowStride = width + 2 * padding + slack
    planeStride = rowStride * (height + 2 * padding)
  }

  /// Values of an image, with the few that a last vector may read behind it.
  var count: Int { channels * planeStride + 16 }

  /// Writes the zeros that `fill` leaves alone.
  func clear(_ target: UnsafeMutablePointer<Float>) { target.update(repeating: 0, count: count) }

  /// Copies a dense image inside the frame.
  func fill(_ target: UnsafeMutablePointer<Float>, from source: UnsafePointer<Float>) {
    for channel in 0..<channels {
      var row = target + channel * planeStride + padding * rowStride + padding
      var from = source + channel * height * width
      for _ in 0..<height {
        // Rows are short: a call of `memmove` for each costs more than the copy.
        var column = 0
        while column + 8 <= width {
          row.store(from.lanes(column), column)
          column += 8
        }
        while column < width {
          row[column] = from[column]
          column += 1
        }
        row += rowStride
        from += width
      }
    }
  }
}

/// Where the vectors of eight output columns lie, the same for all channels of an image.
///
/// A row that is no multiple of eight ends in a vector that reaches back over the one before; a
/// row shorter than eight is one vector of which only the beginning counts.
struct VectorPositions: Sendable {
  /// Offsets in the padded input and in the dense output.
  let input: [Int32]
  let output: [Int32]
  /// Columns of a vector that count.
  let valid: Int

  init(height: Int, width: Int, inputRowStride: Int) {
    var input: [Int32] = []
    var output: [Int32] = []
    for row in 0..<height {
      for start in stride(from: 0, to: width, by: 8) {
        let column = max(min(start, width - 8), 0)
        input.append(Int32(row * inputRowStride + column))
        output.append(Int32(row * width + column))
      }
    }
    self.input = input
    self.output = output
    valid = min(width, 8)
  }
}
