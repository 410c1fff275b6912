import TensorCore

/// A transformer whose weights are written down, not learned, so that it is known how it follows the
/// rule of a categorization: what an experiment says of it can be right or wrong.
///
/// All kinds begin alike (`formation`): the first block forms a rule vector at every answer position.
/// They differ in how the last position comes to the answer, which is a file of its own for each.
/// Architecture: GPT-2, two or three blocks of four heads.
public struct CompiledNetwork: Sendable {
  /// How the rule gets from the demonstrations to the answer.
  public enum Kind: String, Sendable, CaseIterable {
    /// One answer position, the first, brings the whole rule.
    case single = "rule-single"
    /// All answer positions are averaged into one vector at the last position, which does not depend
    /// on the query.
    case global = "rule-global"
    /// All answer positions contribute alike, and nothing but the answer is ever in one place.
    case distributed = "rule-distributed"
  }

  public let kind: Kind
  public let vocabulary: NetworkVocabulary
  let stream: ResidualStream
  let blocks: [CompiledBlock]

  /// Longest prompt, in tokens: 63 demonstrations of four. More positions than 256 BF16 could not tell
  /// apart.
  static let contextLength = 256

  public init(_ kind: Kind, _ vocabulary: NetworkVocabulary) {
    self.kind = kind
    self.vocabulary = vocabulary
    stream = ResidualStream(classes: vocabulary.classes, labels: vocabulary.labels)
    blocks =
      switch kind {
      case .single: Self.singlePosition(stream)
      case .global: Self.globalVector(stream)
      case .distributed: Self.distributed(stream)
      }
  }

  /// What the folder of the model holds besides the tokenizer: GPT-2's arrays.
  var arrays: [NamedArray] {
    let hidden = blocks.map(\.gates.count).max() ?? 1
    var finalNorm = [Float](repeating: 0, count: stream.width)
    for label in stream.label { finalNorm[label] = stream.standardDeviation }
    return
      ([embedding, positions]
      + blocks.enumerated().flatMap { layer, block in
        block.arrays(stream, hidden: hidden).map { $0.prefixed("h.\(layer).") }
      } + NamedArray.norm("ln_f", finalNorm)).map { $0.prefixed("transformer.") }
  }

  /// `[vocabulary, width]`: what a token is, and the constants of the norms.
  private var embedding: NamedArray {
    let rows = vocabulary.tokens.map { token in
      var row = [Float](repeating: 0, count: stream.width)
      row[0] = ResidualStream.constant
      row[1] = -ResidualStream.constant
      var marks: [Int] = []
      switch token.meaning {
      case .nothing: break
      case .word(let category):
        marks = [ResidualStream.word] + (category.map { [stream.category.lowerBound + $0] } ?? [])
      case .label(let label): marks = [stream.label.lowerBound + label]
      }
      for mark in marks { row[mark] = 1 }
      row[ResidualStream.balance] = -Float(marks.count)
      return row
    }
    return NamedArray(
      name: "wte.weight", shape: [rows.count, stream.width], values: rows.flatMap { $0 })
  }

  /// `[contextLength, width]`.
  private var positions: NamedArray {
    let rows = (0..<Self.contextLength).map { position in
      var row = [Float](repeating: 0, count: stream.width)
      row[ResidualStream.position] = Float(position) / ResidualStream.positionUnit
      row[ResidualStream.balance] = -row[ResidualStream.position]
      return row
    }
    return NamedArray(
      name: "wpe.weight", shape: [rows.count, stream.width], values: rows.flatMap { $0 })
  }

  /// `config.json`.
  var configuration: JSONValue {
    [
      "architectures": ["GPT2LMHeadModel"], "model_type": "gpt2",
      "activation_function": "gelu_new", "n_embd": .integer(stream.width),
      "n_head": .integer(ResidualStream.heads),
      "n_inner": .integer(blocks.map(\.gates.count).max() ?? 1),
      "n_layer": .integer(blocks.count), "n_positions": .integer(Self.contextLength),
      "vocab_size": .integer(vocabulary.tokens.count), "layer_norm_epsilon": 1e-5,
      "tie_word_embeddings": true,
    ]
  }
}
