import TensorCore

/// What running some variants again in full has shown.
public struct Verification: Sendable, Equatable {
  /// Variants run again, and the largest deviation of a logit among them.
  public var variants: Int
  public var largestDeviation: Float

  /// A deviation beyond this is no rounding.
  public static let tolerance: Float = 1e-3

  public init(variants: Int = 0, largestDeviation: Float = 0) {
    self.variants = variants
    self.largestDeviation = largestDeviation
  }

  /// Both together; a deviation that is not a number stays one.
  public func adding(_ other: Verification) -> Verification {
    Verification(
      variants: variants + other.variants,
      largestDeviation: other.largestDeviation > largestDeviation || other.largestDeviation.isNaN
        ? other.largestDeviation : largestDeviation)
  }

  /// Why the run's numbers are not to be trusted; nil where they are.
  public var problem: String? {
    largestDeviation <= Self.tolerance
      ? nil
      : "a patched run differs from the same run in full by \(largestDeviation) logits, allowed is "
        + "\(Self.tolerance)"
  }
}

extension Verification {
  /// What a manifest says of it.
  public var json: JSONValue {
    [
      "variants": .integer(variants), "largest_deviation": .number(Double(largestDeviation)),
    ]
  }

  /// - Throws: `UserError` naming the key, where somebody edited the manifest.
  public init(_ saved: JSONValue, place: String) throws {
    self.init()
    guard saved != .null else { return }
    let fields = try JSONReader(saved, place: place)
      .object(required: ["variants", "largest_deviation"])
    variants = try fields["variants"]?.integer(in: 0...Int(Int32.max)) ?? 0
    largestDeviation = Float(try fields["largest_deviation"]?.number() ?? 0)
  }
}
