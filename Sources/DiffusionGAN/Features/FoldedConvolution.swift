import TensorCore

/// A convolution of a published network, with the batch normalisation behind it folded in.
///
/// In evaluation batch normalisation is a factor and a term for each channel: the factor goes into the
/// kernel, the term into the bias.
struct FoldedConvolution: Sendable {
  /// `[outputs, inputs, height, width]` and `[outputs]`.
  private let weight: Tensor
  private let bias: Tensor
  private let stride: Int
  private let padding: Padding
  private let isDepthwise: Bool

  /// Zeros around pictures.
  enum Padding {
    case none
    /// Half a kernel on each side, so that at stride 1 the size stays.
    case half
    /// TensorFlow's SAME: the size is divided by the stride, rounded up; of an odd number of zeros, the
    /// larger half lies below and on the right.
    case same
  }

  var outputs: Int { weight.shape[0] }

  /// - Parameters:
  ///   - name: the convolution's, without `.weight`.
  ///   - norm: the batch normalisation's, if there is one.
  ///   - inputs: channels that it must take.
  ///   - isDepthwise: whether each channel has a kernel of its own.
  /// - Throws: `UserError` naming file and array, for a missing or misshapen one.
  init(
    _ file: any ArrayFile, _ name: String, norm: String?, epsilon: Float = 1e-5, inputs: Int,
    stride: Int = 1, padding: Padding = .half, isDepthwise: Bool = false
  ) throws {
    let kernel = try Tensor(file, "\(name).weight")
    let shape = kernel.shape
    let expected = isDepthwise ? 1 : inputs
    guard shape.count == 4, shape[1] == expected, shape[2] % 2 == 1, shape[3] % 2 == 1,
      isDepthwise ? shape[0] == inputs && shape[2] == shape[3] : shape[0] > 0
    else {
      throw UserError(
        "\"\(name).weight\" has the shape \(shape), not "
          + "[\(isDepthwise ? "\(inputs)" : "outputs"), \(expected), odd, odd]",
        at: file.path, remedy: "check that the file fits the network")
    }
    let outputs = shape[0]
    func vector(_ name: String) throws -> Tensor {
      let found = try Tensor(file, name)
      guard found.shape == [outputs] else {
        throw UserError(
          "\"\(name)\" has the shape \(found.shape), not \([outputs])", at: file.path,
          remedy: "check that the file fits the network")
      }
      return found
    }
    let own =
      file.contains("\(name).bias") || norm == nil
      ? try vector("\(name).bias") : Tensor(zeros: [outputs])
    if let norm {
      let mean = try vector("\(norm).running_mean")
      let factor =
        try vector("\(norm).weight") / (vector("\(norm).running_var") + epsilon).squareRoot()
      weight = kernel * factor.reshaped([outputs, 1, 1, 1])
      bias = try vector("\(norm).bias") + (own - mean) * factor
    } else {
      weight = kernel
      bias = own
    }
    self.stride = stride
    self.padding = padding
    self.isDepthwise = isDepthwise
  }

  func callAsFunction(_ x: Tensor) -> Tensor {
    let (rows, columns) = (weight.shape[2], weight.shape[3])
    if padding == .half, rows == columns, !isDepthwise {
      return x.convolved(weight, bias: bias, stride: stride, padding: rows / 2)
    }
    let padded = padded(padded(x, 2, kernel: rows), 3, kernel: columns)
    if isDepthwise {
      return padded.depthwiseConvolved(weight, stride: stride)
        + bias.reshaped([outputs, 1, 1])
    }
    return padded.convolved(weight, bias: bias, stride: stride)
  }

  private func padded(_ x: Tensor, _ axis: Int, kernel: Int) -> Tensor {
    switch padding {
    case .none: return x
    case .half: return x.padded(axis, before: kernel / 2, after: kernel / 2)
    case .same:
      let extent = x.shape[axis]
      let zeros = max(((extent - 1) / stride) * stride + kernel - extent, 0)
      return x.padded(axis, before: zeros / 2, after: zeros - zeros / 2)
    }
  }
}

extension Tensor {
  /// Pictures as networks for coloured ones see them: grey three times.
  var coloured: Tensor { shape[1] == 3 ? self : Tensor.concatenated([self, self, self], 1) }

  /// `[batch, channels, …]` to `[batch, channels]`: the mean over all positions.
  var pooled: Tensor { mean(over: [2, 3]).reshaped([shape[0], shape[1]]) }
}
