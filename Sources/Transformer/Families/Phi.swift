/// Phi 1, 1.5 and 2 (Li et al. 2023): one norm for attention and MLP side by side, biases everywhere, part
/// of each head rotated.
extension Family {
  static let phi = Family(
    name: "phi2",
    block: .init(
      norm: .layer, order: .parallelWithOneNorm, biases: .all,
      mlp: .init(.geluTanh, isGated: false)),
    finalNorm: .layer,
    huggingFace: HuggingFaceForm(
      modelTypes: ["phi"],
      layout: .llama.with {
        $0.finalNorm = "final_layernorm"
        $0.output = "self_attn.dense"
        $0.queryNorm = "self_attn.q_layernorm"
        $0.keyNorm = "self_attn.k_layernorm"
        $0.hidden = .plain(up: "mlp.fc1")
        $0.down = "mlp.fc2"
      },
      defaults: ["layer_norm_eps": 1e-5, "partial_rotary_factor": 0.5]
    ) { model, config in
      model.architecture.hasUnembeddingBias = true
      guard try config.bool("qk_layernorm") ?? false else { return }
      let epsilon = model.architecture.finalNorm.epsilon
      model.eachBlock {
        $0.headNorm = .init(.init(.layer, epsilon: epsilon, hasBias: true), over: .head)
      }
    },
    gguf: GGUFForm(names: ["phi2"], layout: .ggufPlain, unembedding: .required))
}
