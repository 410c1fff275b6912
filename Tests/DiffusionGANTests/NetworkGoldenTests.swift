import Foundation
import Synchronization
import TensorCore
import Testing

@testable import DiffusionGAN

/// The three kinds of network against the EDM code.
@Suite struct NetworkGoldenTests {
  @Test(arguments: GoldenEDM.networks)
  func parametersHaveTheReferenceNames(name: String) throws {
    let network = try GoldenEDM.Network(name).denoiser.network
    let config = try GoldenEDM.json("\(name).config")
    let expected = try config.at("parameters").list().map {
      (try $0.at("name").string(), try $0.at("shape").list().map { try $0.integer() })
    }
    #expect(network.trainableNames == expected.map(\.0))
    let shapes = network.specifications.filter(\.isTrainable).map(\.shape)
    #expect(shapes == expected.map(\.1))
    let scalars = shapes.reduce(0) { $0 + $1.reduce(1, *) }
    #expect(scalars == (try config.at("total_scalars").integer()))
  }

  @Test(arguments: GoldenEDM.networks, ["case_a", "case_b"])
  func outputs(name: String, part: String) throws {
    let golden = try GoldenEDM.Network(name)
    let tolerance: Float = golden.isFourier ? 2e-5 : 1e-5
    let sigma = try golden.tensor("\(part)/sigma").values
    let x = try golden.tensor("\(part)/x")
    let seen = Mutex<[String: Tensor]>([:])
    var conditions = try golden.conditions(part)
    conditions.observer = { name, output in
      seen.withLock { $0[name] = output }
      return output
    }
    let result = golden.denoiser(x, sigma: sigma, golden.weights, conditions)
    for path in golden.golden.names where path.hasPrefix("\(part)/block/") {
      let block = String(path.dropFirst("\(part)/block/".count))
      let output = try #require(seen.withLock { $0[block] }, "\(block)")
      expectClose(output, try golden.tensor(path), tolerance, block)
    }
    expectClose(result, try golden.tensor("\(part)/D_x"), tolerance, "D_x")

    conditions.observer = nil
    conditions.noise = try golden.tensor("\(part)/c_noise").values
    let network = golden.denoiser.network
    let noise = network.embedding.noise(conditions.noise, golden.weights)
    expectClose(noise, try golden.tensor("\(part)/map_noise"), tolerance, "map_noise")
    let embedding = network.embedding(golden.weights, conditions, batch: 2)
    expectClose(embedding, try golden.tensor("\(part)/emb"), tolerance, "emb")
    let raw = network(try golden.tensor("\(part)/model_in"), golden.weights, conditions)
    expectClose(raw, try golden.tensor("\(part)/F_x"), tolerance, "F_x")

    let d2o = Denoiser(network, preconditioning: .d2o)(x, sigma: sigma, golden.weights, conditions)
    expectClose(d2o, try golden.tensor("\(part)/D_x_d2o"), tolerance, "D_x_d2o")
  }

  @Test(arguments: GoldenEDM.networks)
  func oneNoiseLevelForAll(name: String) throws {
    let golden = try GoldenEDM.Network(name)
    let result = golden.denoiser(
      try golden.tensor("case_c/x"), sigma: try golden.tensor("case_c/sigma").values,
      golden.weights, try golden.conditions("case_c"))
    expectClose(
      result, try golden.tensor("case_c/D_x"), golden.isFourier ? 2e-5 : 1e-5, "D_x")
  }

  @Test func absentLabelsAreZeros() throws {
    let golden = try GoldenEDM.Network("adm_cond")
    let result = golden.denoiser(
      try golden.tensor("case_a/x"), sigma: try golden.tensor("case_a/sigma").values, golden.weights
    )
    expectClose(result, try golden.tensor("case_a/D_x_no_labels"), 1e-5, "D_x_no_labels")
  }

  @Test(arguments: GoldenEDM.networks)
  func oneStep(name: String) throws {
    let golden = try GoldenEDM.Network(name)
    let z = try golden.tensor("onestep/z")
    let conditions = try golden.conditions("onestep")
    let tolerance: Float = golden.isFourier ? 2e-5 : 1e-5
    let edm = golden.denoiser.generated(z, golden.weights, conditions)
    expectClose(edm, try golden.tensor("onestep/D_edm"), tolerance, "D_edm")
    let d2o = Denoiser(golden.denoiser.network, preconditioning: .d2o)
      .generated(z, golden.weights, conditions)
    expectClose(d2o, try golden.tensor("onestep/D_d2o"), tolerance, "D_d2o")
  }

  @Test(arguments: GoldenEDM.networks)
  func lossAndGradients(name: String) throws {
    let golden = try GoldenEDM.Network(name)
    let loss = try golden.numbers.at("loss")
    let normal = try golden.tensor("loss/rnd_normal").values
    let sigma = normal.map { DenoisingLoss().sigma($0) }
    let clean = try golden.tensor("loss/y")
    let levels = Tensor(sigma, shape: [2, 1, 1, 1])
    let noisy = clean + (try golden.tensor("loss/noise_unit")) * levels
    expectClose(noisy, try golden.tensor("loss/x_noisy"), 1e-6, "x_noisy")
    let weights = sigma.map { DenoisingLoss().weight($0, sigmaData: 0.5) }
    expectClose(
      Tensor(weights, shape: [2]), try golden.tensor("loss/weight"), 1e-6, "weight")

    let conditions = try golden.conditions("loss")
    var inputs = golden.weights.filter(golden.denoiser.network.trainableNames.contains)
    inputs["x"] = noisy
    let (value, gradients) = valueWithGradient(at: inputs) { inputs in
      DenoisingLoss()(
        golden.denoiser, golden.weights.replacing(inputs), clean: clean, noisy: inputs["x"],
        sigma: sigma, conditions)
    }
    let expected = try loss.at("loss").number()
    #expect(abs(Double(value[0]) - expected) < 1e-5 * expected)
    let tolerance: Float = golden.isFourier ? 1e-4 : 3e-5
    expectClose(gradients["x"], try golden.tensor("loss/grad_x_noisy"), tolerance, "x")
    for path in golden.golden.names where path.hasPrefix("loss/grad/") {
      let parameter = String(path.dropFirst("loss/grad/".count))
      expectClose(gradients[parameter], try golden.tensor(path), tolerance, parameter)
    }
    for (parameter, norm) in try loss.at("grad_l2_all_parameters").entries() {
      let squares = gradients[parameter].values.reduce(0.0) { $0 + Double($1) * Double($1) }
      let expected = try norm.number()
      #expect(abs(squares.squareRoot() - expected) < 1e-4 * expected, "\(parameter)")
    }
  }

  @Test(arguments: GoldenEDM.networks)
  func frozenNames(name: String) throws {
    let network = try GoldenEDM.Network(name).denoiser.network
    for (level, lists) in try GoldenEDM.json("\(name).freeze").at("levels").entries() {
      let freezing = try Freezing(parsing: level)
      let frozen = try lists.at("frozen").list().map { try $0.string() }
      let trainable = try lists.at("trainable").list().map { try $0.string() }
      #expect(network.trainableNames.filter(freezing.freezes) == frozen)
      #expect(network.trainableNames.filter { !freezing.freezes($0) } == trainable)
    }
  }

  @Test(arguments: GoldenEDM.networks)
  func configurationSurvivesWriting(name: String) throws {
    let configuration = try GoldenEDM.Network(name).denoiser.network.configuration
    let text = configuration.jsonValue
    #expect(try NetworkConfiguration(JSONReader(text, place: "test")) == configuration)
  }
}
