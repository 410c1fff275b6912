/// OLMo 1 (Groeneveld et al. 2024): layer norms without weights, queries, keys and values clipped.
extension Family {
  static let olmo = Family(
    name: "olmo",
    block: .init(norm: .weightless),
    finalNorm: .weightless,
    huggingFace: HuggingFaceForm(modelTypes: ["olmo"], layout: .llama) { model, config in
      try model.setBiases(config)
      let clip = try config.numberIfThere("clip_qkv").map(Float.init)
      model.eachBlock { $0.queryKeyValueClip = clip }
    },
    gguf: GGUFForm(names: ["olmo"], layout: .ggufWithNeighbours) { model, keys in
      let clip = try keys.number("attention.clamp_kqv").map(Float.init)
      model.eachBlock { $0.queryKeyValueClip = clip == 0 ? nil : clip }
    })
}

extension Architecture.Norm {
  /// Its epsilon is fixed.
  fileprivate static let weightless = Architecture.Norm(.layer, epsilon: 1e-5, hasWeight: false)
}
