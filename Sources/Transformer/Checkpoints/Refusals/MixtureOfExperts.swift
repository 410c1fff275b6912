import TensorCore

/// Models with several MLPs in a block, of which a router chooses: not among the families here.
enum MixtureOfExperts {
  /// Refuses a folder's configuration or weights that are a mixture of experts.
  static func refuse(
    _ config: HuggingFaceConfig, names: some Sequence<String> = [], at path: String
  ) throws {
    if let sign = try stated(config) ?? evident(names) { throw error(sign, path) }
  }

  /// Refuses a GGUF file that is a mixture of experts. `expert_count = 0` is none.
  static func refuse(_ file: GGUFFile) throws {
    let architecture = try file.requiredString("general.architecture")
    let key = "\(architecture).expert_count"
    if let count = try file.integer(key), count > 0 {
      throw error("\(key) is \(count)", file.path)
    }
    if let sign = evident(file.names) { throw error(sign, file.path) }
  }

  private static func error(_ sign: String, _ path: String) -> UserError {
    UserError(
      "is a mixture of experts (\(sign)), which is not supported", at: path,
      remedy: "use a model with one MLP in each block")
  }

  private static func stated(_ config: HuggingFaceConfig) throws -> String? {
    var isCounted = false
    for key in [
      "num_local_experts", "num_experts", "n_routed_experts", "moe_num_experts", "num_moe_experts",
    ] {
      guard let reader = config.entries[key] else { continue }
      isCounted = true
      // Some keep a list, a number for each block.
      let counts = if case .array = reader.value { try reader.list() } else { [reader] }
      guard let count = try counts.map({ try $0.integer() }).max(), count > 0 else { continue }
      return "\(key) is \(count)"
    }
    // A family of mixtures may have a member without experts, which then says that it has 0.
    if !isCounted, let type = try config.text("model_type"),
      type.contains("moe") || known.contains(type)
    {
      return "model_type \"\(type)\""
    }
    return try config.object("text_config").flatMap(stated)
  }

  /// Families that are always mixtures and whose names do not say so.
  private static let known: Set<String> = [
    "mixtral", "deepseek_v2", "deepseek_v3", "dbrx", "gpt_oss", "jetmoe", "llama4", "llama4_text",
  ]

  private static func evident(_ tensors: some Sequence<String>) -> String? {
    let signs = [
      "ffn_gate_inp.", "ffn_gate_exps.", "ffn_up_exps.", "ffn_down_exps.", ".block_sparse_moe.",
      ".experts.",
    ]
    return tensors.first { tensor in signs.contains { tensor.contains($0) } }
      .map { "tensor \"\($0)\"" }
  }
}
