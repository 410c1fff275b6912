/// Convolution of any shape as products of matrices: each image is unfolded to one column for each
/// output position, with what the kernel sees there, `[inputs · taps, positions]`. For a kernel of one tap that is
/// the image as it lies.
///
/// Weight gradients of images are summed in tasks of fixed size, and the tasks in order, so the bits do not
/// depend on the number of threads.
struct UnfoldedConvolution: Sendable {
  /// Images whose weight gradients are summed by one task.
  private static let imagesPerTask = 8

  private let shape: ConvolutionShape
  private let depth: Int
  private let positions: Int
  /// Whether the unfolded image is the image.
  private let isUnfolded: Bool

  init(_ shape: ConvolutionShape) {
    self.shape = shape
    depth = shape.inputs * shape.taps
    positions = shape.outputHeight * shape.outputWidth
    isUnfolded = shape.taps == 1 && shape.stride == 1 && shape.padding == 0
  }

  private var pool: ThreadPool { Compute.pool }

  /// The convolution from this one's results to its inputs, with kernels turned by half a circle, where that has fewer
  /// values to unfold: each of the three products of one is a product of the other.
  private var cheaper: UnfoldedConvolution? {
    guard shape.outputs < shape.inputs, !isUnfolded, let transposed = shape.transposed else {
      return nil
    }
    return UnfoldedConvolution(transposed)
  }

  func forward(_ x: Tensor, _ weight: Tensor, bias: Tensor?) -> Tensor {
    if let cheaper { return cheaper.folded(x, turned(weight), bias: bias) }
    return unfolded(x, weight, bias: bias)
  }

  func inputGradient(_ gradient: Tensor, _ weight: Tensor) -> Tensor {
    if let cheaper { return cheaper.unfolded(gradient, turned(weight), bias: nil) }
    return folded(gradient, weight, bias: nil)
  }

  func weightGradient(_ x: Tensor, _ gradient: Tensor) -> Tensor {
    if let cheaper { return cheaper.turned(cheaper.summed(gradient, x)) }
    return summed(x, gradient)
  }

  /// `[outputs, inputs, kernel height, kernel width]` as `[inputs, outputs, …]`, each kernel turned by half a circle.
  private func turned(_ weight: Tensor) -> Tensor {
    let (outputs, inputs, taps) = (shape.outputs, shape.inputs, shape.taps)
    let source = weight.storage.pointer
    return Tensor(shape: [inputs, outputs, shape.kernelHeight, shape.kernelWidth]) { out in
      for output in 0..<outputs {
        for input in 0..<inputs {
          let from = source + (output * inputs + input) * taps
          let to = out + (input * outputs + output) * taps
          for tap in 0..<taps { to[tap] = from[taps - 1 - tap] }
        }
      }
    }
  }

  /// Room for an unfolded image of each worker.
  private func columns() -> FloatBuffer {
    FloatBuffer(count: isUnfolded ? 0 : pool.count * depth * positions)
  }

  /// `weight · unfolded x + bias`.
  private func unfolded(_ x: Tensor, _ weight: Tensor, bias: Tensor?) -> Tensor {
    let out = FloatBuffer(count: shape.batch * shape.outputCount)
    let columns = columns()
    let (source, kernel) = (x.storage, weight.storage)
    pool.forEachOnWorker(shape.batch) { image, worker in
      let unfolded = unfolded(
        source.pointer + image * shape.inputCount, columns.pointer + worker * depth * positions)
      let target = out.pointer + image * shape.outputCount
      start(target, bias, image, channels: shape.outputs, each: positions)
      gemm(
        m: shape.outputs, n: positions, k: depth, a: kernel.pointer, strideA: depth,
        b: unfolded, strideB: positions, transposeB: false, c: target, strideC: positions,
        target: bias != nil ? .added : .replaced)
    }
    return Tensor(adopting: out, shape: shape.outputShape)
  }

