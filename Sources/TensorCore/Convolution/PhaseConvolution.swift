/// Convolution of a stride above 1 as one of stride 1: rows and columns are dealt out by their remainder
/// to channels of their own, and the kernel likewise. The direct kernels then serve every stride.
extension Tensor {
  /// As `convolved`, by phases.
  func convolvedByPhases(_ weight: Tensor, bias: Tensor?, _ plan: ConvolutionShape) -> Tensor {
    let stride = plan.stride
    let taps = (plan.kernelHeight + stride - 1) / stride
    let phases = Phases(
      image: plan.inputShape, stride: stride, padding: plan.padding,
      rows: plan.outputHeight + taps - 1, columns: plan.outputWidth + taps - 1)
    // [outputs, inputs, tap, phase, tap, phase], zeros where the kernel ends.
    let missing = taps * stride - plan.kernelHeight
    let kernel = weight.padded(2, before: 0, after: missing).padded(3, before: 0, after: missing)
      .reshaped([plan.outputs, plan.inputs, taps, stride, taps, stride])
      .permuted([0, 1, 3, 5, 2, 4])
      .reshaped([plan.outputs, plan.inputs * stride * stride, taps, taps])
    return split(phases).convolved(kernel, bias: bias)
  }

  private func split(_ phases: Phases) -> Tensor {
    phases.split(self).recorded(Pullback(self) { $0.joined(phases) })
  }

  private func joined(_ phases: Phases) -> Tensor {
    phases.joined(self).recorded(Pullback(self) { $0.split(phases) })
  }
}

/// How the values of images are dealt out to phases; some go nowhere, and some places get zeros.
private struct Phases: Sendable {
  /// `[batch, channels, height, width]`.
  let image: [Int]
  let stride: Int
  let padding: Int
  /// Extents of a phase.
  let rows: Int
  let columns: Int

  private var shape: [Int] { [image[0], image[1] * stride * stride, rows, columns] }

  /// `[batch, channels · stride², rows, columns]`; the channels of one are neighbours.
  func split(_ x: Tensor) -> Tensor {
    let out = FloatBuffer(count: shape.reduce(1, *))
    let source = x.storage
    forEachPlane { plane in
      forEachRow(of: plane) { inside, at, first, valid in
        let row = out.pointer + at
        if valid.count < columns { row.update(repeating: 0, count: columns) }
        for column in valid { row[column] = source.pointer[inside + column * stride - first] }
      }
    }
    return Tensor(adopting: out, shape: shape)
  }

  /// The adjoint of `split`.
  func joined(_ x: Tensor) -> Tensor {
    let out = FloatBuffer(count: image.reduce(1, *))
    let size = image[2] * image[3]
    let source = x.storage
    forEachPlane { plane in
      (out.pointer + plane * size).update(repeating: 0, count: size)
      forEachRow(of: plane) { inside, at, first, valid in
        let row = source.pointer + at
        for column in valid { out.pointer[inside + column * stride - first] = row[column] }
      }
    }
    return Tensor(adopting: out, shape: image)
  }

  private func forEachPlane(_ body: @Sendable (Int) -> Void) {
    let grain = max(Compute.grain / max(stride * stride * rows * columns, 1), 1)
    Compute.pool.forEachRange(of: image[0] * image[1], grain: grain) { $0.forEach(body) }
  }

  /// For each row of each phase of a channel: where its row of the image begins and its own, the
  /// column of the image that comes before its first, and its columns inside the image.
  private func forEachRow(
    of plane: Int, _ body: (_ inside: Int, _ at: Int, _ first: Int, _ valid: Range<Int>) -> Void
  ) {
    let (height, width) = (image[2], image[3])
    for phase in 0..<stride * stride {
      let (down, right) = (phase / stride, phase % stride)
      let first = padding - right
      let start = first > 0 ? (first + stride - 1) / stride : 0
      let end = width + first > 0 ? min((width - 1 + first) / stride + 1, columns) : 0
      for row in 0..<rows {
        let y = row * stride + down - padding
        let at = ((plane * stride * stride + phase) * rows + row) * columns
        let isInside = y >= 0 && y < height && start < end
        body((plane * height + y) * width, at, first, isInside ? start..<end : 0..<0)
      }
    }
  }
}
