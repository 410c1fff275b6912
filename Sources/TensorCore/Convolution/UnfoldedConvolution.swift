/// Convolution of any stride as products of matrices: each image is unfolded to one column for each
/// output position, with what the kernel sees there, `[inputs · taps, positions]`.
struct UnfoldedConvolution: Sendable {
  /// Images whose weight gradients are summed by one task.
  private static let imagesPerTask = 8

  private let shape: ConvolutionShape
  private let depth: Int
  private let positions: Int

  init(_ shape: ConvolutionShape) {
    self.shape = shape
    depth = shape.inputs * shape.taps
    positions = shape.outputHeight * shape.outputWidth
  }

  private var pool: ThreadPool { Compute.pool }

  func forward(_ x: Tensor, _ weight: Tensor, bias: Tensor?) -> Tensor {
    let out = FloatBuffer(count: shape.batch * shape.outputCount)
    let columns = FloatBuffer(count: pool.count * depth * positions)
    let (source, kernel, bias) = (x.storage, weight.storage, bias)
    pool.forEachOnWorker(shape.batch) { image, worker in
      let unfolded = columns.pointer + worker * depth * positions
      unfold(source.pointer + image * shape.inputCount, into: unfolded)
      let target = out.pointer + image * shape.outputCount
      if let bias {
        let start = bias.shape.count == 2 ? image * shape.outputs : 0
        for output in 0..<shape.outputs {
          (target + output * positions).update(
            repeating: bias.storage.pointer[start + output], count: positions)
        }
      }
      gemm(
        m: shape.outputs, n: positions, k: depth, a: kernel.pointer, strideA: depth,
        b: unfolded, strideB: positions, transposeB: false, c: target, strideC: positions,
        target: bias != nil ? .added : .replaced)
    }
    return Tensor(adopting: out, shape: shape.outputShape)
  }

  func inputGradient(_ gradient: Tensor, _ weight: Tensor) -> Tensor {
    let out = FloatBuffer(count: shape.batch * shape.inputCount)
    let columns = FloatBuffer(count: pool.count * depth * positions)
    let (source, kernel) = (gradient.storage, weight.storage)
    pool.forEachOnWorker(shape.batch) { image, worker in
      let unfolded = columns.pointer + worker * depth * positions
      gemm(
        m: depth, n: positions, k: shape.outputs, a: kernel.pointer, strideA: depth,
        transposeA: true, b: source.pointer + image * shape.outputCount, strideB: positions,
        transposeB: false, c: unfolded, strideC: positions)
      fold(unfolded, into: out.pointer + image * shape.inputCount)
    }
    return Tensor(adopting: out, shape: shape.inputShape)
  }

  func weightGradient(_ x: Tensor, _ gradient: Tensor) -> Tensor {
    let size = shape.outputs * depth
    let tasks = (shape.batch + Self.imagesPerTask - 1) / Self.imagesPerTask
    let parts = FloatBuffer(count: tasks * size)
    let columns = FloatBuffer(count: pool.count * depth * positions)
    let (source, gradients) = (x.storage, gradient.storage)
    pool.forEachOnWorker(tasks) { task, worker in
      let unfolded = columns.pointer + worker * depth * positions
      let first = task * Self.imagesPerTask
      for image in first..<min(first + Self.imagesPerTask, shape.batch) {
        unfold(source.pointer + image * shape.inputCount, into: unfolded)
        gemm(
          m: shape.outputs, n: depth, k: positions,
          a: gradients.pointer + image * shape.outputCount, strideA: positions, b: unfolded,
          strideB: positions, transposeB: true, c: parts.pointer + task * size, strideC: depth,
          target: image > first ? .added : .replaced)
      }
    }
    return Tensor(adopting: parts, shape: [tasks, size]).summed(to: [1, size])
      .reshaped(shape.weightShape)
  }

  /// For each row of the unfolded matrix and each output row, the columns that see the image.
  private func forEachRun(
    _ body: (_ unfolded: Int, _ image: Int, _ valid: Range<Int>) -> Void
  ) {
    let (outputHeight, outputWidth) = (shape.outputHeight, shape.outputWidth)
    var row = 0
    for input in 0..<shape.inputs {
      for y in 0..<shape.kernelHeight {
        for x in 0..<shape.kernelWidth {
          let shift = x - shape.padding
          let first = shift < 0 ? (-shift + shape.stride - 1) / shape.stride : 0
          let last = (shape.width - 1 - shift) / shape.stride
          let end = shape.width - 1 - shift < 0 ? 0 : min(last + 1, outputWidth)
          for outputRow in 0..<outputHeight {
            let imageRow = outputRow * shape.stride + y - shape.padding
            let target = row * positions + outputRow * outputWidth
            let isInside = imageRow >= 0 && imageRow < shape.height && first < end
            let source = (input * shape.height + imageRow) * shape.width + shift
            body(target, source, isInside ? first..<end : 0..<0)
          }
          row += 1
        }
      }
    }
  }

  private func unfold(_ image: UnsafePointer<Float>, into out: UnsafeMutablePointer<Float>) {
    let (stride, width) = (shape.stride, shape.outputWidth)
    forEachRun { unfolded, source, valid in
      let row = out + unfolded
      if valid.count < width { row.update(repeating: 0, count: width) }
      for column in valid { row[column] = image[source + column * stride] }
    }
  }

  private func fold(_ unfolded: UnsafePointer<Float>, into image: UnsafeMutablePointer<Float>) {
    let stride = shape.stride
    image.update(repeating: 0, count: shape.inputCount)
    forEachRun { row, target, valid in
      for column in valid { image[target + column * stride] += unfolded[row + column] }
    }
  }
}
