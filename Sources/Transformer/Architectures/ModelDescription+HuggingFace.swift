import TensorCore

extension ModelDescription {
  /// Reads a `config.json` as transformers 4 and 5 spell it.
  ///
  /// - Throws: `UserError` for a missing key, for keys that contradict each other, and for a setting that
  ///   would change the numbers but that this engine does not know.
  init(_ config: HuggingFaceConfig, family: Family) throws {
    guard let form = family.huggingFace else {
      throw UserError(
        "a \(family.name) model is not read from a folder", at: config.place,
        remedy: "use its GGUF file")
    }
    let config = config.filled(with: form.defaults)
    if try config.bool("use_bidirectional_attention") ?? false {
      throw config.unsupported("use_bidirectional_attention", "true", known: "false")
    }
    let layers = try config.size(
      of: ["num_hidden_layers", "n_layer"], limit: Architecture.mostLayers)
    let width = try config.size(of: ["hidden_size", "n_embd"])
    let heads = try config.size(of: ["num_attention_heads", "n_head"])
    let headWidth = try config.sizeIfThere("head_dim") ?? width / heads
    var block = family.block
    var finalNorm = family.finalNorm
    // Where the family fixes it, no key is read.
    if finalNorm.epsilon == 0 {
      finalNorm.epsilon = try config.epsilon(finalNorm.kind)
      block.setEpsilon(finalNorm.epsilon)
    }
    block.attentionScale = 1 / Float(headWidth).squareRoot()
    block.mlp.activation = try config.activation(form.activationKeys) ?? block.mlp.activation
    architecture = Architecture(
      family: family.name, width: width, heads: heads,
      keyValueHeads: try config.sizeIfThere("num_key_value_heads") ?? heads, headWidth: headWidth,
      hiddenWidth: try config.sizeIfThere(of: ["intermediate_size", "n_inner", "ffn_hidden_size"])
        ?? 4 * width,
      vocabulary: try config.size(of: ["vocab_size"]),
      contextLength: try config.size(of: ["max_position_embeddings", "n_positions", "n_ctx"]),
      blocks: Array(repeating: block, count: layers), finalNorm: finalNorm,
      tiesUnembedding: try config.bool("tie_word_embeddings") ?? form.tiesUnembedding)
    layout = form.layout
    if block.rotary != nil {
      let rotary = try Architecture.Rotary(
        config, pairing: block.rotary?.pairing ?? .halves, headWidth: headWidth, notes: &notes)
      eachBlock { $0.rotary = rotary }
    }
    try form.read(&self, config)
    if case .dynamic(let factor, let trained)? = architecture.blocks.first?.rotary?.scaling {
      let length = factor * Double(trained)
      guard length >= 1, length <= Double(Architecture.largestSize) else {
        throw UserError(
          "the dynamic rope factor is \(factor)", at: config.place,
          remedy: "a factor of 1 or more belongs here")
      }
      architecture.contextLength = Int(length)
    }
    try architecture.check(place: config.place)
  }
}

extension HuggingFaceConfig {
  /// By layer, as `layer_types` names them; nil where there is none.
  func layerTypes(_ layers: Int) throws -> [String]? {
    guard let types = try texts("layer_types") else { return nil }
    guard types.count == layers else {
      throw wrongCount("layer_types", types.count, layers: layers)
    }
    for type in types where type != "full_attention" && type != "sliding_attention" {
      throw unsupported("layer_types", "\"\(type)\"", known: "full_attention, sliding_attention")
    }
    return types
  }

  /// `sliding_window` where `layer_types` says so; nil where there are no `layer_types`.
  func windowsByType(_ layers: Int) throws -> [Int?]? {
    try layerTypes(layers)?.map {
      try $0 == "sliding_attention" ? size(of: ["sliding_window"]) : nil
    }
  }

  /// Windows of Qwen and those that follow it: none unless `use_sliding_window` is true, then from
  /// block `max_window_layers` on; `layer_types` decides where it is there.
  func windowsFromLayer(_ layers: Int) throws -> [Int?] {
    // transformers drops the window before it looks at the layers' types.
    let isUsed = try bool("use_sliding_window") ?? false
    if isUsed, let windows = try windowsByType(layers) { return windows }
    if !isUsed, let types = try layerTypes(layers), types.contains("sliding_attention") {
      throw UserError(
        "layer_types has sliding_attention, but use_sliding_window is not true", at: place,
        remedy: "make them agree")
    }
    guard isUsed, let window = try sizeIfThere("sliding_window") else {
      return Array(repeating: nil, count: layers)
    }
    let first = try count("max_window_layers")
    return (0..<layers).map { $0 >= first ? window : nil }
  }

  fileprivate func epsilon(_ kind: Architecture.Norm.Kind) throws -> Float {
    let keys =
      kind == .rootMeanSquare
      ? ["rms_norm_eps"] : ["layer_norm_eps", "layer_norm_epsilon", "norm_epsilon"]
    guard let epsilon = try number(of: keys) else {
      throw missing(keys[0], or: keys.dropFirst().first)
    }
    return Float(epsilon)
  }

  fileprivate func activation(_ keys: [String]) throws -> Activation? {
    guard let key = keys.first(where: has), let name = try text(key) else { return nil }
    guard let activation = Activation(huggingFace: name) else {
      throw unsupported(
        key, "\"\(name)\"", known: Activation.huggingFaceNames.keys.sorted().joined(separator: ", ")
      )
    }
    return activation
  }
}

extension Activation {
  /// Under the names of transformers.
  static let huggingFaceNames: [String: Activation] = [
    "silu": .silu, "swish": .silu, "gelu": .gelu, "gelu_new": .geluTanh,
    "gelu_pytorch_tanh": .geluTanh, "gelu_fast": .geluTanh, "gelu_python": .gelu,
    "gelu_python_tanh": .geluTanh, "gelu_accurate": .geluTanh,
  ]

  init?(huggingFace name: String) {
    guard let activation = Self.huggingFaceNames[name] else { return nil }
    self = activation
  }
}
