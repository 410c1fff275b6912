extension Tensor {
  /// This tensor, the result of a fused kernel, with a fused pullback where nobody follows the
  /// backward pass.
  ///
  /// Under an enclosing recording the pullback is taken of `composite` instead, the same function of
  /// `inputs` in primitive operations: gradients of gradients need no kernels of their own.
  ///
  /// - Parameters:
  ///   - composite: the same function, in operations that are differentiable themselves.
  ///   - kernel: gradients of the inputs, from the gradient of the result, as constants.
  func recordedFused(
    _ inputs: [Tensor], as composite: @escaping ([Tensor]) -> Tensor,
    _ kernel: @escaping (_ gradient: Tensor, _ needs: [Bool]) -> [Tensor?]
  ) -> Tensor {
    recorded(jointly: inputs) { gradient, needs in
      guard gradient.isRecorded || inputs.contains(where: { $0.isRecorded }) else {
        return kernel(gradient, needs)
      }
      let wanted = inputs.indices.filter { needs[$0] }
      let gradients = vectorJacobianProduct(at: wanted.map { inputs[$0] }, cotangent: gradient) {
        followed in
        var arguments = inputs
        for (index, tensor) in zip(wanted, followed) { arguments[index] = tensor }
        return composite(arguments)
      }
      var result = [Tensor?](repeating: nil, count: inputs.count)
      for (index, gradient) in zip(wanted, gradients) { result[index] = gradient }
      return result
    }
  }
}
