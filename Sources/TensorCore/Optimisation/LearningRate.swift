/// A learning rate that rises from 0 to its full value while the first samples are seen, and may fall
/// to 0 at the end.
public struct LearningRate: Sendable, Equatable {
  public var rate: Float
  /// Samples until the full rate is reached; 0 for none.
  public var rampUp: Int
  /// Samples of the whole run and of the linear descent at its end; none if nil.
  public var descent: (total: Int, length: Int)?

  public init(_ rate: Float, rampUp: Int = 0, descent: (total: Int, length: Int)? = nil) {
    self.rate = rate
    self.rampUp = rampUp
    self.descent = descent
  }

  /// The rate after `seen` samples.
  public func value(seen: Int) -> Float {
    var factor = min(Double(seen) / Double(max(rampUp, 1)), 1)
    if rampUp == 0 { factor = 1 }
    if let descent, descent.length > 0 {
      factor = min(factor, max(Double(descent.total - seen) / Double(descent.length), 0))
    }
    return Float(Double(rate) * factor)
  }

  public static func == (a: LearningRate, b: LearningRate) -> Bool {
    a.rate == b.rate && a.rampUp == b.rampUp && a.descent?.total == b.descent?.total
      && a.descent?.length == b.descent?.length
  }
}
