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
