import Foundation
import TensorCore
import Testing

@testable import DiffusionGAN

/// A seed's picture has the same bits whatever is drawn with it.
@Suite struct SeededSamplingTests {
  /// Pictures of `seeds`, one by one, from batches of `batch`.
  private func pictures(
    _ network: NetworkFile, sampler: Sampler? = nil, seeds: [UInt64], batch: Int
  ) throws -> [UInt64: [Float]] {
    let drawn = try SeededSampling(network, sampler: sampler, batch: batch)(seeds)
    let size = drawn.count / seeds.count
    let values = drawn.values
    return Dictionary(
      uniqueKeysWithValues: seeds.enumerated().map {
        ($1, Array(values[$0 * size..<($0 + 1) * size]))
      })
  }

  private func expectSame(
    _ network: NetworkFile, sampler: Sampler? = nil, count: UInt64 = 71,
    batches: [Int] = [1, 2, 3, 7, 8, 13, 30, 32]
  ) throws {
    let seeds = Array(0..<count)
    let all = try pictures(network, sampler: sampler, seeds: seeds, batch: 64)
    for batch in batches {
      let found = try pictures(network, sampler: sampler, seeds: seeds, batch: batch)
      let other = seeds.filter { found[$0] != all[$0] }
      #expect(other.isEmpty, "batches of \(batch): seeds \(other) differ")
    }
    // Another order, and other places in a batch.
    let some: [UInt64] = [70, 3, 64, 11, 12, 0, 41]
    let found = try pictures(network, sampler: sampler, seeds: some, batch: 64)
    for seed in some { #expect(found[seed] == all[seed], "seed \(seed)") }
  }

  /// A network that the project ships.
  private func shipped(_ name: String) throws -> NetworkFile {
    let root = URL(fileURLWithPath: #filePath).pathComponents.dropLast(3).joined(separator: "/")
    return try NetworkFile(contentsOf: "\(root.dropFirst())/networks/\(name).safetensors")
  }

  /// Who evaluates a conditional network knows what each picture was drawn for.
  @Test func classesAreToldAsDrawn() throws {
    let network = try DistillationFixtures.teacher(labels: 3)
    let seeds: [UInt64] = [0, 1, 2, 3, 4, 5, 6, 7]
    let sampling = try SeededSampling(network)
    let classes = try #require(sampling.classes(of: seeds))
    #expect(Set(classes).count == 3)
    let drawn = try sampling(seeds).values
    for (index, label) in classes.enumerated() {
      let own = try SeededSampling(network, label: label)([seeds[index]]).values
      #expect(own == Array(drawn[index * own.count..<(index + 1) * own.count]))
    }
    #expect(try SeededSampling(network, label: 1).classes(of: seeds) == [1, 1, 1, 1, 1, 1, 1, 1])
    #expect(try SeededSampling(DistillationFixtures.teacher()).classes(of: seeds) == nil)
  }

  @Test func theBatchDoesNotMatterToAOneStepGenerator() throws {
    try expectSame(shipped("fashion16-onestep"))
  }

  @Test func theBatchDoesNotMatterToADiffusionNetwork() throws {
    try expectSame(
      shipped("fashion16"), sampler: Sampler(steps: 2, churn: 1), batches: [7, 13])
  }

  /// Classes are another input of the noise embedding's layers; and ADM's norms are adaptive.
  @Test func theBatchDoesNotMatterToClasses() throws {
    try expectSame(DistillationFixtures.teacher(labels: 3), batches: [1, 7, 13])
    let network = try UNet(
      .adm(
        resolution: 8, imageChannels: 3, baseChannels: 32, multipliers: [1, 2], blocks: 1,
        attentionResolutions: [4], labels: 5))
    let weights = network.initialParameters(seed: 3).map { name, tensor in
      tensor + Tensor(
        normal: tensor.shape, from: [RandomStream(seed: 4, path: [UInt64(name.utf8.count)])]
      )
      .reshaped(tensor.shape) * 0.01
    }
    try expectSame(
      NetworkFile(Denoiser(network), weights: weights), sampler: Sampler(steps: 2),
      batches: [1, 7, 13])
  }
}
