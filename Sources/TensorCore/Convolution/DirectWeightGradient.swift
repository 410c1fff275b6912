/// The weight gradient of a convolution of stride 1: for four output channels and three columns of the
/// weight matrix (input channel, tap) at once, the inner products over all positions.
///
/// Images are summed in tiles of fixed size, and the tiles in order, so the bits do not depend on the
/// number of threads.
struct DirectWeightGradient: Sendable {
  /// Positions that one task sums: enough that adding up the lanes at the end costs little, few
  /// enough that the tile stays in the second-level cache.
  private static let positionsPerTask = 1024
  /// Tasks of a batch with all its parts, at least, where it has as many images: small images would make one or two, and
  /// most threads would wait.
  private static let fewestTasks = 8

  private let shape: ConvolutionShape
  private let image: PaddedImage
  private let gradient: PaddedImage
  /// Offsets of the vectors of all images of a task, in the padded input and in the gradient.
  private let inputVectors: [Int32]
  private let gradientVectors: [Int32]
  /// For each column of the weight matrix, where it lies in the padded image.
  private let columns: [Int32]
  private let images: Int

  init(_ shape: ConvolutionShape) {
    self.shape = shape
    let isDense = shape.padding == 0 && shape.taps == 1
    let (height, width) = isDense ? (1, shape.height * shape.width) : (shape.height, shape.width)
    let (rows, rowWidth) =
      isDense ? (1, width) : (shape.outputHeight, shape.outputWidth)
    // Rows of the gradient end in zeros up to a multiple of eight; the input has something finite
    // there.
    let slack = -rowWidth & 7
    image = PaddedImage(
      channels: shape.inputs, height: height, width: width, padding: shape.padding)
    gradient = PaddedImage(
      channels: shape.outputs, height: rows, width: rowWidth, padding: 0, slack: slack)
    let tasks = max(Self.fewestTasks / Tensor.parts, 1)
    images = max(min(Self.positionsPerTask / (rows * rowWidth), shape.batch / tasks), 1)
    let gradientStride = slack > 0 ? gradient.count : shape.outputCount
    var inputVectors: [Int32] = []
    var gradientVectors: [Int32] = []
    for index in 0..<images {
      for row in 0..<rows {
        for column in stride(from: 0, to: rowWidth, by: 8) {
          inputVectors.append(Int32(index * image.count + row * image.rowStride + column))
          gradientVectors.append(
            Int32(index * gradientStride + row * gradient.rowStride + column))
        }
      }
    }
    self.inputVectors = inputVectors
    self.gradientVectors = gradientVectors
    var columns: [Int32] = []
    for input in 0..<shape.inputs {
      for y in 0..<shape.kernelHeight {
        for x in 0..<shape.kernelWidth {
          columns.append(Int32(input * image.planeStride + y * image.rowStride + x))
        }
      }
    }
    self.columns = columns
  }

  func run(_ x: Tensor, _ gradients: Tensor) -> Tensor {
    let size = shape.outputs * columns.count
    let tasks = (shape.batch + images - 1) / images
    let parts = FloatBuffer(count: max(tasks, 1) * size)
    let pool = Compute.pool
    let isPadded = gradient.rowStride != gradient.width
    let inputs = FloatBuffer(count: pool.count * images * image.count)
    let outputs = FloatBuffer(count: isPadded ? pool.count * images * gradient.count : 0)
    inputs.pointer.update(repeating: 0, count: inputs.count)
    outputs.pointer.update(repeating: 0, count: outputs.count)
    let (source, upstream) = (x.storage, gradients.storage)
    pool.forEachOnWorker(tasks) { task, worker in
      let first = task * images
      let count = min(images, shape.batch - first)
      let padded = inputs.pointer + worker * images * image.count
      var from = UnsafePointer(upstream.pointer + first * shape.outputCount)
      for index in 0..<count {
        image.fill(
          padded + index * image.count, from: source.pointer + (first + index) * shape.inputCount)
      }
      if isPadded {
        let target = outputs.pointer + worker * images * gradient.count
        for index in 0..<count {
          gradient.fill(target + index * gradient.count, from: from + index * shape.outputCount)
        }
        from = UnsafePointer(target)
      }
      sum(
        UnsafePointer(padded), from, vectors: count * inputVectors.count / images,
        into: parts.pointer + task * size)
    }
    return Tensor(adopting: parts, shape: [max(tasks, 1), size]).summed(to: [1, size])
      .reshaped(shape.weightShape)
  }

