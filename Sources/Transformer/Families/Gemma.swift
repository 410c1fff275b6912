/// Gemma 1 (Gemma Team 2024): the embedding is multiplied by √width, norms by 1 + their weight.
extension Family {
  static let gemma = Family(
    name: "gemma",
    block: .init(mlp: .init(.geluTanh, isGated: true)),
    huggingFace: HuggingFaceForm(
      modelTypes: ["gemma"], layout: .llama.with { $0.normOffset = 1 },
      defaults: ["rms_norm_eps": 1e-6, "head_dim": 256], tiesUnembedding: true
    ) { model, config in
      model.scaleEmbeddingByWidth()
      try model.setBiases(config)
      // The first configurations say "gelu" and mean the approximation, as transformers knows.
      model.eachBlock { if $0.mlp.activation == .gelu { $0.mlp.activation = .geluTanh } }
    },
    // The converter has added 1 to the norms' weights.
    gguf: GGUFForm(names: ["gemma"], layout: .gguf, unembedding: .tied) { model, _ in
      model.scaleEmbeddingByWidth()
    })
}

extension ModelDescription {
  mutating func scaleEmbeddingByWidth() {
    architecture.embeddingScale = Float(architecture.width).squareRoot()
  }
}
