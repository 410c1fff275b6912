import Foundation

/// Labels below columns: level where they fit, slanted where not, some left out where the columns
/// are narrower than a line of text.
struct ColumnLabels: Sendable {
  private let labels: [String]
  private let slot: Double
  private let left: Double
  private let top: Double
  private let isSlanted: Bool

  private static let angle = 50.0
  private static let lengthLimit = 130.0

  init(_ labels: [String], slot: Double, left: Double, top: Double) {
    let size = ChartStyle.tickSize
    isSlanted = labels.contains { TextMetrics.width($0, size: size) > slot - 4 }
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
    let every = isSlanted ? max(1, Int((15 / slot).rounded(.up))) : 1
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
