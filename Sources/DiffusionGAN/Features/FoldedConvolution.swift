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
  /// Zeros above and below, left and right.
  private let padding: (rows: Int, columns: Int)

  var outputs: Int { weight.shape[0] }

  /// - Parameters:
  ///   - name: the convolution's, without `.weight`.
  ///   - norm: the batch normalisation's, if there is one.
  ///   - inputs: channels that it must take.
  ///   - isPadded: whether there are zeros around, so that at stride 1 the size stays.
  /// - Throws: `UserError` naming file and array, for a missing or misshapen one.
  init(
    _ file: SafetensorsFile, _ name: String, norm: String?, epsilon: Float = 1e-5, inputs: Int,
    stride: Int = 1, isPadded: Bool = true
  ) throws {
    let kernel = try Tensor(file, "\(name).weight")
    let shape = kernel.shape
    guard shape.count == 4, shape[1] == inputs, shape[2] % 2 == 1, shape[3] % 2 == 1, shape[0] > 0
    else {
      throw UserError(
        "\"\(name).weight\" has the shape \(shape), not [outputs, \(inputs), odd, odd]",
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
    padding = isPadded ? (shape[2] / 2, shape[3] / 2) : (0, 0)
  }

  func callAsFunction(_ x: Tensor) -> Tensor {
    if padding.rows == padding.columns {
      return x.convolved(weight, bias: bias, stride: stride, padding: padding.rows)
    }
    return x.padded(2, before: padding.rows, after: padding.rows)
      .padded(3, before: padding.columns, after: padding.columns)
      .convolved(weight, bias: bias, stride: stride)
  }
}

extension Tensor {
  /// Pictures as networks for coloured ones see them: grey three times.
  var coloured: Tensor { shape[1] == 3 ? self : Tensor.concatenated([self, self, self], 1) }

  /// `[batch, channels, …]` to `[batch, channels]`: the mean over all positions.
  var pooled: Tensor { mean(over: [2, 3]).reshaped([shape[0], shape[1]]) }
}
