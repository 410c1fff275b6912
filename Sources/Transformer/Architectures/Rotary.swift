import Foundation

extension Architecture {
  /// Rotary position encoding (Su et al. 2021).
  public struct Rotary: Codable, Sendable, Hashable {
    /// Which values of a head are rotated together.
    public enum Pairing: String, Codable, Sendable {
      /// Value *i* and value *i + half*.
      case halves
      /// Values *2i* and *2i + 1*.
      case neighbours
    }

    /// Base of the geometric row of frequencies.
    public var base: Double
    /// Leading values of each head that are rotated.
    public var dimensions: Int
    public var pairing: Pairing
    /// Change of the frequencies for long contexts.
    public var scaling: Scaling?
    /// Factor of cosines and sines beside the scaling's own.
    public var amplitude = 1.0

    public init(
      base: Double = 10_000, dimensions: Int = 0, pairing: Pairing = .halves,
      scaling: Scaling? = nil
    ) {
      self.base = base
      self.dimensions = dimensions
      self.pairing = pairing
      self.scaling = scaling
    }
  }

  public enum Scaling: Codable, Sendable, Hashable {
    /// All frequencies divided by a factor.
    case linear(factor: Double)
    /// A larger base for a sequence longer than the trained context ("NTK-aware"), by its length.
    case dynamic(factor: Double, trainedContext: Int)
    /// Llama 3.1: long wavelengths divided by a factor, short ones kept, a ramp between.
    case llama3(
      factor: Double, lowFrequencyFactor: Double, highFrequencyFactor: Double,
      originalContext: Int)
    case yarn(YaRN)
    case longRope(LongRope)
    /// Each frequency divided by its own factor, as GGUF's `rope_freqs.weight` stores it.
    case factors([Float])
  }

  /// Peng et al. 2023: frequencies that turn seldom within the original context are divided by a
  /// factor, those that turn often are kept, with a ramp between.
  public struct YaRN: Codable, Sendable, Hashable {
    public var factor: Double
    public var originalContext: Int
    /// Turns within the original context above which a frequency is kept.
    public var fastTurns = 32.0
    /// Turns below which it is divided.
    public var slowTurns = 1.0
    /// Whether the ramp's ends are moved outwards to whole numbers.
    public var truncatesRamp = true
    /// Factor of cosines and sines.
    public var attentionFactor: Double

    /// - Parameter attentionFactor: nil for `0.1 · ln(factor) + 1`, the paper's.
    public init(factor: Double, originalContext: Int, attentionFactor: Double? = nil) {
      self.factor = factor
      self.originalContext = originalContext
      self.attentionFactor = attentionFactor ?? Self.scale(factor, weight: 1)
    }

    /// `0.1 · weight · ln(factor) + 1`, and 1 where nothing is stretched.
    static func scale(_ factor: Double, weight: Double) -> Double {
      factor <= 1 ? 1 : 0.1 * weight * log(factor) + 1
    }
  }

  /// Ding et al. 2024: each frequency divided by a factor of its own, of which there are two sets.
  public struct LongRope: Codable, Sendable, Hashable {
    /// For sequences up to `originalContext`.
    public var shortFactors: [Float]
    /// For longer ones.
    public var longFactors: [Float]
    public var originalContext: Int
    /// Factor of cosines and sines.
    public var attentionFactor: Double

    /// - Parameter factor: how many times as long the context has become; decides the attention's factor
    ///   where that is nil.
    public init(
      shortFactors: [Float], longFactors: [Float], originalContext: Int, factor: Double,
      attentionFactor: Double? = nil
    ) {
      self.shortFactors = shortFactors
      self.longFactors = longFactors
      self.originalContext = originalContext
      self.attentionFactor =
        attentionFactor
        ?? (factor <= 1 ? 1 : (1 + log(factor) / log(Double(originalContext))).squareRoot())
    }
  }
}

extension Architecture.Rotary {
  /// Angle per position of each pair of values of a sequence with `length` positions,
  /// `[dimensions / 2]`.
  ///
  /// Su et al. 2021, equation 15; scaling as transformers 5 has it.
  public func frequencies(length: Int) -> [Double] {
    let plain = frequencies(base: base)
    switch scaling {
    case nil: return plain
    case .linear(let factor): return plain.map { $0 / factor }
    case .factors(let factors): return zip(plain, factors).map { $0 / Double($1) }
    case .dynamic(let factor, let trained):
      guard length > trained else { return plain }
      let stretch = factor * Double(length) / Double(trained) - (factor - 1)
      return frequencies(
        base: base * pow(stretch, Double(dimensions) / Double(dimensions - 2)))
    case .llama3(let factor, let low, let high, let original):
      return plain.map { frequency in
        let turns = Double(original) * frequency / (2 * .pi)
        if turns < low { return frequency / factor }
        if turns > high { return frequency }
        let blend = (turns - low) / (high - low)
        return (1 - blend) * frequency / factor + blend * frequency
      }
    case .yarn(let yarn): return yarn.applied(to: plain, base: base, dimensions: dimensions)
    case .longRope(let rope):
      let factors = length > rope.originalContext ? rope.longFactors : rope.shortFactors
      return zip(plain, factors).map { $0 / Double($1) }
    }
  }

  /// Factor of cosines and sines.
  public var attentionFactor: Double {
    switch scaling {
    case .yarn(let yarn): amplitude * yarn.attentionFactor
    case .longRope(let rope): amplitude * rope.attentionFactor
    default: amplitude
    }
  }

  /// Which set of frequencies a sequence uses, where that depends on its length.
  func regime(length: Int) -> Int {
    switch scaling {
    case .dynamic(_, let trained): length > trained ? length : 0
    case .longRope(let rope): length > rope.originalContext ? 1 : 0
    default: 0
    }
  }

  private func frequencies(base: Double) -> [Double] {
    (0..<dimensions / 2).map { pow(base, -2 * Double($0) / Double(dimensions)) }
  }
}

extension Architecture.YaRN {
  /// Equations 20 to 23 of the paper, the ramp over pairs of values as in its published code.
  fileprivate func applied(to plain: [Double], base: Double, dimensions: Int) -> [Double] {
    func pair(turning turns: Double) -> Double {
      Double(dimensions) * log(Double(originalContext) / (turns * 2 * .pi)) / (2 * log(base))
    }
    var (first, last) = (pair(turning: fastTurns), pair(turning: slowTurns))
    if truncatesRamp { (first, last) = (first.rounded(.down), last.rounded(.up)) }
    (first, last) = (max(first, 0), min(last, Double(dimensions - 1)))
    if first == last { last += 0.001 }
    return plain.enumerated().map { pair, frequency in
      let divided = min(max((Double(pair) - first) / (last - first), 0), 1)
      return frequency / factor * divided + frequency * (1 - divided)
    }
  }
}
