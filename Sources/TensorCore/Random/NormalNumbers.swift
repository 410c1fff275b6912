import Glibc

extension RandomStream {
  /// A number of the standard normal distribution (Box & Muller 1958), from two of the stream's.
  public mutating func normal() -> Float {
    // In 0…1 without 0, so that the logarithm is finite.
    let radius = (-2 * Glibc.log((Double(nextUInt32()) + 1) * 0x1p-32)).squareRoot()
    let angle = 2 * Double.pi * Double(nextUInt32()) * 0x1p-32
    return Float(radius * Glibc.cos(angle))
  }
}

extension Tensor {
  /// Standard normal numbers, `[streams, shape…]`: each stream gives its own part, so a sample is the
  /// same in any batch.
  public init(normal shape: [Int], from streams: [RandomStream]) {
    let size = shape.reduce(1, *)
    let buffer = FloatBuffer(count: streams.count * size)
    Compute.pool.forEach(streams.count) { index in
      var stream = streams[index]
      let target = buffer.pointer + index * size
      for place in 0..<size { target[place] = stream.normal() }
    }
    self.init(adopting: buffer, shape: [streams.count] + shape)
  }
}
