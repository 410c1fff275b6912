import Glibc

/// An exponential moving average of weights, its half-life counted in samples (Karras et al. 2022).
public struct MovingAverage: Sendable {
  /// Samples after which a weight's share has halved.
  public var halfLife: Double
  /// Early in training the half-life is at most this share of the samples seen; none if nil.
  public var rampUp: Double?
  public private(set) var weights: Parameters

  public init(_ weights: Parameters, halfLife: Double, rampUp: Double? = 0.05) {
    self.weights = weights
    self.halfLife = halfLife
    self.rampUp = rampUp
  }

  /// The share of the average that stays when a batch of `batch` samples follows `seen` others.
  public func decay(seen: Int, batch: Int) -> Double {
    let halfLife = min(halfLife, rampUp.map { Double(seen) * $0 } ?? halfLife)
    return pow(0.5, Double(batch) / max(halfLife, 1e-8))
  }

  /// `average = new + decay · (average − new)`.
  ///
  /// - Parameters:
  ///   - seen: samples seen before this batch; batch: samples of this batch.
  public mutating func update(_ new: Parameters, seen: Int, batch: Int) {
    let decay = Float(decay(seen: seen, batch: batch))
    for (name, tensor) in new.pairs {
      let source = tensor.storage
      weights.update(name) { average in
        precondition(
          average.shape == tensor.shape,
          "moving average of shape \(average.shape) of a parameter of shape \(tensor.shape)")
        let count = average.count
        average.withMutablePointer { target in
          let target = MatrixView(target, stride: 0)
          Compute.pool.forEachRange(of: count, grain: Compute.grain) { range in
            let (out, x) = (target.row(0) + range.lowerBound, source.pointer + range.lowerBound)
            mapLanes(out, x, count: range.count, into: out) { ($0 - $1) * decay + $1 }
          }
        }
      }
    }
  }
}
