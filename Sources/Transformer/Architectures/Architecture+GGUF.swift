import TensorCore

extension Architecture {
  /// Reads the description from a GGUF file's metadata; `family` is what `Family(of:)` found.
  init(_ file: GGUFFile, family: Family) throws {
    let name = family.name
    func size(_ key: String, limit: Int = Self.largestSize) throws -> Int {
      let value = try file.requiredInteger("\(name).\(key)")
      guard value > 0, value < limit else {
        throw UserError(
          "\(name).\(key) is \(value)", at: file.path,
          remedy: "get the file again; a positive size belongs here")
      }
      return value
    }
    func sizeIfThere(_ key: String) throws -> Int? {
      try file.integer("\(name).\(key)") == nil ? nil : try size(key)
    }
    func hasTensor(_ part: String) -> Bool { file.hasTensor("blk.0.\(part)") }

    self.family = name
    layers = try size("block_count", limit: Self.mostLayers)
    width = try size("embedding_length")
    heads = try size("attention.head_count")
    keyValueHeads = try sizeIfThere("attention.head_count_kv") ?? heads
    headWidth = try sizeIfThere("attention.key_length") ?? width / heads
    hiddenWidth = try size("feed_forward_length")
    contextLength = try size("context_length")
    vocabulary = try file.entry("token_embd.weight").rows
    let epsilonKey = family.norm == .layer ? "layer_norm_epsilon" : "layer_norm_rms_epsilon"
    norm = Norm(
      kind: family.norm,
      epsilon: Float(try file.requiredNumber("\(name).attention.\(epsilonKey)")),
      followsBranches: family.normFollowsBranches)
    positions =
      family.isRotary
      ? .rotary(try Rotary(file, family: family, headWidth: headWidth)) : .learned
    mlp = family.mlp
    biases = Biases(
      query: hasTensor("attn_q.bias") || hasTensor("attn_qkv.bias"),
      output: hasTensor("attn_output.bias"), mlp: hasTensor("ffn_up.bias"))
    isParallel = try file.bool("\(name).use_parallel_residual") ?? family.isParallel
    normalisesHeads = family.normalisesHeads
    // GGUF has no key for the scale. Of the Gemma 2 models only that of 46 layers, 27B, differs from
    // the rule: its head is 128 wide but its scale is that of width / heads = 144.
    let scaleWidth = name == "gemma2" && layers == 46 ? width / heads : headWidth
    attentionScale = 1 / Float(scaleWidth).squareRoot()
    attentionSoftCap =
      family.hasSoftCaps
      ? Float(try file.requiredNumber("\(name).attn_logit_softcapping")) : nil
    logitSoftCap =
      family.hasSoftCaps
      ? Float(try file.requiredNumber("\(name).final_logit_softcapping")) : nil
    let window = family.alternatesWindows ? try size("attention.sliding_window") : nil
    windows = (0..<layers).map { $0.isMultiple(of: 2) ? window : nil }
    embeddingScale = family.scalesEmbedding ? Float(width).squareRoot() : 1
    tiesUnembedding = !file.hasTensor("output.weight")
    try check(place: file.path)
  }
}

extension Architecture.Rotary {
  fileprivate init(_ file: GGUFFile, family: Family, headWidth: Int) throws {
    let name = family.name
    var scaling: Architecture.Scaling?
    if file.hasTensor("rope_freqs.weight") {
      scaling = .factors(try file.vector("rope_freqs.weight"))
    } else if let kind = try file.string("\(name).rope.scaling.type"), kind != "none" {
      guard kind == "linear" else {
        throw UserError(
          "unknown rope scaling \"\(kind)\"", at: file.path, remedy: "known are: none, linear")
      }
      scaling = .linear(factor: try file.requiredNumber("\(name).rope.scaling.factor"))
    }
    self.init(
      base: try file.number("\(name).rope.freq_base") ?? 10_000,
      dimensions: try file.integer("\(name).rope.dimension_count") ?? headWidth, scaling: scaling)
  }
}

extension Family {
  /// The family that a GGUF file names.
  init(of file: GGUFFile) throws {
    let name = try file.requiredString("general.architecture")
    guard let family = Self.known.first(where: { $0.name == name }) else {
      throw UserError(
        "unknown architecture \"\(name)\"", at: file.path,
        remedy: "known are: \(Self.known.map(\.name).joined(separator: ", "))")
    }
    self = family
  }
}
