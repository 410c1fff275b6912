import TensorCore
import Testing

/// Resampling convolutions and group norms against the EDM code.
@Suite struct OperationGoldenTests {
  /// −1 to 1 in equal steps.
  static func upstream(_ shape: [Int]) -> Tensor {
    let count = shape.reduce(1, *)
    return Tensor((0..<count).map { Float(2 * Double($0) / Double(count - 1) - 1) }, shape: shape)
  }

  @Test(
    arguments: ["up", "down"],
    ["11_resample_only", "11_plain", "11_fused", "1331_resample_only", "1331_plain", "1331_fused"])
  func resampledConvolution(direction: String, kind: String) throws {
    let file = try Golden.tensors("operations")
    let name = "conv2d/\(direction)_\(kind)"
    let filter = ResampleFilter(kind.hasPrefix("11_") ? [1, 1] : [1, 3, 3, 1])
    let x = try Tensor(file, "conv2d/x")
    let isOnly = kind.hasSuffix("resample_only")
    let weight = try Tensor(file, "conv2d/weight_3x3")
    let bias = try Tensor(file, "conv2d/bias")
    let expected = try Tensor(file, "\(name)/out")
    func run(_ inputs: [Tensor]) -> Tensor {
      inputs[0].convolved(
        isOnly ? nil : inputs[1], bias: isOnly ? nil : bias,
        resampling: direction == "up" ? .up : .down, filter: filter, fused: kind.hasSuffix("fused"))
    }
    let (value, out, gradients) = valueWithGradient(at: [x, weight]) { inputs in
      let out = run(inputs)
      return ((out * Self.upstream(out.shape)).sum(), out.detached())
    }
    #expect(value.count == 1)
    expectClose(out, expected, 1e-5, "out")
    expectClose(gradients[0], try Tensor(file, "\(name)/grad_x"), 1e-5, "grad_x")
    if !isOnly {
      expectClose(gradients[1], try Tensor(file, "\(name)/grad_weight"), 1e-5, "grad_weight")
    }
  }

  @Test(arguments: zip(["c12_eps1e6", "c160_eps1e5"], [(3, Float(1e-6)), (32, Float(1e-5))]))
  func groupNorm(name: String, setting: (groups: Int, epsilon: Float)) throws {
    let file = try Golden.tensors("operations")
    let inputs = try ["x", "weight", "bias"].map { try Tensor(file, "group_norm/\(name)/\($0)") }
    let (_, out, gradients) = valueWithGradient(at: inputs) { inputs in
      let out = inputs[0].groupNormalised(
        groups: setting.groups, weight: inputs[1], bias: inputs[2], epsilon: setting.epsilon)
      return ((out * Self.upstream(out.shape)).sum(), out.detached())
    }
    expectClose(out, try Tensor(file, "group_norm/\(name)/out"), 1e-5, "out")
    for (gradient, what) in zip(gradients, ["x", "weight", "bias"]) {
      let expected = try Tensor(file, "group_norm/\(name)/grad_\(what)")
      expectClose(gradient, expected, 1e-5, "grad_\(what)")
    }
  }
}
