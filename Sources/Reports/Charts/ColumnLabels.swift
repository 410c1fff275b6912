import Foundation

/// Labels below columns: level where they fit, slanted where not. Of numbers, and of labels on
/// columns narrower than a line of text, some are left out.
struct ColumnLabels: Sendable {
  private let labels: [String]
  private let slot: Double
  private let left: Double
  private let top: Double
  private let isSlanted: Bool
  /// One label in so many columns.
  private let every: Int

  private static let angle = 50.0
  private static let lengthLimit = 130.0

  init(_ labels: [String], slot: Double, left: Double, top: Double) {
    let size = ChartStyle.tickSize
    let widest = labels.map { TextMetrics.width($0, size: size) }.max() ?? 0
    isSlanted = widest > slot - 4 && !labels.allSatisfy { Double($0) != nil }
    every = max(1, Int(((isSlanted ? 15 : widest + 4) / slot).rounded(.up)))
    self.labels = labels.map {
      TextMetrics.shortened($0, size: size, limit: Self.lengthLimit)
    }
    self.slot = slot
    self.left = left
    self.top = top
  }

  var height: Double {
    guard isSlanted else { return ChartStyle.lineHeight(ChartStyle.tickSize) }
    let longest = labels.map { TextMetrics.width($0, size: ChartStyle.tickSize) }.max() ?? 0
    return longest * sin(Self.angle * .pi / 180) + 12
  }

  func draw(_ drawing: inout Drawing) {
    for (index, label) in labels.enumerated() where index % every == 0 {
      let x = left + (Double(index) + 0.5) * slot
      if isSlanted {
        drawing.text(
          [label], x: x + 4, y: top + 8, anchor: .end, colour: ChartStyle.quiet,
          rotation: -Self.angle)
      } else {
        drawing.text([label], x: x, y: top + 11, anchor: .middle, colour: ChartStyle.quiet)
      }
    }
  }
}