  /// `weightᵀ · gradient` folded, `+ bias`.
  private func folded(_ gradient: Tensor, _ weight: Tensor, bias: Tensor?) -> Tensor {
    let out = FloatBuffer(count: shape.batch * shape.inputCount)
    let columns = columns()
    let (source, kernel) = (gradient.storage, weight.storage)
    pool.forEachOnWorker(shape.batch) { image, worker in
      let target = out.pointer + image * shape.inputCount
      start(target, bias, image, channels: shape.inputs, each: shape.height * shape.width)
      let unfolded = isUnfolded ? target : columns.pointer + worker * depth * positions
      gemm(
        m: depth, n: positions, k: shape.outputs, a: kernel.pointer, strideA: depth,
        transposeA: true, b: source.pointer + image * shape.outputCount, strideB: positions,
        transposeB: false, c: unfolded, strideC: positions,
        target: isUnfolded && bias != nil ? .added : .replaced)
      guard !isUnfolded else { return }
      if bias == nil { target.update(repeating: 0, count: shape.inputCount) }
      fold(unfolded, into: target)
    }
    return Tensor(adopting: out, shape: shape.inputShape)
  }

  /// `gradient · unfolded xᵀ`, summed over images.
  private func summed(_ x: Tensor, _ gradient: Tensor) -> Tensor {
    let size = shape.outputs * depth
    let tasks = (shape.batch + Self.imagesPerTask - 1) / Self.imagesPerTask
    let parts = FloatBuffer(count: tasks * size)
    let columns = columns()
    let (source, gradients) = (x.storage, gradient.storage)
    pool.forEachOnWorker(tasks) { task, worker in
      let first = task * Self.imagesPerTask
      for image in first..<min(first + Self.imagesPerTask, shape.batch) {
        let unfolded = unfolded(
          source.pointer + image * shape.inputCount, columns.pointer + worker * depth * positions)
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

  /// Fills an image's channels with their bias, if there is one.
  private func start(
    _ target: UnsafeMutablePointer<Float>, _ bias: Tensor?, _ image: Int, channels: Int, each: Int
  ) {
    guard let bias else { return }
    let values = bias.storage.pointer + (bias.shape.count == 2 ? image * channels : 0)
    for channel in 0..<channels {
      (target + channel * each).update(repeating: values[channel], count: each)
    }
  }

  /// For each row of the unfolded matrix and each output row, the columns that see the image.
  @inline(__always)
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

  private func unfolded(_ image: UnsafePointer<Float>, _ out: UnsafeMutablePointer<Float>)
    -> UnsafePointer<Float>
  {
    guard !isUnfolded else { return image }
    let (stride, width) = (shape.stride, shape.outputWidth)
    forEachRun { unfolded, source, valid in
      let (row, image) = (out + unfolded, image + source)
      for column in 0..<valid.lowerBound { row[column] = 0 }
      for column in valid.upperBound..<width { row[column] = 0 }
      var column = valid.lowerBound
      // Rows are short: a call of `memmove` for each costs more than the copy.
      if stride == 1 {
        while column + 8 <= valid.upperBound {
          row.store(image.lanes(column), column)
          column += 8
        }
      }
      while column < valid.upperBound {
        row[column] = image[column * stride]
        column += 1
      }
    }
    return UnsafePointer(out)
  }

  private func fold(_ unfolded: UnsafePointer<Float>, into image: UnsafeMutablePointer<Float>) {
    let stride = shape.stride
    forEachRun { unfoldedRow, target, valid in
      let (row, image) = (unfolded + unfoldedRow, image + target)
      var column = valid.lowerBound
      if stride == 1 {
        while column + 8 <= valid.upperBound {
          image.store(UnsafePointer(image).lanes(column) + row.lanes(column), column)
          column += 8
        }
      }
      while column < valid.upperBound {
        image[column * stride] += row[column]
        column += 1
      }
    }
  }
}
