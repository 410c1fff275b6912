import Foundation
import TensorCore

/// A task file as it lies on the disk: one JSON object, or a header object and then an item a line.
struct TaskLines {
  /// The object with everything but, in a file of lines, the items.
  let header: JSONReader
  /// One reader for each line of an item; nil where the header holds the items.
  let items: [JSONReader]?
  /// The file.
  let place: String
  /// SHA-256 of the content: the same for any layout, order of keys, or schema.
  let digest: String

  init(whole reader: JSONReader) {
    header = reader
    items = nil
    place = reader.place
    digest = SHA256.hash(of: Data(reader.value.taskText.utf8))
  }

  /// Reads JSON lines; empty ones count but say nothing.
  ///
  /// - Throws: `UserError` naming the line.
  init(contentsOf path: String) throws {
    let data = try Files.read(path)
    var readers: [JSONReader] = []
    for (number, line) in data.split(separator: 0x0A, omittingEmptySubsequences: false).enumerated()
    where !line.allSatisfy({ $0 == 0x20 || $0 == 0x0D || $0 == 0x09 }) {
      let place = "\(path):\(number + 1)"
      readers.append(JSONReader(try JSONValue(parsing: Data(line), place: place), place: place))
    }
    guard let first = readers.first else {
      throw UserError(
        "the file holds no task", at: path,
        remedy: "begin with a line that holds an object with name, kind and template")
    }
    header = first
    let items = Array(readers.dropFirst())
    self.items = items
    place = path
    let texts = [first.value.taskText] + items.map(\.value.text)
    digest = SHA256.hash(of: Data(texts.joined(separator: "\n").utf8))
  }
}

extension JSONValue {
  /// Text that is the same for equal content: keys of objects sorted, no layout, and without the
  /// schema, which editors read.
  fileprivate var taskText: String {
    guard case .object(let pairs) = self else { return text }
    return JSONValue.object(pairs.filter { $0.key != "$schema" }).withSortedKeys.text
  }

  private var withSortedKeys: JSONValue {
    switch self {
    case .object(let pairs):
      .object(
        pairs.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
          .map { (key: $0.key, value: $0.value.withSortedKeys) })
    case .array(let values): .array(values.map(\.withSortedKeys))
    default: self
    }
  }
}
