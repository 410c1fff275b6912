/// Convolution of a stride above 1 as one of stride 1: rows and columns are dealt out by their remainder
/// to channels of their own, its phases, and the kernel likewise. The kernels of stride 1 then serve
/// every stride.
struct PhaseConvolution: Sendable {
  private let shape: ConvolutionShape
  private let phases: Phases
  /// The convolution of the phases.
  private let dealt: ConvolutionShape

  /// - Precondition: the kernel is square.
  init(_ shape: ConvolutionShape) {
    let stride = shape.stride
    let taps = (shape.kernelHeight + stride - 1) / stride
    self.shape = shape
    phases = Phases(shape, taps: taps)
    dealt = ConvolutionShape(
      phases.shape, weight: [shape.outputs, phases.shape[1], taps, taps], stride: 1, padding: 0)
  }

  func forward(_ x: Tensor, _ weight: Tensor, bias: Tensor?) -> Tensor {
    convolutionKernel(phases.split(x), split(weight), bias: bias, dealt)
  }

  func inputGradient(_ gradient: Tensor, _ weight: Tensor) -> Tensor {
    phases.joined(inputGradientKernel(gradient, split(weight), dealt))
  }

  func weightGradient(_ x: Tensor, _ gradient: Tensor) -> Tensor {
    joined(weightGradientKernel(phases.split(x), gradient, dealt))
  }

  /// The kernel of the phases, with zeros where the kernel ends.
  private func split(_ weight: Tensor) -> Tensor {
    let out = FloatBuffer(count: dealt.weightShape.reduce(1, *))
    if dealt.taps * shape.stride * shape.stride > shape.taps {
      out.pointer.update(repeating: 0, count: out.count)
    }
    let source = weight.storage
    forEachWeight { inside, at in out.pointer[at] = source.pointer[inside] }
    return Tensor(adopting: out, shape: dealt.weightShape)
  }

  private func joined(_ weight: Tensor) -> Tensor {
    let out = FloatBuffer(count: shape.weightShape.reduce(1, *))
    let source = weight.storage
    forEachWeight { inside, at in out.pointer[inside] = source.pointer[at] }
    return Tensor(adopting: out, shape: shape.weightShape)
  }

  /// Where each weight lies, in the kernel and in that of the phases.
  @inline(__always)
  private func forEachWeight(_ body: (_ inside: Int, _ at: Int) -> Void) {
    let (stride, size, taps) = (shape.stride, shape.kernelHeight, dealt.kernelHeight)
    // The same in every kernel.
    let places = (0..<size * size).map { tap in
      let (y, x) = (tap / size, tap % size)
      let phase = y % stride * stride + x % stride
      return (phase * taps + y / stride) * taps + x / stride
    }
    let dealtSize = stride * stride * taps * taps
    places.withUnsafeBufferPointer { places in
      for plane in 0..<shape.outputs * shape.inputs {
        for tap in places.indices {
          body(plane * places.count + tap, plane * dealtSize + places[tap])
        }
      }
    }
  }
}

/// How the values of images are dealt out to phases; some go nowhere, and some places get zeros.
private struct Phases: Sendable {
  /// The rows or columns of one remainder.
  private struct Line {
    /// The first of the image, and where it goes in the phase.
    let first: Int
    let start: Int
    let count: Int
  }

  /// `[batch, channels, height, width]`.
  private let image: [Int]
  private let stride: Int
  /// Extents of a phase.
  private let rows: Int
  private let columns: Int
  /// By remainder.
  private let vertical: [Line]
  private let horizontal: [Line]

  /// - Parameter taps: of a kernel of the phases.
  init(_ shape: ConvolutionShape, taps: Int) {
    let (stride, padding) = (shape.stride, shape.padding)
    image = shape.inputShape
    self.stride = stride
    rows = shape.outputHeight + taps - 1
    columns = shape.outputWidth + taps - 1
    func lines(_ extent: Int, of length: Int) -> [Line] {
      (0..<stride).map { remainder in
        let start = max((padding - remainder + stride - 1) / stride, 0)
        let first = start * stride + remainder - padding
        let all = first < length ? (length - first + stride - 1) / stride : 0
        return Line(first: first, start: start, count: max(min(all, extent - start), 0))
      }
    }
    vertical = lines(rows, of: shape.height)
    horizontal = lines(columns, of: shape.width)
  }

