import Foundation

/// `value` with a fixed number of digits after the point and a true minus sign; a dash for a number
/// that is not finite.
public func formatted(_ value: Double, digits: Int) -> String {
  guard value.isFinite else { return value.isNaN ? "–" : value < 0 ? "−∞" : "∞" }
  let text = String(format: "%.\(max(0, digits))f", abs(value))
  let isZero = text.allSatisfy { $0 == "0" || $0 == "." }
  return value < 0 && !isZero ? "−\(text)" : text
}

/// `0.81 [0.74, 0.87]`; the value alone where an end is missing.
public func formattedInterval(
  _ value: Double, _ low: Double?, _ high: Double?, digits: Int
) -> String {
  let text = formatted(value, digits: digits)
  guard value.isFinite, let low, let high, !low.isNaN, !high.isNaN else { return text }
  return "\(text) [\(formatted(low, digits: digits)), \(formatted(high, digits: digits))]"
}

/// `p = 0.003`, with a fourth digit below 0.001, `p < 0.0001` below that.
public func formattedPValue(_ p: Double) -> String {
  guard p.isFinite else { return "p = –" }
  if p < 0.0001 { return "p < 0.0001" }
  return "p = \(formatted(p, digits: p < 0.001 ? 4 : 3))"
}

/// `43 %` or, with digits, `43.2 %`, of a share such as 0.43.
public func formattedPercent(_ share: Double, digits: Int = 0) -> String {
  share.isFinite ? "\(formatted(share * 100, digits: digits))\u{A0}%" : "–"
}
