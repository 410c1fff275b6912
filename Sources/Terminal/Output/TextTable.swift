/// A table as aligned text.
public struct TextTable: Sendable {
  public enum Alignment: Sendable { case left, right }

  public var headers: [String]
  /// Cells by row; missing ones are empty. Cells may carry `TextStyle` sequences.
  public var rows: [[String]]
  /// Nil for columns of numbers to the right and others to the left.
  public var alignments: [Alignment]?

  public init(headers: [String], rows: [[String]], alignments: [Alignment]? = nil) {
    self.headers = headers
    self.rows = rows
    self.alignments = alignments
  }

  /// The table with a rule below its header.
  ///
  /// - Parameter width: Columns to keep within, if possible, by shortening the widest texts.
  public func text(
    width limit: Int? = nil, usesUnicode: Bool = true, style: TextStyle = .plain
  ) -> String {
    let count = max(headers.count, rows.map(\.count).max() ?? 0)
    guard count > 0 else { return "" }
    let cells = rows.map { filled($0, to: count) }
    let aligned = (0..<count).map { alignment(of: $0, in: cells) }
    func shown(_ cells: [String]) -> [String] {
      usesUnicode ? cells : cells.map(TextNumber.ascii)
    }
    let header = shown(filled(headers, to: count))
    let body = cells.map(shown)
    var widths = (0..<count).map { column in
      ([header] + body).map { TextWidth.columns($0[column]) }.max() ?? 0
    }
    if let limit { shrink(&widths, to: limit, aligned) }
    let sign = usesUnicode ? "…" : "~"
    let line = { (cells: [String]) -> String in
      let padded = (0..<count).map { column in
        TextWidth.padded(
          TextWidth.shortened(cells[column], to: widths[column], sign: sign),
          to: widths[column], right: aligned[column] == .right)
      }
      return TextWidth.trimmedRight(padded.joined(separator: "  "))
    }
    let rule = widths.map { String(repeating: usesUnicode ? "─" : "-", count: $0) }
    let lines =
      [style.bold(line(header)), style.dim(rule.joined(separator: "  "))] + body.map(line)
    return lines.map { $0 + "\n" }.joined()
  }

  private func filled(_ cells: [String], to count: Int) -> [String] {
    cells.map(oneLine) + [String](repeating: "", count: count - cells.count)
  }

  private func oneLine(_ text: String) -> String {
    String(text.map { $0.isNewline || $0 == "\t" ? " " : $0 })
  }

  private func alignment(of column: Int, in body: [[String]]) -> Alignment {
    if let alignments, column < alignments.count { return alignments[column] }
    let cells = body.map { $0[column] }.filter { !$0.isEmpty }
    let isNumeric =
      cells.contains(where: isNumber) && cells.allSatisfy { isNumber($0) || isGap($0) }
    return isNumeric ? .right : .left
  }

  /// Numbers with signs, percent signs and intervals: `−0.12`, `12 %`, `0.81 [0.74, ∞]`.
  private func isNumber(_ cell: String) -> Bool {
    cell.contains { $0.isNumber || $0 == "∞" }
      && cell.allSatisfy { $0.isNumber || " .,+-−–±×%∞[]()e".contains($0) }
  }

  private func isGap(_ cell: String) -> Bool { ["-", "–", "—", "nan", "n/a"].contains(cell) }

  /// Takes columns from the widest texts; numbers are never cut.
  private func shrink(_ widths: inout [Int], to limit: Int, _ aligned: [Alignment]) {
    let gaps = 2 * (widths.count - 1)
    var excess = widths.reduce(gaps, +) - limit
    while excess > 0 {
      let texts = widths.indices.filter { aligned[$0] == .left && widths[$0] > 8 }
      guard let widest = texts.max(by: { widths[$0] < widths[$1] }) else { return }
      widths[widest] -= 1
      excess -= 1
    }
  }
}
