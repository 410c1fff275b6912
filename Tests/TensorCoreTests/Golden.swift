import Foundation
import TensorCore
import Testing

/// Reference numbers in this target's resources.
enum Golden {
  static let folder = (Bundle.module.resourcePath ?? "") + "/edm"

  static func tensors(_ name: String) throws -> SafetensorsFile {
    try SafetensorsFile("\(folder)/\(name).safetensors")
  }

  static func json(_ name: String) throws -> JSONReader {
    try JSONReader(contentsOf: "\(folder)/\(name).json")
  }
}

extension JSONReader {
  /// The reader of one key, whatever other keys there are.
  func at(_ key: String) throws -> JSONReader {
    try #require(entries().first { $0.0 == key }?.1, "no key \(key) in \(place)")
  }

  func floats() throws -> [Float] { try list().map { Float(try $0.number()) } }
}

/// max |a − b| ≤ tolerance · max |b|.
func expectClose(
  _ value: Tensor, _ expected: Tensor, _ tolerance: Float, _ name: String,
  sourceLocation: SourceLocation = #_sourceLocation
) {
  #expect(value.shape == expected.shape, "\(name)", sourceLocation: sourceLocation)
  guard value.shape == expected.shape else { return }
  let scale = expected.values.reduce(0) { max($0, abs($1)) }
  let error = zip(value.values, expected.values).reduce(0) { max($0, abs($1.0 - $1.1)) }
  #expect(
    error <= tolerance * scale, "\(name): off by \(error) of \(scale)",
    sourceLocation: sourceLocation)
}
