/// SmolLM 3: Llama without rotation in every fourth block.
extension Family {
  static let smolLM3 = Family(
    name: "smollm3",
    huggingFace: HuggingFaceForm(
      modelTypes: ["smollm3"], layout: .llama,
      defaults: [
        "rms_norm_eps": 1e-6, "num_key_value_heads": 4, "rope_theta": 2_000_000,
        "no_rope_layer_interval": 4,
      ],
      tiesUnembedding: true
    ) { model, config in
      try model.setBiases(config)
      try model.leaveRotationOut(config)
      model.setWindows(try model.smolLM3Windows(config))
    },
    gguf: GGUFForm(names: ["smollm3"], layout: .ggufWithNeighbours) { model, _ in
      // GGUF has no key for it.
      model.leaveRotationOut(every: 4)
    })
}

extension ModelDescription {
  fileprivate mutating func leaveRotationOut(every interval: Int) {
    for layer in architecture.blocks.indices where (layer + 1).isMultiple(of: interval) {
      architecture.blocks[layer].rotary = nil
    }
  }

  /// `no_rope_layers` has a 1 for each block that is rotated, as transformers reads it.
  fileprivate mutating func leaveRotationOut(_ config: HuggingFaceConfig) throws {
    guard config.has("no_rope_layers") else {
      return leaveRotationOut(every: try config.size("no_rope_layer_interval"))
    }
    let flags = try config.list("no_rope_layers").map { try $0.integer(in: 0...1) }
    guard flags.count == architecture.layers else {
      throw config.wrongCount("no_rope_layers", flags.count, layers: architecture.layers)
    }
    for (layer, isRotated) in flags.enumerated() where isRotated == 0 {
      architecture.blocks[layer].rotary = nil
    }
  }

  /// Only blocks without rotation have a window, if any has.
  fileprivate func smolLM3Windows(_ config: HuggingFaceConfig) throws -> [Int?] {
    guard try config.bool("use_sliding_window") ?? false else {
      return Array(repeating: nil, count: architecture.layers)
    }
    if let windows = try config.windowsByType(architecture.layers) { return windows }
    let window = try config.sizeIfThere("sliding_window")
    return architecture.blocks.map { $0.rotary == nil ? window : nil }
  }
}
