import TensorCore

extension Architecture {
  /// Reads the description from a Hugging Face `config.json`, as transformers 4 and 5 spell it.
  ///
  /// - Throws: `UserError` for a missing key, and for a setting that would change the numbers but
  ///   that this engine does not know.
  init(_ config: HuggingFaceConfig, family: Family) throws {
    for key in ["scale_attn_by_inverse_layer_idx", "use_bidirectional_attention"]
    where try config.bool(key) ?? false {
      throw config.unsupported(key, "true", known: "false")
    }
    if try config.bool("scale_attn_weights") == false {
      throw config.unsupported("scale_attn_weights", "false", known: "true")
    }
    self.family = family.name
    layers = try config.size("num_hidden_layers", or: "n_layer", limit: Self.mostLayers)
    width = try config.size("hidden_size", or: "n_embd")
    heads = try config.size("num_attention_heads", or: "n_head")
    keyValueHeads = try config.sizeIfThere("num_key_value_heads") ?? heads
    headWidth = try config.sizeIfThere("head_dim") ?? width / heads
    hiddenWidth =
      family.modelType == "gpt2"
      ? try config.sizeIfThere("n_inner") ?? 4 * width : try config.size("intermediate_size")
    vocabulary = try config.size("vocab_size")
    contextLength = try config.size("max_position_embeddings", or: "n_positions")
    norm = Norm(
      kind: family.norm,
      epsilon: Float(
        family.norm == .rootMeanSquare
          ? try config.number("rms_norm_eps")
          : try config.number("layer_norm_eps", or: "layer_norm_epsilon")),
      followsBranches: family.normFollowsBranches)
    positions =
      family.isRotary
      ? .rotary(try Rotary(config, family: family, headWidth: headWidth)) : .learned
    mlp = MLP(
      activation: try config.activation() ?? family.mlp.activation, isGated: family.mlp.isGated)
    let attentionBias = try config.bool("attention_bias")
    biases = Biases(
      query: attentionBias ?? family.biases.query, output: attentionBias ?? family.biases.output,
      mlp: try config.bool("mlp_bias") ?? family.biases.mlp)
    isParallel = try config.bool("use_parallel_residual") ?? family.isParallel
    normalisesHeads = family.normalisesHeads
    let scaleWidth =
      family.modelType == "gemma2"
      ? try config.number("query_pre_attn_scalar") : Double(headWidth)
    attentionScale = 1 / Float(scaleWidth).squareRoot()
    attentionSoftCap =
      family.hasSoftCaps ? try config.numberOrNull("attn_logit_softcapping").map(Float.init) : nil
    logitSoftCap =
      family.hasSoftCaps ? try config.numberOrNull("final_logit_softcapping").map(Float.init) : nil
    windows = try config.windows(layers: layers, family: family)
    embeddingScale = family.scalesEmbedding ? Float(width).squareRoot() : 1
    tiesUnembedding = try config.bool("tie_word_embeddings") ?? family.tiesUnembedding
    try check(place: config.place)
  }
}

extension Architecture.Rotary {
  /// transformers 5 has everything under `rope_parameters`, transformers 4 beside `rope_scaling`.
  fileprivate init(_ config: HuggingFaceConfig, family: Family, headWidth: Int) throws {
    let settings = try config.object("rope_parameters") ?? config
    if settings.has("full_attention") {
      throw config.unsupported(
        "rope_parameters", "different by type of layer", known: "one set for all layers")
    }
    let base =
      try settings.numberIfThere("rope_theta") ?? config.numberIfThere("rope_theta")
      ?? config.numberIfThere("rotary_emb_base") ?? 10_000
    let share =
      try settings.numberIfThere("partial_rotary_factor")
      ?? config.numberIfThere("partial_rotary_factor") ?? config.numberIfThere("rotary_pct")
      ?? family.rotatedShare
    guard share > 0, share <= 1 else {
      throw UserError(
        "the rotated share of a head is \(share)", at: config.place,
        remedy: "a share between 0 and 1 belongs here")
    }
    let scaling = try config.object("rope_parameters") ?? config.object("rope_scaling")
    self.init(
      base: base, dimensions: Int(Double(headWidth) * share),
      scaling: try scaling.flatMap { try Architecture.Scaling($0) })
  }
}

extension Architecture.Scaling {
  /// nil where frequencies are not changed.
  fileprivate init?(_ settings: HuggingFaceConfig) throws {
    let kind = try settings.text("rope_type") ?? settings.text("type") ?? "default"
    switch kind {
    case "default": return nil
    case "linear": self = .linear(factor: try settings.number("factor"))
    case "llama3":
      self = .llama3(
        factor: try settings.number("factor"),
        lowFrequencyFactor: try settings.number("low_freq_factor"),
        highFrequencyFactor: try settings.number("high_freq_factor"),
        originalContext: try settings.size("original_max_position_embeddings"))
    default:
      throw settings.unsupported("rope_type", "\"\(kind)\"", known: "default, linear, llama3")
    }
  }
}

extension HuggingFaceConfig {
  fileprivate func activation() throws -> Activation? {
    let key = ["hidden_activation", "hidden_act", "activation_function"].first(where: has)
    guard let key, let name = try text(key) else { return nil }
    switch name {
    case "silu", "swish": return .silu
    case "gelu": return .gelu
    case "gelu_new", "gelu_pytorch_tanh", "gelu_fast": return .geluTanh
    default:
      throw unsupported(
        key, "\"\(name)\"", known: "silu, swish, gelu, gelu_new, gelu_pytorch_tanh, gelu_fast")
    }
  }

  /// By layer: named in `layer_types`, or after the family's rule in older files.
  fileprivate func windows(layers: Int, family: Family) throws -> [Int?] {
    if let types = try texts("layer_types") {
      guard types.count == layers else {
        throw UserError(
          "layer_types has \(types.count) entries for \(layers) layers", at: place,
          remedy: "get the model's own config.json")
      }
      return try types.map { type in
        switch type {
        case "full_attention": return nil
        case "sliding_attention": return try size("sliding_window")
        default:
          throw unsupported(
            "layer_types", "\"\(type)\"", known: "full_attention, sliding_attention")
        }
      }
    }
    if family.alternatesWindows {
      let window = try size("sliding_window")
      return (0..<layers).map { $0.isMultiple(of: 2) ? window : nil }
    }
    guard try bool("use_sliding_window") ?? false, let window = try sizeIfThere("sliding_window")
    else { return Array(repeating: nil, count: layers) }
    let firstWindowed = try count("max_window_layers")
    return (0..<layers).map { $0 >= firstWindowed ? window : nil }
  }
}

extension Family {
  /// The family that a `config.json` names.
  init(of config: HuggingFaceConfig) throws {
    guard let modelType = try config.text("model_type") else { throw config.missing("model_type") }
    guard let family = Self.known.first(where: { $0.modelType == modelType }) else {
      throw UserError(
        "unknown model_type \"\(modelType)\"", at: config.place,
        remedy: "known are: \(Self.known.map(\.modelType).joined(separator: ", "))")
    }
    self = family
  }
}
