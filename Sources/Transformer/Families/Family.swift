import TensorCore

/// A family of models: what all have in common, under which names files know it, and what of its files
/// only this family reads.
///
/// Each family stands in a file of its own. To add one, copy the nearest, and add a line to `all`.
struct Family: Sendable {
  /// GGUF's `general.architecture` where there is one, else transformers' `model_type`.
  let name: String
  /// What every block computes where the file does not say otherwise; norms get their epsilon, heads
  /// their scale, and rotations their base and dimensions from the file.
  var block = Architecture.Block()
  var finalNorm = Architecture.Norm.rootMeanSquare
  var huggingFace: HuggingFaceForm?
  var gguf: GGUFForm?

  /// A family's folders: `config.json` and safetensors.
  struct HuggingFaceForm: Sendable {
    /// `model_type` of `config.json`.
    let modelTypes: [String]
    let layout: CheckpointLayout
    /// What transformers' configuration class fills in where `config.json` is silent.
    var defaults: [String: Double] = [:]
    /// Where `config.json` says the activation; transformers ignores the keys of other families.
    var activationKeys = ["hidden_act", "activation_function", "activation"]
    /// `tie_word_embeddings` where the file is silent.
    var tiesUnembedding = false
    /// What only this family reads, after the keys that all share.
    var read: @Sendable (inout ModelDescription, HuggingFaceConfig) throws -> Void = { _, _ in }
  }

  /// A family's GGUF files.
  struct GGUFForm: Sendable {
    enum Unembedding: Sendable {
      /// The embedding where the file has no `output.weight`.
      case tiedWhereMissing
      /// Always the embedding.
      case tied
      /// Always `output.weight`.
      case required
    }

    /// `general.architecture`.
    let names: [String]
    let layout: CheckpointLayout
    var unembedding = Unembedding.tiedWhereMissing
    /// What only this family reads, after the keys that all share.
    var read: @Sendable (inout ModelDescription, GGUFKeys) throws -> Void = { _, _ in }
  }
}

extension Family {
  /// The families that this engine runs.
  static let all: [Family] = [
    llama, mistral, ministral, qwen2, qwen3, gemma, gemma2, gemma3, gpt2, gptNeoX, gptJ, olmo,
    olmo2,
    olmo3, phi, phi3, falcon, smolLM3, stableLM, gptBigCode, starCoder2, granite,
  ]

  /// The family that a `config.json` names.
  init(of config: HuggingFaceConfig) throws {
    guard let modelType = try config.text("model_type") else { throw config.missing("model_type") }
    guard let family = Self.all.first(where: { $0.knows(modelType: modelType) }) else {
      throw UserError(
        "unknown model_type \"\(modelType)\"", at: config.place,
        remedy: "known are: "
          + Self.all.flatMap { $0.huggingFace?.modelTypes ?? [] }.joined(separator: ", "))
    }
    self = family
  }

  /// The family that a GGUF file names.
  init(of file: GGUFFile) throws {
    let name = try file.requiredString("general.architecture")
    guard let family = Self.all.first(where: { $0.gguf?.names.contains(name) ?? false }) else {
      throw UserError(
        "unknown architecture \"\(name)\"", at: file.path,
        remedy: "known are: \(Self.all.flatMap { $0.gguf?.names ?? [] }.joined(separator: ", "))")
    }
    self = family
  }

  func knows(modelType: String) -> Bool { huggingFace?.modelTypes.contains(modelType) ?? false }
}
