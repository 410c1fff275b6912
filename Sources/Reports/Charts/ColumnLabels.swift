import Foundation

/// Labels below columns: level where they fit, in up to four lines, and slanted where not. Of
/// numbers, and of labels on columns narrower than a line of text, some are left out.
struct ColumnLabels: Sendable {
  /// Lines of every label; none for one that is left out.
  private let labels: [[String]]
  private let slot: Double
  private let left: Double
  private let top: Double
  private let isSlanted: Bool

  private static let angle = 50.0
  private static let lengthLimit = 150.0
  /// Pixels between slanted labels, along the axis.
  private static let slantedPitch = 18.5
  private static let size = ChartStyle.tickSize

  init(_ labels: [String], slot: Double, left: Double, top: Double) {
    self.slot = slot
    self.left = left
    self.top = top
    let widest = labels.map { TextMetrics.width($0, size: Self.size) }.max() ?? 0
    if widest <= slot - 4 || labels.allSatisfy({ Double($0) != nil }) {
      isSlanted = false
      let every = Self.step(atLeast: (widest + 6) / slot)
      self.labels = labels.enumerated().map { $0 % every == 0 ? [$1] : [] }
    } else if let wrapped = Self.wrapped(labels, slot: slot) {
      isSlanted = false
      self.labels = wrapped
    } else {
      isSlanted = true
      let every = Self.step(atLeast: Self.slantedPitch / slot)
      self.labels = labels.enumerated().map { index, label in
        guard index % every == 0 else { return [] }
        // A slanted label reaches to the left, and must not leave the picture.
        let end = left + (Double(index) + 0.5) * slot
        let room = (end - 8) / cos(Self.angle * .pi / 180)
        return [
          TextMetrics.shortened(label, size: Self.size, limit: min(room, Self.lengthLimit))
        ]
      }
    }
  }

  /// How many columns or rows share a label, so that labels stand at round places: 1, 2, 5, 10, …
  static func step(atLeast least: Double) -> Int {
    [1, 2, 5, 10, 20, 50, 100].first { Double($0) >= least } ?? Int(least.rounded(.up))
  }

  /// Nil where a word is wider than a column or a label takes more than four lines.
  private static func wrapped(_ labels: [String], slot: Double) -> [[String]]? {
    let lines = labels.map { TextMetrics.lines($0, size: size, limit: slot - 6) }
    let fits = lines.allSatisfy { label in
      label.count <= 4 && label.allSatisfy { TextMetrics.width($0, size: size) <= slot - 6 }
    }
    return fits ? lines : nil
  }

  var height: Double {
    let lineHeight = ChartStyle.lineHeight(Self.size)
    guard isSlanted else { return lineHeight * Double(labels.map(\.count).max() ?? 1) }
    let longest = labels.joined().map { TextMetrics.width($0, size: Self.size) }.max() ?? 0
    return longest * sin(Self.angle * .pi / 180) + 14
  }

  func draw(_ drawing: inout Drawing) {
    for (index, lines) in labels.enumerated() where !lines.isEmpty {
      let x = left + (Double(index) + 0.5) * slot
      if isSlanted {
        drawing.text(
          lines, x: x + 4, y: top + 10, anchor: .end, colour: ChartStyle.quiet,
          rotation: -Self.angle)
      } else {
        drawing.text(lines, x: x, y: top + 11, anchor: .middle, colour: ChartStyle.quiet)
      }
    }
  }
}
