/// A picture with its numbers and caption: one value for the inline figure and the two files that
/// lie beside the page.
public struct Figure: Sendable {
  /// Stem of the file names; only letters, digits, dots, dashes and underscores.
  public let name: String
  public let svg: String
  public let csv: CSV
  public let caption: String

  /// - Parameter name: Other characters than a file name should have become dashes.
  public init(name: String, svg: String, csv: CSV, caption: String) {
    let kept = name.map { character in
      character.isASCII && (character.isLetter || character.isNumber || "._-".contains(character))
        ? character : "-"
    }
    let stem = String(String(kept).drop { $0 == "." })
    self.name = stem.isEmpty ? "figure" : stem
    self.svg = svg
    self.csv = csv
    self.caption = caption
  }

  public init(name: String, chart: some Chart, caption: String) {
    self.init(name: name, svg: chart.svg, csv: chart.table, caption: caption)
  }

  /// The files to write beside the page.
  public var files: [(name: String, contents: String)] {
    [(name: "\(name).svg", contents: svg + "\n"), (name: "\(name).csv", contents: csv.text)]
  }
}
