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
  /// - Parameter width: Columns to keep within. The widest texts are wrapped as far as they stay
  ///   readable; where that is not enough, every row becomes a block of lines, one a column.
  ///   Nothing is left out, and numbers are never broken unless one alone is wider.
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
    if let limit, !shrink(&widths, to: limit, aligned) {
      return stacked(header, body, width: limit, usesUnicode: usesUnicode, style: style)
    }
    let lines = { (cells: [String]) -> [String] in
      let wrapped = (0..<count).map { column in
        TextWidth.columns(cells[column]) <= widths[column]
          ? [cells[column]] : TextWrapping.lines(cells[column], width: widths[column])
      }
      return (0..<(wrapped.map(\.count).max() ?? 0)).map { row in
        let padded = (0..<count).map { column in
          TextWidth.padded(
            row < wrapped[column].count ? wrapped[column][row] : "", to: widths[column],
            right: aligned[column] == .right)
        }
        return TextWidth.trimmedRight(padded.joined(separator: "  "))
      }
    }
    let rule = widths.map { String(repeating: usesUnicode ? "─" : "-", count: $0) }
    let all =
      lines(header).map(style.bold) + [style.dim(rule.joined(separator: "  "))]
      + body.flatMap(lines)
    return all.map { $0 + "\n" }.joined()
  }

  /// The table as a device shows it; in a file or pipe without `COLUMNS`, every row is one line.
  public func text(on device: TerminalDevice) -> String {
    text(
      width: device.hasWidth ? device.width : nil, usesUnicode: device.usesUnicode,
      style: device.style)
  }

  /// Every row as lines of `header  cell`, below its first cell.
  private func stacked(
    _ header: [String], _ body: [[String]], width: Int, usesUnicode: Bool, style: TextStyle
  ) -> String {
    var lines: [String] = []
    let names = header.dropFirst().map(TextWidth.columns).max() ?? 0
    let nameWidth = min(names, max(4, width / 3))
    for row in body {
      let title = row[0].isEmpty ? header[0] : row[0]
      lines += TextWrapping.lines(title, width: width).map(style.bold)
      for (name, cell) in zip(header, row).dropFirst() where !cell.isEmpty {
        let room = width - nameWidth - 4
        let isBeside = TextWidth.columns(cell) <= room && TextWidth.columns(name) <= nameWidth
        if isBeside {
          lines.append("  " + style.dim(TextWidth.padded(name, to: nameWidth)) + "  " + cell)
        } else {
          // What does not fit beside its name stands below it.
          lines += TextWrapping.lines(name, width: width - 2).map { "  " + style.dim($0) }
          lines += TextWrapping.lines(cell, width: width - 4).map { "    " + $0 }
        }
      }
    }
    if body.isEmpty { lines = TextWrapping.lines(header, width: width) }
    return lines.map { TextWidth.trimmedRight($0) + "\n" }.joined()
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

  /// Takes columns from the widest texts, whose lines keep at least `leastText` columns; false where
  /// that does not reach `limit`.
  private func shrink(_ widths: inout [Int], to limit: Int, _ aligned: [Alignment]) -> Bool {
    let gaps = 2 * (widths.count - 1)
    var excess = widths.reduce(gaps, +) - limit
    while excess > 0 {
      let texts = widths.indices.filter { aligned[$0] == .left && widths[$0] > Self.leastText }
      guard let widest = texts.max(by: { widths[$0] < widths[$1] }) else { return false }
      widths[widest] -= 1
      excess -= 1
    }
    return true
  }

  private static let leastText = 12
}
