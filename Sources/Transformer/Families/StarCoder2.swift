/// StarCoder 2 (Lozhkov et al. 2024): layer norms, a plain MLP, biases everywhere, a window or none.
extension Family {
  static let starCoder2 = Family(
    name: "starcoder2",
    block: .init(norm: .layer, biases: .all, mlp: .init(.geluTanh, isGated: false)),
    finalNorm: .layer,
    huggingFace: HuggingFaceForm(
      modelTypes: ["starcoder2"],
      layout: .llama.with {
        $0.hidden = .plain(up: "mlp.c_fc")
        $0.down = "mlp.c_proj"
      },
      defaults: ["norm_epsilon": 1e-5, "num_key_value_heads": 2], tiesUnembedding: true
    ) { model, config in
      let window = try config.sizeIfThere("sliding_window")
      let hasBias = try config.bool("use_bias") ?? true
      model.eachBlock {
        $0.window = window
        if !hasBias { $0.biases = .init() }
      }
    },
    gguf: GGUFForm(names: ["starcoder2"], layout: .ggufPlain) { model, keys in
      let window = try keys.size("attention.sliding_window")
      model.eachBlock { $0.window = window }
    })
}
