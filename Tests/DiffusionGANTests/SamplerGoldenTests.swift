import TensorCore
import Testing

@testable import DiffusionGAN

@Suite struct SamplerGoldenTests {
  @Test(arguments: GoldenEDM.networks)
  func heun(name: String) throws {
    let golden = try GoldenEDM.Network(name)
    let conditions = try golden.conditions("sampler")
    let sampler = Sampler(steps: 18)
    let expected = try golden.numbers.at("sampler").at("t_steps").list().map { try $0.number() }
    for (sigma, expected) in zip(sampler.sigmas, expected) {
      #expect(abs(sigma - expected) <= 1e-12 * expected)
    }
    var calls = 0
    let latents = try golden.tensor("sampler/latents")
    let result = try sampler(
      latents,
      observer: { step, state in
        let path = "sampler/heun_after_step_\(step + 1)"
        guard golden.golden.contains(path) else { return }
        expectClose(
          Tensor(state.map { Float($0) }, shape: latents.shape), try golden.tensor(path), 5e-6, path
        )
      },
      denoise: { x, sigma in
        calls += 1
        return golden.denoiser(x, sigma: [sigma], golden.weights, conditions)
      })
    #expect(calls == 35 && sampler.evaluations == 35)
    expectClose(result, try golden.tensor("sampler/heun_final"), 5e-6, "heun_final")
  }

  @Test(arguments: GoldenEDM.networks)
  func euler(name: String) throws {
    let golden = try GoldenEDM.Network(name)
    let conditions = try golden.conditions("sampler")
    let latents = try golden.tensor("sampler/latents")
    let result = try Sampler(steps: 18, method: .euler)(
      latents,
      observer: { step, state in
        guard step == 0 else { return }
        expectClose(
          Tensor(state.map { Float($0) }, shape: latents.shape),
          try golden.tensor("sampler/euler_after_step_1"), 5e-6, "euler_after_step_1")
      },
      denoise: { golden.denoiser($0, sigma: [$1], golden.weights, conditions) })
    expectClose(result, try golden.tensor("sampler/euler_final"), 5e-6, "euler_final")
  }

  /// With data that are a normal distribution of deviation 0.5 the best denoiser is known, and so is
  /// the distribution of the samples, with churn and without.
  @Test(arguments: [0.0, 30])
  func normalDataComeOutNormal(churn: Double) {
    let streams = (0..<4000).map { RandomStream(seed: 1, path: [UInt64($0)]) }
    let latents = Tensor(normal: [1], from: streams)
    let sampler = Sampler(steps: 40, churn: churn > 0 ? churn : nil)
    let samples = sampler(
      latents,
      noise: { step in
        Tensor(
          normal: [1],
          from: (0..<4000).map {
            RandomStream(seed: 2, path: [UInt64(step), UInt64($0)])
          })
      },
      denoise: { x, sigma in x.scaled(by: 0.25 / (0.25 + sigma * sigma)) })
    let variance = samples.values.reduce(0.0) { $0 + Double($1 * $1) } / 4000
    #expect(abs(variance.squareRoot() - 0.5) < 0.02)
  }
}
