import TensorCore

extension Architecture {
  /// GGUF names of the families that this engine runs.
  static let knownFamilies = ["llama"]

  /// Reads the description from a GGUF file's metadata.
  init(_ file: GGUFFile) throws {
    let family = try file.requiredString("general.architecture")
    guard Self.knownFamilies.contains(family) else {
      throw UserError(
        "unknown architecture \"\(family)\"", at: file.path,
        remedy: "known are: \(Self.knownFamilies.joined(separator: ", "))")
    }
    func size(_ key: String) throws -> Int {
      let value = try file.requiredInteger("\(family).\(key)")
      guard value > 0, value < 1 << 30 else {
        throw UserError(
          "\(family).\(key) is \(value)", at: file.path,
          remedy: "get the file again; a positive size belongs here")
      }
      return value
    }
    self.family = family
    layers = try size("block_count")
    width = try size("embedding_length")
    heads = try size("attention.head_count")
    keyValueHeads =
      file.integer("\(family).attention.head_count_kv") == nil
      ? heads : try size("attention.head_count_kv")
    headWidth =
      file.integer("\(family).attention.key_length") == nil
      ? width / heads : try size("attention.key_length")
    hiddenWidth = try size("feed_forward_length")
    contextLength = try size("context_length")
    vocabulary = try file.entry("token_embd.weight").rows
    normEpsilon = Float(try file.requiredNumber("\(family).attention.layer_norm_rms_epsilon"))
    var scaling: Scaling?
    if file.tensors["rope_freqs.weight"] != nil {
      scaling = .factors(try file.vector("rope_freqs.weight"))
    } else if let kind = file.string("\(family).rope.scaling.type"), kind != "none" {
      guard kind == "linear" else {
        throw UserError(
          "unknown rope scaling \"\(kind)\"", at: file.path, remedy: "known are: none, linear")
      }
      scaling = .linear(factor: try file.requiredNumber("\(family).rope.scaling.factor"))
    }
    rotary = Rotary(
      base: file.number("\(family).rope.freq_base") ?? 10_000,
      dimensions: file.integer("\(family).rope.dimension_count") ?? headWidth, scaling: scaling)
    try check(place: file.path)
  }

  /// - Throws: `UserError` where sizes contradict each other.
  func check(place: String) throws {
    func require(_ condition: Bool, _ problem: String) throws {
      guard condition else {
        throw UserError(problem, at: place, remedy: "get the file again; its sizes contradict")
      }
    }
    try require(
      heads % keyValueHeads == 0, "\(heads) heads do not share \(keyValueHeads) key-value heads")
    try require(headWidth > 0, "the width \(width) is less than the number of heads \(heads)")
    try require(
      rotary.dimensions > 0 && rotary.dimensions <= headWidth && rotary.dimensions % 2 == 0,
      "\(rotary.dimensions) of \(headWidth) values of a head cannot be rotated")
    try require(rotary.base > 0 && rotary.base.isFinite, "the rope base is \(rotary.base)")
    try require(normEpsilon >= 0 && normEpsilon < 1, "the norm's epsilon is \(normEpsilon)")
    if case .factors(let factors) = rotary.scaling {
      try require(
        factors.count == rotary.dimensions / 2, "rope_freqs.weight has \(factors.count) values")
    }
  }
}
