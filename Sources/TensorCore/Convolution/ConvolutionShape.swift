/// The extents of a two-dimensional convolution, as deep learning uses the word: a correlation.
struct ConvolutionShape: Sendable {
  let batch: Int
  let inputs: Int
  let height: Int
  let width: Int
  let outputs: Int
  let kernelHeight: Int
  let kernelWidth: Int
  let stride: Int
  let padding: Int

  /// - Precondition: `x` is `[batch, inputs, height, width]`, `weight`
  ///   `[outputs, inputs, kernel height, kernel width]`, and the kernel fits the padded image.
  init(_ x: [Int], weight: [Int], stride: Int, padding: Int) {
    precondition(
      x.count == 4 && weight.count == 4 && x[1] == weight[1],
      "convolution of shape \(x) with a kernel of shape \(weight)")
    precondition(
      stride >= 1 && padding >= 0 && x[2] + 2 * padding >= weight[2]
        && x[3] + 2 * padding >= weight[3],
      "convolution of shape \(x) with a kernel of shape \(weight), "
        + "stride \(stride), padding \(padding)")
    (batch, inputs, height, width) = (x[0], x[1], x[2], x[3])
    (outputs, kernelHeight, kernelWidth) = (weight[0], weight[2], weight[3])
    self.stride = stride
    self.padding = padding
  }

  var outputHeight: Int { (height + 2 * padding - kernelHeight) / stride + 1 }
  var outputWidth: Int { (width + 2 * padding - kernelWidth) / stride + 1 }
  /// Whether the kernel is.
  var isSquare: Bool { kernelHeight == kernelWidth }
  var taps: Int { kernelHeight * kernelWidth }

  var inputShape: [Int] { [batch, inputs, height, width] }
  var outputShape: [Int] { [batch, outputs, outputHeight, outputWidth] }
  var weightShape: [Int] { [outputs, inputs, kernelHeight, kernelWidth] }

  /// Values of an image before and after.
  var inputCount: Int { inputs * height * width }
  var outputCount: Int { outputs * outputHeight * outputWidth }

  /// The convolution whose result is the gradient of this one's input, if it has stride 1.
  var transposed: ConvolutionShape? {
    guard stride == 1, isSquare, kernelHeight - 1 >= padding else { return nil }
    return ConvolutionShape(
      outputShape, weight: [inputs, outputs, kernelHeight, kernelWidth], stride: 1,
      padding: kernelHeight - 1 - padding)
  }
}
