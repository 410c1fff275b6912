/// A table as comma-separated values (RFC 4180, with plain line feeds).
public struct CSV: Sendable, Equatable {
  public var header: [String]
  public var rows: [[String]]

  public init(header: [String], rows: [[String]]) {
    self.header = header
    self.rows = rows
  }

  /// The whole file.
  public var text: String {
    ([header] + rows).map { $0.map(Self.quoted).joined(separator: ",") + "\n" }.joined()
  }

  /// A number in the fewest digits that read back as the same; empty where it is missing or not a
  /// number, `inf` or `-inf` where it has no bound.
  public static func number(_ value: Double?) -> String {
    guard let value, !value.isNaN else { return "" }
    if value.isInfinite { return value < 0 ? "-inf" : "inf" }
    return Int(exactly: value).map(String.init) ?? String(value)
  }

  private static func quoted(_ cell: String) -> String {
    let isPlain = !cell.unicodeScalars.contains { "\",\n\r".unicodeScalars.contains($0) }
    let isTrimmed = cell.first?.isWhitespace != true && cell.last?.isWhitespace != true
    guard !(isPlain && isTrimmed) else { return cell }
    var text = "\""
    for scalar in cell.unicodeScalars {
      if scalar == "\"" { text += "\"" }
      text.unicodeScalars.append(scalar)
    }
    return text + "\""
  }
}
