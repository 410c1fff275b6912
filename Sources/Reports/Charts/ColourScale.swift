/// Colours for numbers.
enum ColourScale: Sendable {
  /// From light to dark, for values that only grow.
  case sequential
  /// From blue over white at 0 to orange.
  case diverging

  /// The range that covers `values`; around 0, as far on one side as on the other.
  func range(over values: [Double]) -> ClosedRange<Double> {
    let low = values.min() ?? 0
    let high = values.max() ?? 1
    switch self {
    case .sequential: return low < high ? low...high : low...(low + 1)
    case .diverging:
      let reach = max(abs(high), abs(low))
      return reach > 0 ? -reach...reach : -1...1
    }
  }

  /// Red, green and blue, each 0…1, for a share 0…1 of the range.
  func colour(_ share: Double) -> SIMD3<Double> {
    let stops = self == .sequential ? Self.sequentialStops : Self.divergingStops
    let place = min(max(share, 0), 1) * Double(stops.count - 1)
    let index = min(Int(place), stops.count - 2)
    let rest = place - Double(index)
    return (stops[index] * (1 - rest) + stops[index + 1] * rest) / 255
  }

  /// Even in lightness from near white to dark blue.
  private static let sequentialStops: [SIMD3<Double>] = [
    [247, 251, 255], [208, 225, 242], [148, 196, 223], [74, 152, 201], [23, 100, 171],
    [8, 48, 107],
  ]
  private static let divergingStops: [SIMD3<Double>] = [
    [5, 64, 120], [53, 125, 184], [146, 190, 220], [247, 247, 247], [244, 176, 124],
    [205, 98, 30], [127, 45, 0],
  ]

  static func hexadecimal(_ colour: SIMD3<Double>) -> String {
    let parts = (0..<3).map { index in
      let text = String(Int((colour[index] * 255).rounded()), radix: 16)
      return text.count == 1 ? "0\(text)" : text
    }
    return "#" + parts.joined()
  }

  /// Whether dark text reads better than white on `colour` (relative luminance of WCAG 2).
  static func wantsDarkText(_ colour: SIMD3<Double>) -> Bool {
    // Squares are close enough to the sRGB curve for this choice.
    let luminance = (colour * colour * SIMD3(0.2126, 0.7152, 0.0722)).sum()
    return luminance > 0.2
  }
}
