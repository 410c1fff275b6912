import Foundation
import TensorCore
import Transformer

/// A small Qwen 2 that learns the categorization task, as a description without weights. Weights are
/// `Parameters` under the names of its file.
///
/// The first block sees three tokens: a label its demonstration's input, an arrow the word before it.
struct LearnedNetwork: Sendable {
  static let name = "rule-learner"

  let architecture: Architecture
  private let configuration: JSONValue

  /// - Parameter vocabulary: number of tokens.
  init(vocabulary: Int) throws {
    configuration = [
      "architectures": ["Qwen2ForCausalLM"], "model_type": "qwen2", "hidden_act": "silu",
      "hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2,
      "num_attention_heads": 4, "num_key_value_heads": 4, "head_dim": 16,
      "max_position_embeddings": 512, "rms_norm_eps": 1e-5, "rope_theta": 10000,
      "vocab_size": .integer(vocabulary), "tie_word_embeddings": false,
      "use_sliding_window": true, "sliding_window": 3, "max_window_layers": 0,
      "layer_types": ["sliding_attention", "full_attention"],
    ]
    architecture = try Architecture(configuration: configuration, place: Self.name)
  }

  /// Names and shapes of all weights; matrices are `[outputs, inputs]`.
  private var shapes: [(name: String, shape: [Int])] {
    let (width, hidden) = (architecture.width, architecture.hiddenWidth)
    let vocabulary = architecture.vocabulary
    return [("model.embed_tokens.weight", [vocabulary, width])]
      + (0..<architecture.layers).flatMap { layer -> [(name: String, shape: [Int])] in
        [
          ("input_layernorm", [width]), ("self_attn.q_proj", [architecture.queryWidth, width]),
          ("self_attn.k_proj", [architecture.keyWidth, width]),
          ("self_attn.v_proj", [architecture.keyWidth, width]),
          ("self_attn.o_proj", [width, architecture.queryWidth]),
          ("post_attention_layernorm", [width]), ("mlp.gate_proj", [hidden, width]),
          ("mlp.up_proj", [hidden, width]), ("mlp.down_proj", [width, hidden]),
        ].map { ("model.layers.\(layer).\($0.0).weight", $0.1) }
          + ["q", "k", "v"].map {
            ("model.layers.\(layer).self_attn.\($0)_proj.bias", [architecture.queryWidth])
          }
      } + [("model.norm.weight", [width]), ("lm_head.weight", [vocabulary, width])]
  }

  /// Norms are 1, biases have a standard deviation of 1, the embedding of 0.3, other matrices of
  /// 1/√inputs; the unembedding is 0.
  func initialWeights(seed: UInt64) -> Parameters {
    var random = RandomStream(seed: seed, path: [0x1EA2])
    return Parameters(
      shapes.map { name, shape in
        let deviation: Float
        switch name.split(separator: ".").dropLast().last {
        case _ where name.hasSuffix("bias"): deviation = 1
        case _ where shape.count == 1: return (name, Tensor(repeating: 1, shape: shape))
        case "lm_head": deviation = 0
        case "embed_tokens": deviation = 0.3
        default: deviation = 1 / Float(shape[1]).squareRoot()
        }
        let values = (0..<shape.reduce(1, *)).map { _ in deviation * random.normal() }
        return (name, Tensor(values, shape: shape))
      })
  }

  /// The network with such weights, which a recording may follow.
  func transformer(_ weights: Parameters) -> DifferentiableTransformer {
    func norm(_ name: String) -> TransformerWeights.Norm {
      TransformerWeights.Norm(
        kind: architecture.finalNorm.kind, epsilon: architecture.finalNorm.epsilon,
        weight: weights["\(name).weight"], bias: nil, span: architecture.width)
    }
    return DifferentiableTransformer(
      architecture,
      TransformerWeights(
        embedding: .dense(weights["model.embed_tokens.weight"]), positions: nil,
        blocks: (0..<architecture.layers).map { layer in
          func linear(_ part: String) -> TransformerWeights.Linear {
            let name = "model.layers.\(layer).\(part)"
            return .dense(
              weights["\(name).weight"],
              bias: weights.contains("\(name).bias") ? weights["\(name).bias"] : nil)
          }
          return TransformerWeights.Block(
            attentionNorm: norm("model.layers.\(layer).input_layernorm"),
            query: linear("self_attn.q_proj"), key: linear("self_attn.k_proj"),
            value: linear("self_attn.v_proj"), output: linear("self_attn.o_proj"),
            mlpNorm: norm("model.layers.\(layer).post_attention_layernorm"),
            gate: linear("mlp.gate_proj"), up: linear("mlp.up_proj"),
            down: linear("mlp.down_proj"))
        }, finalNorm: norm("model.norm"),
        unembedding: .dense(weights["lm_head.weight"], bias: nil)))
  }

  /// Writes the model's folder to `path`, with the tokenizer of the network at `neighbour`.
  func write(_ weights: Parameters, to path: String, tokenizerOf neighbour: String) throws {
    try Files.makeFolder(path)
    try Files.write(Data((configuration.text + "\n").utf8), to: path + "/config.json")
    try Files.write(Files.read(neighbour + "/tokenizer.json"), to: path + "/tokenizer.json")
    try Safetensors.write(
      weights.pairs.map { ($0.name, $0.tensor.shape, $0.tensor.values) },
      metadata: ["format": "pt", "title": "\(Self.name), trained on the categorization task"],
      to: path + "/model.safetensors")
  }
}
