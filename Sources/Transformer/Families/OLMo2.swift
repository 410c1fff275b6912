/// OLMo 2 (OLMo Team 2024): norms after the branches and none before, queries and keys normalised over
/// all heads together.
extension Family {
  static let olmo2 = Family(
    name: "olmo2",
    block: .init(
      norm: nil, attentionPostNorm: .rootMeanSquare, mlpPostNorm: .rootMeanSquare,
      headNorm: .init(.rootMeanSquare, over: .allHeads)),
    huggingFace: HuggingFaceForm(
      modelTypes: ["olmo2"],
      layout: .olmo2,
      defaults: ["rms_norm_eps": 1e-5]
    ) { model, config in
      try model.setBiases(config)
    },
    gguf: GGUFForm(names: ["olmo2"], layout: .gguf, unembedding: .required) { model, keys in
      // OLMo 3 files have the same name.
      guard let window = try keys.size("attention.sliding_window") else { return }
      model.setWindows(
        try keys.windows(model.architecture.layers, window: window, patternIfMissing: 4))
      model.eachBlock { if $0.window != nil { $0.rotary?.scaling = nil } }
    })
}

extension CheckpointLayout {
  static let olmo2 = llama.with {
    $0.attentionPostNorm = "post_attention_layernorm"
    $0.mlpPostNorm = "post_feedforward_layernorm"
  }
}
