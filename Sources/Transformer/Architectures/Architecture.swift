import Foundation

/// What distinguishes one decoder-only transformer family from another, as data: the one forward
/// pass of this module reads it and nothing else.
public struct Architecture: Codable, Sendable, Equatable {
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
  public var normEpsilon: Float
  public var rotary: Rotary

  /// Query heads that share a key-value head.
  public var headsPerGroup: Int { heads / keyValueHeads }
  /// Values of all query heads of a position.
  public var queryWidth: Int { heads * headWidth }
  /// Values of all key heads of a position.
  public var keyWidth: Int { keyValueHeads * headWidth }
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
