import TensorCore
import Testing

@testable import DiffusionGAN

/// Single blocks with settings that the small networks do not reach.
@Suite struct BlockGoldenTests {
  static func style(_ name: String) -> UNetBlock.Style {
    let isSong = name.hasPrefix("song")
    let initial = LayerInitialisation(mode: .xavierUniform)
    return UNetBlock.Style(
      embeddingChannels: isSong ? 8 : 16, headChannels: isSong ? nil : 16,
      skipScale: isSong ? Float(0.5.squareRoot()) : 1, epsilon: isSong ? 1e-6 : 1e-5,
      filter: ResampleFilter(isSong ? [1, 3, 3, 1] : [1, 1]), projectsResampling: isSong,
      isAdaptive: !isSong, dropout: 0, initial: initial, initialZero: initial,
      initialAttention: initial)
  }

  @Test(arguments: [
    "adm_block_2heads", "adm_block_up", "adm_block_down", "song_block_up", "song_block_down",
  ])
  func block(name: String) throws {
    let file = try GoldenEDM.tensors("extra_blocks")
    let settings = try GoldenEDM.json("extra_blocks").at("unet_blocks").at(name)
    let flags = try settings.entries()
    func has(_ key: String) -> Bool { flags.contains { $0.0 == key && $0.1.value == .bool(true) } }
    let block = UNetBlock(
      "b", inputs: try settings.at("in_channels").integer(),
      outputs: try settings.at("out_channels").integer(),
      resampling: has("up") ? .up : has("down") ? .down : nil, attention: has("attention"),
      style: Self.style(name))
    let weights = Parameters(
      try Parameters(file, prefix: "\(name)/weight/").pairs.map { ("b." + $0.name, $0.tensor) })
    let names = block.parameters.map(\.name)
    #expect(weights.names.filter { !$0.hasSuffix("filter") }.sorted() == names.sorted())
    var inputs = weights.filter(names.contains)
    inputs["x"] = try Tensor(file, "\(name)/x")
    inputs["emb"] = try Tensor(file, "\(name)/emb")
    let upstream = try Tensor(file, "\(name)/grad_out")
    let (_, out, gradients) = valueWithGradient(at: inputs) { inputs in
      let out = block(inputs["x"], embedding: inputs["emb"], inputs, dropout: nil)
      return ((out * upstream).sum(), out.detached())
    }
    expectClose(out, try Tensor(file, "\(name)/out"), 1e-5, "out")
    let paths = names.map { ($0, "grad/" + $0.dropFirst(2)) }
    for (input, path) in [("x", "grad_x"), ("emb", "grad_emb")] + paths {
      expectClose(gradients[input], try Tensor(file, "\(name)/\(path)"), 1e-5, input)
    }
  }

  @Test func classAndAugmentationLabels() throws {
    let file = try GoldenEDM.tensors("extra_blocks")
    var configuration = NetworkConfiguration.ddpmpp(
      resolution: 8, imageChannels: 2, baseChannels: 8, multipliers: [1], blocks: 1,
      attentionResolutions: [8], labels: 10
    ).ncsnpp
    configuration.augmentLabels = 9
    let network = try UNet(configuration)
    let found = Parameters(
      try Parameters(file, prefix: "song_cond_tiny/weight/").pairs.map {
        ("model." + $0.name, $0.tensor)
      })
    let weights = try network.parameters(from: found, at: file.path)
    func tensor(_ name: String) throws -> Tensor { try Tensor(file, "song_cond_tiny/\(name)") }
    let name = file.names.first { $0.hasPrefix("song_cond_tiny/x") }
    let x = try Tensor(file, try #require(name))
    var conditions = UNet.Conditions(
      noise: try tensor("noise_labels").values, labels: try tensor("class_labels"))
    expectClose(network(x, weights, conditions), try tensor("F_x"), 2e-5, "F_x")
    conditions.augmentLabels = try tensor("augment_labels")
    expectClose(network(x, weights, conditions), try tensor("F_x_augment"), 2e-5, "F_x_augment")
  }
}
