/// A learning rate that rises from 0 to its full value while the first samples are seen, and may decay
/// to 0 at the end.
public struct LearningRate: Sendable, Equatable {
  public var rate: Float
  /// Samples until the full rate is reached; 0 for none.
  public var rampUp: Int
  /// Samples of the whole run and of the linear decay at its end; none if nil.
  public var decay: (total: Int, length: Int)?

  public init(_ rate: Float, rampUp: Int = 0, decay: (total: Int, length: Int)? = nil) {
    self.rate = rate
    self.rampUp = rampUp
    self.decay = decay
  }

  /// One that decays over the share `decay` of a run of `total` samples, at its end.
  public init(_ rate: Float, rampUp: Int = 0, decay: Double, of total: Int) {
    self.init(rate, rampUp: rampUp, decay: (total, Int((decay * Double(total)).rounded())))
  }

  /// The rate after `seen` samples.
  public func value(seen: Int) -> Float {
    var factor = min(Double(seen) / Double(max(rampUp, 1)), 1)
    if rampUp == 0 { factor = 1 }
    if let decay, decay.length > 0 {
      factor = min(factor, max(Double(decay.total - seen) / Double(decay.length), 0))
    }
    return Float(Double(rate) * factor)
  }

  public static func == (a: LearningRate, b: LearningRate) -> Bool {
    a.rate == b.rate && a.rampUp == b.rampUp && a.decay?.total == b.decay?.total
      && a.decay?.length == b.decay?.length
  }
}
