/// Granite 3 (IBM 2024): Llama with a factor on embedding, scores, branches and logits.
extension Family {
  static let granite = Family(
    name: "granite",
    huggingFace: HuggingFaceForm(
      modelTypes: ["granite"], layout: .llama, defaults: ["rms_norm_eps": 1e-6]
    ) { model, config in
      try model.setBiases(config)
      model.setFactors(
        embedding: try config.numberIfThere("embedding_multiplier") ?? 1,
        attention: try config.numberIfThere("attention_multiplier") ?? 1,
        branch: try config.numberIfThere("residual_multiplier") ?? 1,
        logits: try config.numberIfThere("logits_scaling") ?? 1)
    },
    gguf: GGUFForm(names: ["granite"], layout: .ggufWithNeighbours) { model, keys in
      if try keys.bool("rope.scaling.finetuned") == false { model.eachBlock { $0.rotary = nil } }
      model.setFactors(
        embedding: try keys.factor("embedding_scale") ?? 1,
        attention: try keys.factor("attention.scale")
          ?? 1 / Double(model.architecture.headWidth).squareRoot(),
        branch: try keys.factor("residual_scale") ?? 1,
        logits: try keys.factor("logit_scale") ?? 1)
    })
}

extension ModelDescription {
  /// - Parameter logits: what logits are divided by.
  fileprivate mutating func setFactors(
    embedding: Double, attention: Double, branch: Double, logits: Double
  ) {
    architecture.embeddingScale = Float(embedding)
    architecture.logitScale = Float(1 / logits)
    eachBlock {
      $0.attentionScale = Float(attention)
      $0.branchScale = Float(branch)
    }
  }
}
