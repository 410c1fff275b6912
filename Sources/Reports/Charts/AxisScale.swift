import Foundation

/// A range of values and the round numbers marked on it.
struct AxisScale: Sendable, Equatable {
  let low: Double
  let high: Double
  let ticks: [Double]
  /// Digits after the point that tell neighbouring ticks apart.
  let digits: Int

  /// The range of `values`, which must be finite, widened by a share of itself on both sides.
  ///
  /// - Parameters:
  ///   - count: Roughly how many ticks.
  ///   - isWhole: Whether only whole numbers may be ticks.
  init(over values: [Double], padding: Double = 0, count: Int, isWhole: Bool = false) {
    let range = Self.range(of: values)
    let span = range.upperBound - range.lowerBound
    let rounded = Self.roundStep(span / Double(count))
    let step = isWhole ? max(1, rounded.rounded(.up)) : rounded
    low = range.lowerBound - padding * span
    high = range.upperBound + padding * span
    let first = (low / step - 1e-9).rounded(.up)
    let last = (high / step + 1e-9).rounded(.down)
    // Adding zero turns −0 into 0.
    ticks = first <= last ? stride(from: first, through: last, by: 1).map { $0 * step + 0 } : []
    digits =
      (0...12).first { digits in
        let scaled = step * pow(10, Double(digits))
        return scaled > 0.5 && abs(scaled - scaled.rounded()) < 1e-6 * scaled
      } ?? 12
  }

  func label(_ tick: Double) -> String {
    max(abs(low), abs(high)) >= 1e7 || (digits > 6 && tick != 0)
      ? formattedShort(tick)
      : formatted(tick, digits: digits)
  }

  /// Where `value` lies between 0 at the low and 1 at the high end.
  func share(_ value: Double) -> Double { (value - low) / (high - low) }

  private static func range(of values: [Double]) -> ClosedRange<Double> {
    guard let low = values.min(), let high = values.max() else { return 0...1 }
    guard high - low > abs(high) * 1e-12 else {
      let half = low == 0 ? 0.5 : abs(low) / 2
      return (low - half)...(low + half)
    }
    return low...high
  }

  /// 1, 2 or 5 times a power of ten, about `step`.
  static func roundStep(_ step: Double) -> Double {
    guard step > 0, step.isFinite else { return 1 }
    let power = pow(10, log10(step).rounded(.down))
    let factor = [1, 2, 5].first { $0 * power >= step * 0.75 } ?? 10
    return factor * power
  }
}
