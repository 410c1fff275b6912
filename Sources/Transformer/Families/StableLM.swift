/// StableLM 3B and 2 (Bellagente et al. 2024): layer norms round Llama's block, part of each head rotated;
/// the 12B normalises each head and has attention and MLP side by side.
extension Family {
  static let stableLM = Family(
    name: "stablelm",
    block: .init(norm: .layer),
    finalNorm: .layer,
    huggingFace: HuggingFaceForm(
      modelTypes: ["stablelm"],
      layout: .llama.with {
        $0.queryNorm = "self_attn.q_layernorm.norms.*"
        $0.keyNorm = "self_attn.k_layernorm.norms.*"
      },
      defaults: ["layer_norm_eps": 1e-5, "partial_rotary_factor": 0.25]
    ) { model, config in
      let hasBias = try config.bool("use_qkv_bias") ?? false
      let isParallel = try config.bool("use_parallel_residual") ?? false
      let normalises = try config.bool("qk_layernorm") ?? false
      model.eachBlock {
        $0.biases.query = hasBias
        if isParallel { $0.setOrder(.parallelWithOneNorm) }
      }
      if normalises { model.normaliseStableLMHeads() }
    },
    gguf: GGUFForm(names: ["stablelm"], layout: .gguf, unembedding: .required) { model, keys in
      if !keys.hasTensor("blk.0.ffn_norm.weight") {
        model.eachBlock { $0.setOrder(.parallelWithOneNorm) }
      }
      if keys.hasTensor("blk.0.attn_q_norm.weight") { model.normaliseStableLMHeads() }
    })
}

extension ModelDescription {
  /// Layer norms without bias, each head with weights of its own.
  fileprivate mutating func normaliseStableLMHeads() {
    let norm = Architecture.Norm(.layer, epsilon: architecture.finalNorm.epsilon)
    eachBlock { $0.headNorm = .init(norm, over: .headWithOwnWeights) }
  }
}