  private func sum(
    _ input: UnsafePointer<Float>, _ upstream: UnsafePointer<Float>, vectors: Int,
    into out: UnsafeMutablePointer<Float>
  ) {
    let plane = gradient.planeStride
    let depth = columns.count
    inputVectors.withUnsafeBufferPointer { inputVectors in
      gradientVectors.withUnsafeBufferPointer { gradientVectors in
        guard let x = inputVectors.baseAddress, let g = gradientVectors.baseAddress else { return }
        for output in stride(from: 0, to: shape.outputs, by: 4) {
          // Channels and columns that do not exist are doubles of the last; their sums are dropped.
          let last = shape.outputs - 1
          let channels = (
            upstream + output * plane, upstream + min(output + 1, last) * plane,
            upstream + min(output + 2, last) * plane, upstream + min(output + 3, last) * plane
          )
          for column in stride(from: 0, to: depth, by: 3) {
            let places = (
              input + Int(columns[column]), input + Int(columns[min(column + 1, depth - 1)]),
              input + Int(columns[min(column + 2, depth - 1)])
            )
            let sums = innerProductsFourByThree(
              channels, places, inputVectors: x, gradientVectors: g, vectors: vectors)
            for row in 0..<min(4, shape.outputs - output) {
              let target = out + (output + row) * depth + column
              for index in 0..<min(3, depth - column) { target[index] = sums[row * 3 + index] }
            }
          }
        }
      }
    }
  }
}

/// Inner products of four channels of the gradient with three shifted channels of the input; value
/// `3 r + c` belongs to channel `r` and column `c`. One loop and no other: with a second one around it
/// the compiler kept sums in memory.
@inline(never)
private func innerProductsFourByThree(
  _ gradients: (
    UnsafePointer<Float>, UnsafePointer<Float>, UnsafePointer<Float>, UnsafePointer<Float>
  ),
  _ columns: (UnsafePointer<Float>, UnsafePointer<Float>, UnsafePointer<Float>),
  inputVectors: UnsafePointer<Int32>, gradientVectors: UnsafePointer<Int32>, vectors: Int
) -> SIMD16<Float> {
  var (a0, a1, a2) = (Lanes.zero, Lanes.zero, Lanes.zero)
  var (b0, b1, b2) = (Lanes.zero, Lanes.zero, Lanes.zero)
  var (c0, c1, c2) = (Lanes.zero, Lanes.zero, Lanes.zero)
  var (d0, d1, d2) = (Lanes.zero, Lanes.zero, Lanes.zero)
  for vector in 0..<vectors {
    let from = Int(inputVectors[vector])
    let at = Int(gradientVectors[vector])
    let x = columns.0.lanes(from)
    let y = columns.1.lanes(from)
    let z = columns.2.lanes(from)
    var g = gradients.0.lanes(at)
    a0 = multiplyAdd(a0, g, x)
    a1 = multiplyAdd(a1, g, y)
    a2 = multiplyAdd(a2, g, z)
    g = gradients.1.lanes(at)
    b0 = multiplyAdd(b0, g, x)
    b1 = multiplyAdd(b1, g, y)
    b2 = multiplyAdd(b2, g, z)
    g = gradients.2.lanes(at)
    c0 = multiplyAdd(c0, g, x)
    c1 = multiplyAdd(c1, g, y)
    c2 = multiplyAdd(c2, g, z)
    g = gradients.3.lanes(at)
    d0 = multiplyAdd(d0, g, x)
    d1 = multiplyAdd(d1, g, y)
    d2 = multiplyAdd(d2, g, z)
  }
  var sums = SIMD16<Float>.zero
  sums[0] = a0.sum()
  sums[1] = a1.sum()
  sums[2] = a2.sum()
  sums[3] = b0.sum()
  sums[4] = b1.sum()
  sums[5] = b2.sum()
  sums[6] = c0.sum()
  sums[7] = c1.sum()
  sums[8] = c2.sum()
  sums[9] = d0.sum()
  sums[10] = d1.sum()
  sums[11] = d2.sum()
  return sums
}
