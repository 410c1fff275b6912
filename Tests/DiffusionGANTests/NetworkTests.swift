import Foundation
import TensorCore
import Testing

@testable import DiffusionGAN

@Suite struct NetworkTests {
  static let small = NetworkConfiguration.ddpmpp(
    resolution: 8, imageChannels: 1, baseChannels: 8, multipliers: [1, 2], blocks: 1,
    attentionResolutions: [4], dropout: 0.1)

  @Test func freshWeightsDependOnTheSeedAlone() throws {
    let network = try UNet(Self.small)
    let weights = network.initialParameters(seed: 3)
    #expect(
      weights.tensors.map(\.values) == network.initialParameters(seed: 3).tensors.map(\.values))
    let other = network.initialParameters(seed: 4)
    let name = "model.enc.8x8_conv.weight"
    #expect(weights[name].values != other[name].values)
    // Glorot: uniform in ±√(6 / (9 + 72)).
    let largest = weights[name].values.map(abs).max() ?? 0
    #expect(largest <= 0.2722 && largest > 0.2)
    let last = weights["model.dec.8x8_aux_conv.weight"].values.map(abs).max() ?? 0
    #expect(last < 1e-5 && last > 0)
    #expect(weights["model.enc.8x8_conv.bias"].values.allSatisfy { $0 == 0 })
    #expect(weights["model.enc.8x8_block0.norm0.weight"].values.allSatisfy { $0 == 1 })
  }

  @Test func wrongWeightsAreNamed() throws {
    let network = try UNet(Self.small)
    var weights = network.initialParameters(seed: 0)
    weights["model.enc.8x8_conv.bias"] = Tensor(zeros: [9])
    #expect {
      try network.parameters(from: weights, at: "file")
    } throws: {
      "\($0)".contains("model.enc.8x8_conv.bias") && "\($0)".contains("[9]")
    }
    #expect {
      try network.parameters(from: weights.filter { !$0.hasSuffix("map_layer0.bias") }, at: "file")
    } throws: { "\($0)".contains("map_layer0.bias") }
  }

  @Test(arguments: ["abc", "0", "-0.5", "nan", "inf"])
  func aDeviationThatIsNoneIsNamed(_ sigma: String) throws {
    let path = FileManager.default.temporaryDirectory
      .appendingPathComponent("network-\(UUID().uuidString).safetensors").path
    defer { try? FileManager.default.removeItem(atPath: path) }
    let network = try UNet(Self.small)
    try Safetensors.write(
      network.initialParameters(seed: 2).arrays(),
      metadata: ["network": network.configuration.jsonValue.text, "sigma_data": sigma], to: path)
    #expect {
      try NetworkFile(contentsOf: path)
    } throws: { "\($0)".contains("sigma_data is \"\(sigma)\", which is no deviation") }
  }

  @Test func networkFilesAreReadAsTheyWereWritten() throws {
    let path = FileManager.default.temporaryDirectory
      .appendingPathComponent("network-\(UUID().uuidString).safetensors").path
    defer { try? FileManager.default.removeItem(atPath: path) }
    let denoiser = Denoiser(try UNet(Self.small), preconditioning: Preconditioning(sigmaData: 0.25))
    let weights = denoiser.network.initialParameters(seed: 2)
    try NetworkFile(denoiser, weights: weights).write(to: path)
    let read = try NetworkFile(contentsOf: path)
    #expect(read.denoiser.network.configuration == Self.small)
    #expect(read.denoiser.preconditioning == denoiser.preconditioning)
    #expect(read.weights.names == weights.names)
    #expect(read.weights.tensors.map(\.values) == weights.tensors.map(\.values))
    try Safetensors.write([("a", [1], [1])], to: path)
    #expect { try NetworkFile(contentsOf: path).weights.count } throws: {
      "\($0)".contains("which network")
    }
  }

  @Test func sizesThatDoNotFitAreRefused() {
    var configuration = Self.small
    configuration.resolution = 9
    #expect(throws: UserError.self) { _ = try UNet(configuration).trainableNames.count }
    configuration = Self.small
    configuration.baseChannels = 22
    #expect(throws: UserError.self) { _ = try UNet(configuration).trainableNames.count }
    // 120 and 60 channels divide into groups, the 240 where a skip joins do not.
    configuration = .ddpmpp(
      resolution: 8, imageChannels: 1, baseChannels: 60, multipliers: [1, 2], blocks: 1,
      attentionResolutions: [4])
    #expect {
      _ = try UNet(configuration).trainableNames.count
    } throws: {
      "\($0)".contains("240 channels of model.dec.")
    }
  }

  @Test func aSampleIsTheSameInAnyBatch() throws {
    let denoiser = Denoiser(try UNet(Self.small))
    let weights = denoiser.network.initialParameters(seed: 1).mapTensors { $0 + 0.01 }
    let streams = (0..<3).map { RandomStream(seed: 5, path: [UInt64($0)]) }
    func result(_ samples: [Int]) -> Tensor {
      let x = Tensor(normal: [1, 8, 8], from: samples.map { streams[$0] })
      let conditions = UNet.Conditions(noise: [], dropout: Dropout(seed: 9, samples: samples))
      return denoiser(x, sigma: samples.map { Float($0) + 0.5 }, weights, conditions)
    }
    let together = result([0, 1, 2])
    let alone = result([2])
    expectClose(alone, together.slice(0, 2..<3), 1e-6, "sample 2")
  }
}
