import TensorCore
import Testing

@testable import DiffusionGAN

@Suite struct AdversarialHealthTests {
  private func advice(_ figures: [String: Double], seen: Int = 20_000) -> [String] {
    AdversarialHealth(figures.map { TrainingFigure($0.key, $0.value) }, seen: seen).advice
  }

  @Test func saysWhatIsWrongAndNothingElse() {
    #expect(advice(["near_duplicates": 0.06, "real_logit": 0.4, "fake_logit": -0.3]).isEmpty)
    let collapse = advice(["near_duplicates": 0.9, "real_logit": 0.4, "fake_logit": -0.3])
    #expect(collapse.count == 1 && collapse[0].contains("90 %"))
    #expect(advice(["real_logit": 5, "fake_logit": -4]).first?.contains("has won") == true)
    #expect(
      advice(["real_logit": 0.001, "fake_logit": 0]).first?.contains("nothing apart") == true)
    #expect(advice(["real_logit": 0.001, "fake_logit": 0], seen: 500).isEmpty)
    let outweighs = advice(["penalty": 0.6, "discriminator_gain": 0.9])
    #expect(outweighs.count == 1 && outweighs[0].contains("67 %"))
    #expect(advice(["penalty": 0.4, "discriminator_gain": 0.9]).isEmpty)
    #expect(advice(["generator_gradient": 1e6]).first?.contains("divergence") == true)
  }

  @Test func nearDuplicates() {
    func points(_ count: Int, seed: UInt64) -> Tensor {
      Tensor(normal: [8], from: (0..<count).map { RandomStream(seed: seed, path: [UInt64($0)]) })
    }
    let real = points(200, seed: 1)
    #expect(abs(NearDuplicates.share(generated: points(200, seed: 2), real: real) - 0.05) < 0.05)
    let one = Tensor([Float](repeating: 0.3, count: 1600), shape: [200, 8])
    #expect(NearDuplicates.share(generated: one, real: real) == 1)
  }
}

@Suite struct FreezingTests {
  @Test func readsWhatItSays() throws {
    for text in ["0", "1", "2", "3", "norm-affine", "*.qkv.*,*.conv0.*"] {
      #expect("\(try Freezing(parsing: text))" == text)
    }
    #expect(throws: UserError.self) { try Freezing(parsing: "4") }
  }

  @Test func choosesByName() throws {
    let network = try PretrainingTests.run().denoiser.network
    let names = network.trainableNames
    let norms = try Freezing.allButNormsAndAffines.trainableNames(of: network)
    #expect(!norms.isEmpty && norms.allSatisfy { $0.contains("norm") || $0.contains("affine") })
    #expect(norms.contains { $0.contains("affine") } && norms.contains { $0.contains("norm1") })
    let rest = try Freezing(parsing: "*.qkv.*").trainableNames(of: network)
    #expect(rest == names.filter { !$0.contains(".qkv.") } && rest.count < names.count)
    #expect(throws: UserError.self) { try Freezing(parsing: "conv9").trainableNames(of: network) }
    #expect(throws: UserError.self) { try Freezing(parsing: "*").trainableNames(of: network) }
  }
}
