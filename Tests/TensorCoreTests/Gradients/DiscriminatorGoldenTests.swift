import TensorCore
import Testing

/// Two small discriminator heads: R1, whose gradient is a gradient of a gradient, and the
/// non-saturating loss.
@Suite struct DiscriminatorGoldenTests {
  /// What a head computes on the way.
  struct Outcome {
    var stages: [(name: String, tensor: Tensor)] = []
    var norms: [String: SpectralNorm] = [:]
  }

  static func logits(
    _ head: String, _ x: Tensor, _ weights: Parameters, _ state: Parameters
  ) -> (Tensor, Outcome) {
    var outcome = Outcome()
    func normalised(_ name: String) -> Tensor {
      var norm = SpectralNorm(left: state["\(name).weight_u"], right: state["\(name).weight_v"])
      norm.iterate(weights["\(name).weight_orig"])
      outcome.norms[name] = norm
      return norm.normalised(weights["\(name).weight_orig"])
    }
    let h1 = x.convolved(weights["conv1.weight"], bias: weights["conv1.bias"], padding: 1)
      .leakyReLU(slope: 0.2)
    let h2 = h1.convolved(normalised("conv2"), stride: 2, padding: 1)
    var h3 = h2.batchNormalised(weight: weights["bn.weight"], bias: weights["bn.bias"])
    let logits: Tensor
    if head == "bn_linear" {
      logits = h3.reshaped([x.shape[0], -1]).linear(weights["fc.weight"], bias: weights["fc.bias"])
    } else {
      h3 = h3.leakyReLU(slope: 0.2)
      logits = h3.convolved(normalised("out"))
    }
    outcome.stages = [("h1", h1), ("h2", h2), ("h3", h3)].map { ($0, $1.detached()) }
    outcome.stages.append(("logits", logits.detached().reshaped([x.shape[0]])))
    return (logits.reshaped([x.shape[0]]), outcome)
  }

  static func load(_ head: String) throws -> (SafetensorsFile, Tensor, Parameters, Parameters) {
    let file = try Golden.tensors("disc_r1")
    let all = try Parameters(file, prefix: "\(head)/weights/")
    let isState = { (name: String) in
      name.contains("running") || name.hasSuffix("_u") || name.hasSuffix("_v")
    }
    return (
      file, try Tensor(file, "x"), all.filter { !isState($0) }, all.filter(isState)
    )
  }

  @Test(arguments: ["bn_linear", "bn_lrelu_snconv"])
  func r1(head: String) throws {
    let (file, x, weights, state) = try Self.load(head)
    let json = try Golden.json("disc_r1").at("heads").at(head)
    let batch = Float(x.shape[0])
    let (loss, slopes, gradients) = valueWithGradient(at: weights) { weights in
      let slope = gradient(at: x) { Self.logits(head, $0, weights, state).0.sum() }
      return ((slope.squared().sum() * 0.5).scaled(by: 1 / batch), slope.detached())
    }
    let expectedLoss = Float(try json.at("r1_loss").number())
    #expect(abs(loss[0] - expectedLoss) < 1e-5 * expectedLoss)
    expectClose(slopes, try Tensor(file, "\(head)/r1/grad_x_sum_logits"), 1e-5, "slope")
    let squares = slopes.squared().sum(over: [1, 2, 3]).reshaped([4])
    expectClose(squares, try Tensor(file, "\(head)/r1/per_sample_sqnorm"), 1e-5, "squares")
    for (name, gradient) in gradients.pairs {
      let expected = try Tensor(file, "\(head)/r1/grad/\(name)")
      if head == "bn_linear", ["bn.bias", "fc.bias"].contains(name) {
        #expect(gradient.values.allSatisfy { $0 == 0 })
      }
      expectClose(gradient, expected, 1e-5, name)
    }
  }

  @Test(arguments: ["bn_linear", "bn_lrelu_snconv"])
  func nonSaturatingLoss(head: String) throws {
    let (file, x, weights, state) = try Self.load(head)
    var inputs = weights
    inputs["x"] = x
    let (loss, outcome, gradients) = valueWithGradient(at: inputs) { inputs in
      let (logits, outcome) = Self.logits(head, inputs["x"], inputs, state)
      return ((-logits).softplus().mean(), outcome)
    }
    let json = try Golden.json("disc_r1").at("heads").at(head)
    #expect(abs(loss[0] - Float(try json.at("ns_loss").number())) < 1e-5)
    for (name, tensor) in outcome.stages {
      expectClose(tensor, try Tensor(file, "\(head)/\(name)"), 1e-5, name)
    }
    for (name, gradient) in gradients.pairs {
      let path = name == "x" ? "\(head)/ns/grad_x" : "\(head)/ns/grad/\(name)"
      expectClose(gradient, try Tensor(file, path), 1e-5, name)
    }
    let after = try Parameters(file, prefix: "\(head)/state_after_one_forward/")
    for (name, norm) in outcome.norms {
      expectClose(norm.left, after["\(name).weight_u"], 1e-5, "u")
      expectClose(norm.right, after["\(name).weight_v"], 1e-5, "v")
    }
  }
}
