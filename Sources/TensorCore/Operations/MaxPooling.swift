extension Tensor {
  /// The largest value under a square window, `[batch, channels, height, width]`. What lies outside
  /// the picture is never the largest.
  ///
  /// - Precondition: `padding` is less than `size`, and the window fits the padded picture.
  public func maxPooled(size: Int, stride: Int, padding: Int = 0) -> Tensor {
    precondition(
      shape.count == 4 && size > 0 && stride > 0 && (0..<size).contains(padding)
        && min(shape[2], shape[3]) + 2 * padding >= size,
      "pooling of shape \(shape) with a window of \(size), stride \(stride), padding \(padding)")
    let (height, width) = (shape[2], shape[3])
    let target = [height, width].map { ($0 + 2 * padding - size) / stride + 1 }
    let source = storage
    let places = Compute.pool.map(shape[0] * shape[1]) { plane -> [Int32] in
      let start = plane * height * width
      var found: [Int32] = []
      found.reserveCapacity(target[0] * target[1])
      for row in 0..<target[0] {
        let rows = Self.window(row * stride - padding, size, height)
        for column in 0..<target[1] {
          let columns = Self.window(column * stride - padding, size, width)
          var place = start + rows.lowerBound * width + columns.lowerBound
          var largest = source.pointer[place]
          for y in rows {
            for x in columns {
              let value = source.pointer[start + y * width + x]
              // Written so that NaN stays and is found.
              if !(value <= largest) && !largest.isNaN {
                (place, largest) = (start + y * width + x, value)
              }
            }
          }
          found.append(Int32(place))
        }
      }
      return found
    }
    return picked(places.flatMap(\.self), shape: [shape[0], shape[1]] + target)
  }

  private static func window(_ start: Int, _ size: Int, _ extent: Int) -> Range<Int> {
    max(start, 0)..<min(start + size, extent)
  }

  /// The values at `places` of all values.
  private func picked(_ places: [Int32], shape target: [Int]) -> Tensor {
    let (source, shape) = (storage, shape)
    return Tensor(shape: target) { out in
      for (index, place) in places.enumerated() { out[index] = source.pointer[Int(place)] }
    }.recorded(Pullback(self) { $0.placed(places, shape: shape) })
  }

  /// Zeros, with these values added at `places`.
  private func placed(_ places: [Int32], shape target: [Int]) -> Tensor {
    let (source, shape) = (storage, shape)
    var result = Tensor(zeros: target)
    result.withMutablePointer { out in
      for (index, place) in places.enumerated() { out[Int(place)] += source.pointer[index] }
    }
    return result.recorded(Pullback(self) { $0.picked(places, shape: shape) })
  }
}
