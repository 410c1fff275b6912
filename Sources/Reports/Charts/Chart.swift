/// Something that can be shown as a picture and read as a table.
public protocol Chart: Sendable {
  var title: String { get }
  /// A whole SVG document, which may also stand inline in HTML.
  var svg: String { get }
  /// The numbers shown.
  var table: CSV { get }
}
