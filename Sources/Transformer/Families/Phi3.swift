/// Phi 3, 3.5 and 4-mini (Abdin et al. 2024): Llama with fused matrices, and long-rope for long contexts.
extension Family {
  static let phi3 = Family(
    name: "phi3",
    huggingFace: HuggingFaceForm(
      modelTypes: ["phi3"],
      layout: .llama.with {
        $0.projections = .stacked("self_attn.qkv_proj")
        $0.hidden = .stacked("mlp.gate_up_proj")
      },
      defaults: [
        "rms_norm_eps": 1e-5, "partial_rotary_factor": 1, "original_max_position_embeddings": 4096,
      ]
    ) { model, config in
      let window = try config.sizeIfThere("sliding_window")
      model.eachBlock { $0.window = window }
    },
    gguf: GGUFForm(
      names: ["phi3"],
      layout: .gguf.with { $0.hidden = .stacked("ffn_up") }
    ) { model, keys in
      let window = try keys.size("attention.sliding_window")
      model.eachBlock { $0.window = window }
    })
}
