import Foundation
import TensorCore
import Testing

/// Reference numbers in this target's resources.
enum Golden {
  static let folder = Bundle.module.resourcePath ?? ""

  static func json(_ name: String) throws -> JSONReader {
    try JSONReader(contentsOf: "\(folder)/\(name)")
  }

  static func tensor(_ name: String, of file: String) throws -> Tensor {
    let file = try SafetensorsFile("\(folder)/\(file)")
    return Tensor(try file.floats(name), shape: try file.shape(of: name))
  }
}

extension JSONReader {
  /// The reader of one key, whatever other keys there are.
  func at(_ key: String) throws -> JSONReader {
    let found = try entries().first { $0.0 == key }?.1
    return try #require(found, "no key \(key) in \(place)")
  }

  func numbers() throws -> [Double] { try list().map { try $0.number() } }
}

/// Expects a user's error that is told in one line with all of `parts`.
func expectUserError(
  _ parts: String..., sourceLocation: SourceLocation = #_sourceLocation,
  from body: () throws -> Void
) {
  do {
    try body()
    Issue.record("no error was thrown", sourceLocation: sourceLocation)
  } catch {
    #expect(error is UserError, "\(error)", sourceLocation: sourceLocation)
    let line = "\(error)"
    #expect(line.count(where: \.isNewline) == 0, sourceLocation: sourceLocation)
    for part in parts {
      #expect(line.contains(part), "\(line)", sourceLocation: sourceLocation)
    }
  }
}