  /// `[batch, channels · stride², rows, columns]`; the channels of one are neighbours.
  var shape: [Int] { [image[0], image[1] * stride * stride, rows, columns] }

  func split(_ x: Tensor) -> Tensor {
    let out = FloatBuffer(count: shape.reduce(1, *))
    let source = x.storage
    let size = rows * columns
    forEachPlane { plane in
      let target = out.pointer + plane * stride * stride * size
      // What lies outside the image, before and behind its rows and within.
      for (remainder, line) in vertical.enumerated() {
        let phase = target + remainder * stride * size
        let end = line.start + line.count
        for right in 0..<stride {
          let phase = phase + right * size
          phase.update(repeating: 0, count: line.start * columns)
          (phase + end * columns).update(repeating: 0, count: (rows - end) * columns)
        }
        for row in 0..<line.count {
          split(
            UnsafePointer(
              source.pointer + (plane * image[2] + line.first + row * stride) * image[3]),
            into: phase + (line.start + row) * columns)
        }
      }
    }
    return Tensor(adopting: out, shape: shape)
  }

  /// A row of the image into the rows of its phases, which lie a phase apart.
  private func split(_ row: UnsafePointer<Float>, into target: UnsafeMutablePointer<Float>) {
    let size = rows * columns
    for (remainder, line) in horizontal.enumerated() {
      let phase = target + remainder * size
      for column in 0..<line.start { phase[column] = 0 }
      for column in line.start + line.count..<columns { phase[column] = 0 }
    }
    var done = 0
    if stride == 2 {
      let (even, odd) = byParity
      done = min(horizontal[even].count, horizontal[odd].count)
      ColumnParity.separate(
        row, count: done, even: target + even * size + horizontal[even].start,
        odd: target + odd * size + horizontal[odd].start)
    }
    for (remainder, line) in horizontal.enumerated() {
      let phase = target + remainder * size + line.start
      for column in done..<line.count { phase[column] = row[line.first + column * stride] }
    }
  }

  /// The adjoint of `split`.
  func joined(_ x: Tensor) -> Tensor {
    let out = FloatBuffer(count: image.reduce(1, *))
    let source = x.storage
    let (size, phase) = (image[2] * image[3], rows * columns)
    let isCovered =
      vertical.reduce(0) { $0 + $1.count } == image[2]
      && horizontal.reduce(0) { $0 + $1.count } == image[3]
    forEachPlane { plane in
      let target = out.pointer + plane * size
      if !isCovered { target.update(repeating: 0, count: size) }
      for (remainder, line) in vertical.enumerated() {
        let from = source.pointer + (plane * stride + remainder) * stride * phase
        for row in 0..<line.count {
          join(
            UnsafePointer(from + (line.start + row) * columns),
            into: target + (line.first + row * stride) * image[3])
        }
      }
    }
    return Tensor(adopting: out, shape: image)
  }

  private func join(_ source: UnsafePointer<Float>, into row: UnsafeMutablePointer<Float>) {
    let size = rows * columns
    var done = 0
    if stride == 2 {
      let (even, odd) = byParity
      done = min(horizontal[even].count, horizontal[odd].count)
      ColumnParity.interleave(
        source + even * size + horizontal[even].start,
        source + odd * size + horizontal[odd].start, count: done, into: row)
    }
    for (remainder, line) in horizontal.enumerated() {
      let phase = source + remainder * size + line.start
      for column in done..<line.count { row[line.first + column * stride] = phase[column] }
    }
  }

  /// With stride 2, the phases of the image's even and odd columns.
  private var byParity: (even: Int, odd: Int) { horizontal[0].first == 0 ? (0, 1) : (1, 0) }

  private func forEachPlane(_ body: @Sendable (Int) -> Void) {
    let grain = max(Compute.grain / max(stride * stride * rows * columns, 1), 1)
    Compute.pool.forEachRange(of: image[0] * image[1], grain: grain) { $0.forEach(body) }
  }
}
