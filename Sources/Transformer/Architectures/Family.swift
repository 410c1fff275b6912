import TensorCore

/// What all models of a family share and their files do not say; sizes come from the file.
struct Family: Sendable {
  /// GGUF's `general.architecture`.
  let name: String
  /// `model_type` of Hugging Face's `config.json`.
  let modelType: String
  var norm = Architecture.Norm.Kind.rootMeanSquare
  var normFollowsBranches = false
  var isRotary = true
  /// Share of each head that is rotated where the file does not say.
  var rotatedShare = 1.0
  var mlp = Architecture.MLP(activation: .silu, isGated: true)
  /// Biases where a `config.json` does not say; a GGUF file shows them by its tensors.
  var biases = Architecture.Biases(query: false, output: false, mlp: false)
  var isParallel = false
  var normalisesHeads = false
  var hasSoftCaps = false
  /// Whether every other block, from the first, has a window where the file does not say.
  var alternatesWindows = false
  /// Whether the embedding is multiplied by √width.
  var scalesEmbedding = false
  /// Whether a `config.json` that does not say means a tied unembedding.
  var tiesUnembedding = false
  var gguf = CheckpointLayout.gguf
  var huggingFace = CheckpointLayout.llama

  /// The families that this engine runs.
  static let known = [
    // Only llama's converter permutes the rows of queries and keys.
    Family(name: "llama", modelType: "llama", gguf: .ggufWithNeighbours),
    Family(
      name: "qwen2", modelType: "qwen2", biases: .init(query: true, output: false, mlp: false)),
    Family(name: "qwen3", modelType: "qwen3", normalisesHeads: true),
    Family(
      name: "gpt2", modelType: "gpt2", norm: .layer, isRotary: false,
      mlp: .init(activation: .geluTanh, isGated: false),
      biases: .init(query: true, output: true, mlp: true), tiesUnembedding: true,
      gguf: .ggufFused, huggingFace: .gpt2),
    Family(
      name: "gptneox", modelType: "gpt_neox", norm: .layer, rotatedShare: 0.25,
      mlp: .init(activation: .gelu, isGated: false),
      biases: .init(query: true, output: true, mlp: true), isParallel: true, gguf: .ggufFused,
      huggingFace: .gptNeoX),
    Family(
      name: "gemma2", modelType: "gemma2", normFollowsBranches: true,
      mlp: .init(activation: .geluTanh, isGated: true), hasSoftCaps: true,
      alternatesWindows: true, scalesEmbedding: true, tiesUnembedding: true,
      huggingFace: .gemma2),
  ]
}
