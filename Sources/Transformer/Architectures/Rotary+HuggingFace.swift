import TensorCore

extension Architecture.Rotary {
  /// The rotation that all layers share.
  ///
  /// transformers 5 has everything under `rope_parameters`, transformers 4 beside `rope_scaling`. Where
  /// both are there transformers 5 takes `rope_scaling`, and so it is here.
  init(
    _ config: HuggingFaceConfig, pairing: Pairing, headWidth: Int, notes: inout [String]
  ) throws {
    let parameters = try config.object("rope_parameters")
    let scaling = try config.object("rope_scaling").flatMap { $0.entries.isEmpty ? nil : $0 }
    if let parameters, let scaling, try Self.differ(parameters, scaling) {
      notes.append(
        "rope_scaling and rope_parameters differ: rope_scaling is used, as in transformers 5")
    }
    let settings = scaling ?? parameters
    let share = try Self.share(settings, config)
    if share != 1, !config.rotatesPart {
      notes.append(
        "partial_rotary_factor is \(share), which transformers 5 ignores in this family: whole heads "
          + "are rotated")
    }
    try self.init(settings, in: config, pairing: pairing, headWidth: headWidth)
  }

  /// - Parameters:
  ///   - settings: the object that says what is rotated how; nil for what stands in `config` itself.
  ///   - base: that of layers which have one of their own.
  init(
    _ settings: HuggingFaceConfig?, in config: HuggingFaceConfig, base: Double? = nil,
    pairing: Pairing = .halves, headWidth: Int
  ) throws {
    let share = config.rotatesPart ? try Self.share(settings, config) : 1
    guard share > 0, share <= 1 else {
      throw UserError(
        "the rotated share of a head is \(share)", at: config.place,
        remedy: "a share between 0 and 1 belongs here")
    }
    let dimensions = Int(Double(headWidth) * share)
    self.init(
      base: try settings?.numberIfThere("rope_theta") ?? base
        ?? config.numberIfThere("rotary_emb_base") ?? config.numberIfThere("rope_theta") ?? 10_000,
      dimensions: dimensions, pairing: pairing,
      scaling: try settings.flatMap { try Architecture.Scaling($0, in: config) })
  }

  private static func share(
    _ settings: HuggingFaceConfig?, _ config: HuggingFaceConfig
  ) throws -> Double {
    try settings?.numberIfThere("partial_rotary_factor")
      ?? config.numberIfThere("partial_rotary_factor") ?? config.numberIfThere("rotary_pct") ?? 1
  }

  private static func differ(_ a: HuggingFaceConfig, _ b: HuggingFaceConfig) throws -> Bool {
    func kind(_ settings: HuggingFaceConfig) throws -> String {
      try settings.text("rope_type") ?? settings.text("type") ?? "default"
    }
    return try kind(a) != kind(b) || a.numberIfThere("factor") != b.numberIfThere("factor")
  }
}

extension HuggingFaceConfig {
  /// Whether the family may rotate a part of each head.
  fileprivate var rotatesPart: Bool {
    ["partial_rotary_factor", "rotary_pct"].contains(where: isKnown)
  }
}

extension ModelDescription {
  /// Rotations of families whose blocks with a window are rotated otherwise than the others.
  ///
  /// transformers 5 has settings by type of layer; transformers 4 a base for blocks with a window beside
  /// the others', and a scaling that holds for the others alone.
  ///
  /// - Parameter windowed: the base of blocks with a window where no setting says it.
  mutating func setRotaryByType(_ config: HuggingFaceConfig, windowed base: Double) throws {
    let headWidth = architecture.headWidth
    let parameters = try config.object("rope_parameters")
    let full = try parameters?.object("full_attention")
    let local = try parameters?.object("sliding_attention")
    if let parameters, full == nil, local == nil, !parameters.entries.isEmpty {
      notes.append(
        "rope_parameters says nothing by type of layer and is ignored, as in transformers 5")
    }
    let global = try Architecture.Rotary(
      config.object("rope_scaling") ?? full, in: config,
      base: full?.numberIfThere("rope_theta"), headWidth: headWidth)
    let windowed = try Architecture.Rotary(
      local, in: config, base: local?.numberIfThere("rope_theta") ?? base, headWidth: headWidth)
    eachBlock { $0.rotary = $0.window == nil ? global : windowed }
  }
}

extension Architecture.Scaling {
  /// nil where frequencies are not changed.
  fileprivate init?(_ settings: HuggingFaceConfig, in config: HuggingFaceConfig) throws {
    let kinds = Set(try ["rope_type", "type"].compactMap { try settings.text($0) })
    guard kinds.count <= 1 else {
      throw UserError(
        "rope_type and type contradict each other: \(kinds.sorted().joined(separator: ", "))",
        at: settings.place, remedy: "keep one of them")
    }
    guard let kind = kinds.first else {
      guard !settings.has("factor") else {
        throw UserError(
          "a rope scaling has a factor but no rope_type", at: settings.place,
          remedy: "say which: linear, dynamic, yarn, llama3 or longrope")
      }
      return nil
    }
    func original() throws -> Int {
      // The model's own, where it is written beside the scaling, goes before.
      try config.sizeIfThere("original_max_position_embeddings")
        ?? settings.sizeIfThere("original_max_position_embeddings")
        ?? config.size(of: ["max_position_embeddings"])
    }
    /// How many times as long the context has become.
    func factor() throws -> Double {
      try settings.numberIfThere("factor")
        ?? Double(config.size(of: ["max_position_embeddings"])) / Double(original())
    }
    // The first files of Phi 3 call long-rope "yarn", and its factors give it away.
    switch kind == "yarn" && settings.has("long_factor") ? "longrope" : kind {
    case "default": return nil
    case "linear": self = .linear(factor: try settings.number("factor"))
    case "dynamic":
      self = .dynamic(
        factor: try settings.number("factor"),
        trainedContext: try config.size(of: ["max_position_embeddings"]))
    case "llama3":
      self = .llama3(
        factor: try settings.number("factor"),
        lowFrequencyFactor: try settings.number("low_freq_factor"),
        highFrequencyFactor: try settings.number("high_freq_factor"),
        originalContext: try original())
    case "yarn":
      var attention = try settings.numberIfThere("attention_factor")
      if attention == nil, let weight = try settings.numberIfThere("mscale"), weight != 0,
        let all = try settings.numberIfThere("mscale_all_dim"), all != 0
      {
        attention =
          Architecture.YaRN.scale(try factor(), weight: weight)
          / Architecture.YaRN.scale(try factor(), weight: all)
      }
      var yarn = Architecture.YaRN(
        factor: try factor(), originalContext: try original(), attentionFactor: attention)
      yarn.fastTurns = try settings.numberIfThere("beta_fast") ?? yarn.fastTurns
      yarn.slowTurns = try settings.numberIfThere("beta_slow") ?? yarn.slowTurns
      yarn.truncatesRamp = try settings.bool("truncate") ?? true
      self = .yarn(yarn)
    case "longrope", "su":
      self = .longRope(
        Architecture.LongRope(
          shortFactors: try settings.list("short_factor").map { Float(try $0.number()) },
          longFactors: try settings.list("long_factor").map { Float(try $0.number()) },
          originalContext: try original(), factor: try factor(),
          attentionFactor: try settings.numberIfThere("attention_factor")))
    default:
      throw settings.unsupported(
        "rope_type", "\"\(kind)\"", known: "default, linear, dynamic, yarn, llama3, longrope")
    }
  }
}
