import TensorCore

extension ModelDescription {
  /// Reads a GGUF file's metadata, with llama.cpp's defaults where it is silent.
  ///
  /// - Throws: `UserError` for a missing key, one of another type, and sizes that contradict each other.
  init(_ file: GGUFFile, family: Family) throws {
    guard let form = family.gguf else {
      throw UserError("a \(family.name) model is not read from GGUF", at: file.path)
    }
    let keys = GGUFKeys(
      file: file, architecture: try file.requiredString("general.architecture"))
    let layers = try keys.requiredSize("block_count", limit: Architecture.mostLayers)
    let width = try keys.requiredSize("embedding_length")
    let heads = try keys.requiredSize("attention.head_count")
    let headWidth = try keys.size("attention.key_length") ?? width / heads
    if let values = try keys.size("attention.value_length"), values != headWidth {
      throw UserError(
        "keys of \(headWidth) and values of \(values) numbers are not supported", at: file.path,
        remedy: "use a model whose heads have one width")
    }
    var finalNorm = family.finalNorm
    let epsilon = Float(
      try keys.requiredNumber(
        finalNorm.kind == .layer
          ? "attention.layer_norm_epsilon" : "attention.layer_norm_rms_epsilon"))
    finalNorm.epsilon = epsilon
    var block = family.block
    block.setEpsilon(epsilon)
    block.attentionScale = 1 / Float(headWidth).squareRoot()
    if let pairing = block.rotary?.pairing {
      block.rotary = try Architecture.Rotary(keys, pairing: pairing, headWidth: headWidth)
    }
    architecture = Architecture(
      family: family.name, width: width, heads: heads,
      keyValueHeads: try keys.size("attention.head_count_kv") ?? heads, headWidth: headWidth,
      hiddenWidth: try keys.requiredSize("feed_forward_length"),
      vocabulary: try file.entry("token_embd.weight").rows,
      contextLength: try keys.requiredSize("context_length"),
      blocks: (0..<layers).map { layer in
        var block = block
        block.biases = Architecture.Biases(keys, layer: layer)
        return block
      },
      finalNorm: finalNorm,
      tiesUnembedding: form.unembedding == .tied
        || (form.unembedding == .tiedWhereMissing && !keys.hasTensor("output.weight")),
      hasUnembeddingBias: keys.hasTensor("output.bias"))
    layout = form.layout
    if keys.hasTensor("blk.0.attn_qkv.weight") { layout.projections = .stacked("attn_qkv") }
    try form.read(&self, keys)
    if let window = try keys.size("attention.sliding_window"),
      architecture.blocks.allSatisfy({ $0.window == nil })
    {
      notes.append(
        "\(keys.architecture).attention.sliding_window is \(window): llama.cpp gives this architecture "
          + "no window, and none is applied here")
    }
    try architecture.check(place: file.path)
  }
}

extension Architecture.Biases {
  /// Those that the file has.
  fileprivate init(_ keys: GGUFKeys, layer: Int) {
    func has(_ name: String) -> Bool { keys.hasTensor("blk.\(layer).\(name).bias") }
    self.init(
      query: has("attn_q") || has("attn_qkv"), output: has("attn_output"), mlp: has("ffn_up"))
  }
}

extension Architecture.Rotary {
  fileprivate init(_ keys: GGUFKeys, pairing: Pairing, headWidth: Int) throws {
    self.init(
      base: try keys.factor("rope.freq_base") ?? 10_000,
      dimensions: try keys.size("rope.dimension_count") ?? headWidth, pairing: pairing)
    amplitude = try keys.factor("rope.scaling.attn_factor") ?? 1
    scaling = try Architecture.Scaling(keys)
  }
}

extension Architecture.Scaling {
  /// nil where frequencies are not changed.
  fileprivate init?(_ keys: GGUFKeys) throws {
    let file = keys.file
    let original =
      try keys.size("rope.scaling.original_context_length")
      ?? keys.requiredSize("context_length")
    if keys.hasTensor("rope_freqs.weight") {
      self = .factors(try file.vector("rope_freqs.weight"))
      return
    }
    if keys.hasTensor("rope_factors_long.weight") || keys.hasTensor("rope_factors_short.weight") {
      // The converter has worked out the factor of cosines and sines: `rope.scaling.attn_factor`.
      self = .longRope(
        Architecture.LongRope(
          shortFactors: try file.vector("rope_factors_short.weight"),
          longFactors: try file.vector("rope_factors_long.weight"), originalContext: original,
          factor: 1))
      return
    }
    let factor =
      try keys.factor("rope.scaling.factor") ?? keys.factor("rope.scale_linear") ?? 1
    switch try keys.text("rope.scaling.type") ?? "linear" {
    case "none": return nil
    case "linear":
      guard factor != 1 else { return nil }
      self = .linear(factor: factor)
    case "yarn":
      var yarn = Architecture.YaRN(
        factor: factor, originalContext: original,
        attentionFactor: try keys.factor("rope.scaling.yarn_attn_factor"))
      yarn.fastTurns = try keys.factor("rope.scaling.yarn_beta_fast") ?? yarn.fastTurns
      yarn.slowTurns = try keys.factor("rope.scaling.yarn_beta_slow") ?? yarn.slowTurns
      self = .yarn(yarn)
    case "longrope":
      throw UserError(
        "rope.scaling.type is longrope, but there is no tensor rope_factors_long.weight",
        at: file.path, remedy: "convert the model anew")
    case let kind:
      throw UserError(
        "unknown rope scaling \"\(kind)\"", at: file.path,
        remedy: "known are: none, linear, yarn, longrope")
    }
  }
}
