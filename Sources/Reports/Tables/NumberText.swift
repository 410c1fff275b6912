import Foundation

// One way to write numbers. For people: a true minus sign, “∞”, and a dash for what is not a number.
// In JSON: null for what is not finite. In CSV: an empty cell for what is not a number, and the words
// inf and -inf, which pandas and R read.

/// `value` with a fixed number of digits after the point and a true minus sign; ∞ or −∞, and a dash
/// for what is not a number.
public func formatted(_ value: Double, digits: Int) -> String {
  guard value.isFinite else { return value.isNaN ? "–" : value < 0 ? "−∞" : "∞" }
  let text = String(format: "%.\(max(0, digits))f", abs(value))
  return value < 0 && !isZero(text) ? "−\(text)" : text
}

/// `formatted`, with a plus sign before what is above zero: for changes and differences.
public func formattedSigned(_ value: Double, digits: Int) -> String {
  let text = formatted(value, digits: digits)
  return value > 0 && !isZero(text) ? "+\(text)" : text
}

private func isZero(_ text: String) -> Bool { text.allSatisfy { $0 == "0" || $0 == "." } }

/// `value` in at most `digits` significant digits, with powers of ten where it is very large or small.
public func formattedShort(_ value: Double, digits: Int = 6) -> String {
  guard value.isFinite else { return formatted(value, digits: 0) }
  // Adding zero turns −0 into 0.
  return String(format: "%.\(max(1, digits))g", value + 0).replacingOccurrences(of: "-", with: "−")
}

/// `0.81 [0.74, 0.87]`, with ∞ for an end that the data do not bound; the value alone where an end is
/// not known.
public func formattedInterval(
  _ value: Double, _ low: Double?, _ high: Double?, digits: Int
) -> String {
  let text = formatted(value, digits: digits)
  guard value.isFinite, let low, let high, !low.isNaN, !high.isNaN else { return text }
  return "\(text) [\(formatted(low, digits: digits)), \(formatted(high, digits: digits))]"
}

/// `p = 0.003`, with a fourth digit where three would hide on which side of 0.05 or 0.001 it is,
/// `p < 0.0001` below that.
public func formattedPValue(_ p: Double) -> String {
  guard p.isFinite else { return "p = –" }
  if p < 0.0001 { return "p < 0.0001" }
  let isNearLevel = p != 0.05 && abs(p - 0.05) < 0.0005
  return "p = \(formatted(p, digits: p < 0.001 || isNearLevel ? 4 : 3))"
}

/// `43 %` or, with digits, `43.2 %`, of a share such as 0.43.
public func formattedPercent(_ share: Double, digits: Int = 0) -> String {
  share.isFinite
    ? "\(formatted(share * 100, digits: digits))\u{A0}%" : formatted(share, digits: digits)
}
