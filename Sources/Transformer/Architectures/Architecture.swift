import Foundation
import TensorCore

/// What distinguishes one decoder-only transformer family from another, as data: the one forward
/// pass of this module reads it and nothing else.
public struct Architecture: Codable, Sendable, Equatable {
  /// The normalisation before attention, before the MLP and before the unembedding.
  public struct Norm: Codable, Sendable, Equatable {
    public enum Kind: String, Codable, Sendable {
      /// Division by the root of the mean square, and a weight.
      case rootMeanSquare
      /// Mean and variance taken out, a weight and a bias.
      case layer
    }

    public var kind: Kind
    /// Added under the root.
    public var epsilon: Float
    /// Whether the outputs of attention and MLP are normalised too before they join the residual
    /// stream.
    public var followsBranches: Bool

    public init(kind: Kind, epsilon: Float, followsBranches: Bool = false) {
      self.kind = kind
      self.epsilon = epsilon
      self.followsBranches = followsBranches
    }
  }

  /// How the model knows where a token stands.
  public enum PositionEncoding: Codable, Sendable, Equatable {
    /// Queries and keys are rotated by their position.
    case rotary(Rotary)
    /// A learned vector of each position is added to the embedding.
    case learned
  }

  /// Rotary position encoding.
  public struct Rotary: Codable, Sendable, Equatable {
    /// Base of the geometric row of frequencies.
    public var base: Double
    /// Leading values of each head that are rotated.
    public var dimensions: Int
    /// Change of the frequencies for long contexts.
    public var scaling: Scaling?

    public init(base: Double, dimensions: Int, scaling: Scaling? = nil) {
      self.base = base
      self.dimensions = dimensions
      self.scaling = scaling
    }
  }

  public enum Scaling: Codable, Sendable, Equatable {
    /// All frequencies divided by a factor.
    case linear(factor: Double)
    /// Llama 3.1: long wavelengths divided by a factor, short ones kept, a ramp between.
    case llama3(
      factor: Double, lowFrequencyFactor: Double, highFrequencyFactor: Double,
      originalContext: Int)
    /// Each frequency divided by its own factor, as GGUF's `rope_freqs.weight` stores it.
    case factors([Float])
  }

  /// The multilayer perceptron of a block.
  public struct MLP: Codable, Sendable, Equatable {
    public var activation: Activation
    /// Whether the activation is multiplied by a second linear map of the input.
    public var isGated: Bool

    public init(activation: Activation, isGated: Bool) {
      self.activation = activation
      self.isGated = isGated
    }
  }

  /// Which linear maps of a block have a bias.
  public struct Biases: Codable, Sendable, Equatable {
    /// Queries, keys and values.
    public var query: Bool
    /// The attention's output.
    public var output: Bool
    public var mlp: Bool

    public init(query: Bool, output: Bool, mlp: Bool) {
      self.query = query
      self.output = output
      self.mlp = mlp
    }
  }

  /// The family's name as GGUF has it: `llama`.
  public var family: String
  public var layers: Int
  /// Values of the residual stream (d_model).
  public var width: Int
  public var heads: Int
  /// Heads of keys and values; divides `heads`.
  public var keyValueHeads: Int
  /// Values of a head (d_head).
  public var headWidth: Int
  /// Values between the MLP's matrices (d_mlp).
  public var hiddenWidth: Int
  public var vocabulary: Int
  /// Longest sequence that the model was trained for.
  public var contextLength: Int
  public var norm: Norm
  public var positions: PositionEncoding
  public var mlp: MLP
  public var biases: Biases
  /// Whether attention and MLP of a block read the same residual stream, so that there is none
  /// between them.
  public var isParallel: Bool
  /// Whether each head's queries and keys are normalised before they are rotated.
  public var normalisesHeads: Bool
  /// Factor of the inner products of queries and keys: mostly 1/√headWidth.
  public var attentionScale: Float
  /// Bound that scores approach smoothly, or none.
  public var attentionSoftCap: Float?
  /// Bound that logits approach smoothly, or none.
  public var logitSoftCap: Float?
  /// By layer, how many of the latest positions a query sees, itself included; nil for all.
  public var windows: [Int?]
  /// Factor of the token embedding.
  public var embeddingScale: Float
  /// Whether the unembedding is the embedding.
  public var tiesUnembedding: Bool

  /// Query heads that share a key-value head.
  public var headsPerGroup: Int { heads / keyValueHeads }
  /// Values of all query heads of a position.
  public var queryWidth: Int { heads * headWidth }
  /// Values of all key heads of a position.
  public var keyWidth: Int { keyValueHeads * headWidth }
  /// The rotary encoding, if that is how positions are told.
  public var rotary: Rotary? {
    if case .rotary(let rotary) = positions { rotary } else { nil }
  }

  /// First position that a query at `position` sees in block `layer`.
  public func firstVisible(from position: Int, layer: Int) -> Int {
    windows[layer].map { max(0, position + 1 - $0) } ?? 0
  }
}

extension Architecture.Rotary {
  /// Angle per position of each pair of values, `[dimensions / 2]`.
  ///
  /// Su et al. 2021, equation 15; scaling as in Llama 3.1's published code.
  public var frequencies: [Double] {
    let pairs = dimensions / 2
    let plain = (0..<pairs).map { pow(base, -2 * Double($0) / Double(dimensions)) }
    switch scaling {
    case nil: return plain
    case .linear(let factor): return plain.map { $0 / factor }
    case .factors(let factors): return zip(plain, factors).map { $0 / Double($1) }
    case .llama3(let factor, let low, let high, let original):
      return plain.map { frequency in
        let wavelength = 2 * Double.pi / frequency
        let turns = Double(original) / wavelength
        if turns < low { return frequency / factor }
        if turns > high { return frequency }
        let blend = (turns - low) / (high - low)
        return (1 - blend) * frequency / factor + blend * frequency
      }
    }
  }
}
