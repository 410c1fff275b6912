/// Convolution and the two products that are its derivatives. Each is linear in both of its factors,
/// and the derivatives of each are the other two: gradients of any order need nothing else.
extension Tensor {
  /// Convolution (a correlation) of `x` `[batch, inputs, height, width]` with `weight`
  /// `[outputs, inputs, kernel height, kernel width]` on zero-padded images.
  ///
  /// - Parameter bias: added to each output channel, `[outputs]`, or to each of each image,
  ///   `[batch, outputs]`.
  public func convolved(
    _ weight: Tensor, bias: Tensor? = nil, stride: Int = 1, padding: Int = 0
  ) -> Tensor {
    let plan = ConvolutionShape(shape, weight: weight.shape, stride: stride, padding: padding)
    if let bias {
      precondition(
        bias.shape == [plan.outputs] || bias.shape == [plan.batch, plan.outputs],
        "bias of shape \(bias.shape) for a convolution to \(plan.outputShape)")
    }
    let result = convolutionKernel(self, weight, bias: bias, plan)
    let input = Pullback(self) { $0.convolvedInputGradient(weight, plan) }
    let kernel = Pullback(weight) { self.convolutionWeightGradient($0, plan) }
    guard let bias else { return result.recorded(input, kernel) }
    let biasShape = bias.shape
    return result.recorded(
      input, kernel,
      Pullback(bias) {
        $0.summed(to: [biasShape.count == 2 ? plan.batch : 1, plan.outputs, 1, 1])
          .reshaped(biasShape)
      })
  }

  /// The gradient of a convolution's input, from this gradient of its output.
  private func convolvedInputGradient(_ weight: Tensor, _ plan: ConvolutionShape) -> Tensor {
    inputGradientKernel(self, weight, plan).recorded(
      Pullback(self) { $0.convolved(weight, stride: plan.stride, padding: plan.padding) },
      Pullback(weight) { $0.convolutionWeightGradient(self, plan) })
  }

  /// The gradient of a convolution's weight, from its input, this tensor, and the gradient of its
  /// output.
  private func convolutionWeightGradient(_ gradient: Tensor, _ plan: ConvolutionShape) -> Tensor {
    weightGradientKernel(self, gradient, plan).recorded(
      Pullback(self) { gradient.convolvedInputGradient($0, plan) },
      Pullback(gradient) {
        self.convolved($0, stride: plan.stride, padding: plan.padding)
      })
  }
}

/// Which kernel is the fastest was measured: see `docs/performance.md`.
func convolutionKernel(
  _ x: Tensor, _ weight: Tensor, bias: Tensor?, _ shape: ConvolutionShape
) -> Tensor {
  if WinogradConvolution.suits(shape) {
    return WinogradConvolution(shape, weight, isTransposed: false).run(x, bias: bias)
  }
  if shape.stride > 1, shape.isSquare {
    return PhaseConvolution(shape).forward(x, weight, bias: bias)
  }
  return UnfoldedConvolution(shape).forward(x, weight, bias: bias)
}

func inputGradientKernel(
  _ gradient: Tensor, _ weight: Tensor, _ shape: ConvolutionShape
) -> Tensor {
  if let transposed = shape.transposed, WinogradConvolution.suits(transposed) {
    return WinogradConvolution(transposed, weight, isTransposed: true).run(gradient, bias: nil)
  }
  if shape.stride > 1, shape.isSquare {
    return PhaseConvolution(shape).inputGradient(gradient, weight)
  }
  return UnfoldedConvolution(shape).inputGradient(gradient, weight)
}

func weightGradientKernel(
  _ x: Tensor, _ gradient: Tensor, _ shape: ConvolutionShape
) -> Tensor {
  if WinogradConvolution.suits(shape) { return WinogradWeightGradient(shape).run(x, gradient) }
  if shape.stride > 1, shape.isSquare {
    return PhaseConvolution(shape).weightGradient(x, gradient)
  }
  return UnfoldedConvolution(shape).weightGradient(x, gradient)
}
