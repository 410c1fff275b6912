import Foundation
import TensorCore

/// Results by name: a flat map, kept in a file from run to run.
struct Results {
  private(set) var numbers: [(name: String, value: Double)] = []

  mutating func set(_ name: String, _ value: Double) {
    numbers.removeAll { $0.name == name }
    numbers.append((name, value))
  }

  /// Puts these numbers among those that the file at `path` already holds.
  func merge(into path: String) throws {
    var all: [String: JSONValue] = [:]
    if FileManager.default.fileExists(atPath: path),
      case .object(let pairs) = try JSONValue(contentsOf: path)
    {
      for pair in pairs { all[pair.key] = pair.value }
    }
    for (name, value) in numbers { all[name] = .number(value) }
    let object = JSONValue.object(
      all.sorted { $0.key < $1.key }.map { (key: $0.key, value: $0.value) })
    try Files.makeFolder((path as NSString).deletingLastPathComponent)
    try Files.write(Data(object.prettyText.utf8), to: path)
  }
}
