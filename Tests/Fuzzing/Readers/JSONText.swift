import Foundation
import TensorCore

extension FuzzedReader {
  /// JSON text that is read, written and read again stays the same value.
  static func readJSON(_ bytes: [UInt8]) throws {
    let value = try JSONValue(parsing: Data(bytes), place: "input")
    for text in [value.text, value.prettyText] {
      let again = try JSONValue(parsing: Data(text.utf8), place: "the value as it is written")
      precondition(again.text == value.text, "the value changes when it is written and read")
    }
  }
}
