/// GPT-BigCode: StarCoder 1 and SantaCoder (Li et al. 2023), GPT-2 with one key and value for all heads.
extension Family {
  static let gptBigCode = Family(
    name: "starcoder",
    block: .init(
      norm: .layer, biases: .all, rotary: nil, mlp: .init(.geluTanh, isGated: false)),
    finalNorm: .layer,
    huggingFace: HuggingFaceForm(
      modelTypes: ["gpt_bigcode"],
      layout: .gpt2.with {
        $0.isTransposed = false
        $0.projections = .byGroup("attn.c_attn")
      },
      defaults: ["layer_norm_epsilon": 1e-5], tiesUnembedding: true
    ) { model, config in
      model.architecture.learnsPositions = true
      if try config.bool("multi_query") ?? true { model.architecture.keyValueHeads = 1 }
      if try config.bool("scale_attn_weights") == false {
        model.eachBlock { $0.attentionScale = 1 }
      }
    },
    gguf: GGUFForm(names: ["starcoder"], layout: .ggufPlain) { model, _ in
      model.architecture.learnsPositions = true
    })
}
