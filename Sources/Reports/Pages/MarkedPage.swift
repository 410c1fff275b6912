import TensorCore

/// A Markdown page with tables that a command writes anew: each is what lies between the lines `<!-- KIND NAME -->` and
/// `<!-- end -->`.
public struct MarkedPage {
  public private(set) var text: String
  private let path: String

  /// - Throws: `UserError` where the file cannot be read.
  public init(contentsOf path: String) throws {
    self.path = path
    text = String(decoding: try Files.read(path), as: UTF8.self)
  }

  /// Writes the tables of `kind` anew.
  ///
  /// - Parameter table: by the name behind the kind.
  /// - Throws: `UserError` where a table does not end, or there is none, and what `table` throws.
  public mutating func fill(_ kind: String, table: (_ name: String) throws -> HTMLTable) throws {
    let mark = "<!-- \(kind) "
    var (page, rest, tables) = ("", text[...], 0)
    while let begin = rest.firstRange(of: mark),
      let close = rest[begin.upperBound...].firstRange(of: " -->\n")
    {
      let name = String(rest[begin.upperBound..<close.lowerBound])
      guard let end = rest[close.upperBound...].firstRange(of: "<!-- end -->") else {
        throw UserError(
          "the table of \(name) does not end", at: path, remedy: "add a line <!-- end -->")
      }
      page += rest[..<close.upperBound] + "\n" + (try table(name)).markdown + "\n"
      rest = rest[end.lowerBound...]
      tables += 1
    }
    guard tables > 0 else {
      throw UserError(
        "there is no table of \(kind)", at: path,
        remedy: "add the lines \(mark)NAME --> and <!-- end -->")
    }
    text = page + rest
  }
}
