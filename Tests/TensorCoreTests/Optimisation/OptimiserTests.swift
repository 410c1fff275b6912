import TensorCore
import Testing

@Suite struct OptimiserTests {
  @Test func adamTakesTheReferenceSteps() throws {
    let json = try Golden.json("adam_ema").at("adam")
    let start = try json.at("p0").floats()
    let gradients = try json.at("grads").list().map { try $0.floats() }
    for run in try json.at("runs").list() {
      func number(_ key: String) throws -> Float { Float(try run.at(key).number()) }
      var parameters = Parameters([("p", Tensor(start, shape: [start.count]))])
      var adam = Adam(
        parameters,
        settings: Adam.Settings(
          beta1: try run.at("beta1").number(), beta2: try run.at("beta2").number(),
          epsilon: try number("eps")))
      for (gradient, step) in zip(gradients, try run.at("steps").list()) {
        let gradient = Parameters([("p", Tensor(gradient, shape: [gradient.count]))])
        adam.step(&parameters, gradients: gradient, rate: try number("lr"))
        func expected(_ key: String) throws -> Tensor {
          Tensor(try step.at(key).floats(), shape: [start.count])
        }
        expectClose(parameters["p"], try expected("p"), 1e-6, "p")
        expectClose(adam.means["p"], try expected("exp_avg"), 1e-6, "mean")
        expectClose(adam.squares["p"], try expected("exp_avg_sq"), 1e-6, "square")
      }
    }
  }

  @Test func weightDecayIsDecoupled() {
    var parameters = Parameters([("p", Tensor([2, -4], shape: [2]))])
    var adam = Adam(parameters, settings: Adam.Settings(weightDecay: 0.1))
    let zeros = Parameters([("p", Tensor(zeros: [2]))])
    adam.step(&parameters, gradients: zeros, rate: 0.5)
    expectClose(parameters["p"], Tensor([1.9, -3.8], shape: [2]), 1e-6, "p")
  }

  @Test func parametersWithoutGradientStay() {
    var parameters = Parameters([("a", Tensor([1], shape: [1])), ("b", Tensor([1], shape: [1]))])
    var adam = Adam(parameters)
    adam.step(&parameters, gradients: Parameters([("a", Tensor([1], shape: [1]))]), rate: 0.1)
    #expect(parameters["a"][0] != 1)
    #expect(parameters["b"][0] == 1)
  }

  @Test func movingAverageFollowsTheReference() throws {
    let json = try Golden.json("adam_ema").at("ema")
    let start = try json.at("ema_init").floats()
    let batch = try json.at("batch_size").integer()
    func wrapped(_ values: [Float]) -> Parameters {
      Parameters([("p", Tensor(values, shape: [values.count]))])
    }
    var average = MovingAverage(
      wrapped(start), halfLife: try json.at("ema_halflife_kimg").number() * 1000,
      rampUp: try json.at("ema_rampup_ratio").number())
    let expected = try json.at("ema").list().map { try $0.floats() }
    let networks = try json.at("net_params").list().map { try $0.floats() }
    for (step, (network, value)) in zip(networks, expected).enumerated() {
      average.update(wrapped(network), seen: step * batch, batch: batch)
      expectClose(average.weights["p"], wrapped(value)["p"], 1e-6, "step \(step)")
    }
  }

  @Test func decayAtRealSettings() throws {
    for example in try Golden.json("adam_ema").at("ema_beta_examples").list() {
      let average = MovingAverage(
        Parameters(), halfLife: try example.at("ema_halflife_kimg").number() * 1000)
      let decay = average.decay(
        seen: try example.at("cur_nimg").integer(), batch: try example.at("batch_size").integer())
      #expect(abs(decay - (try example.at("beta").number())) < 1e-12)
    }
  }

  @Test func clippingKeepsTheDirection() {
    let gradients = Parameters([("a", Tensor([3], shape: [1])), ("b", Tensor([4], shape: [1]))])
    let (clipped, norm) = gradients.clipped(toNorm: 1)
    #expect(norm == 5)
    expectClose(clipped["a"], Tensor([0.6], shape: [1]), 1e-6, "a")
    #expect(gradients.clipped(toNorm: 6).gradients["b"][0] == 4)
  }

  @Test func whatIsNotFiniteIsNamedOrReplaced() throws {
    let bad = Tensor([.nan, .infinity, -.infinity, 2], shape: [4])
    let gradients = Parameters([("good", Tensor([1], shape: [1])), ("bad", bad)])
    #expect(gradients.firstNotFinite == "bad")
    #expect(throws: UserError.self) { try gradients.checkFinite("the gradient") }
    let replaced = gradients.replacingNotFinite()
    #expect(replaced["bad"].values == [0, 1e5, -1e5, 2])
    #expect(replaced.firstNotFinite == nil)
  }

  @Test func ratesRiseAndFall() {
    let rate = LearningRate(1, rampUp: 100, decay: (total: 1000, length: 200))
    #expect([0, 50, 100, 500, 900, 1000, 1100].map(rate.value) == [0, 0.5, 1, 1, 0.5, 0, 0])
    #expect(LearningRate(0.5).value(seen: 0) == 0.5)
  }
}
