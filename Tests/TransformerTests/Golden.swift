import Foundation
import TensorCore
import Testing

@testable import Transformer

/// Reference numbers in this target's resources, and the models they belong to.
enum Golden {
  static let folder = Bundle.module.resourcePath ?? ""

  static func json(_ name: String) throws -> JSONReader {
    try JSONReader(contentsOf: "\(folder)/\(name)")
  }

  static func tensors(_ name: String) throws -> SafetensorsFile {
    try SafetensorsFile("\(folder)/\(name)")
  }

  /// The real model; tests that need it fail where it is missing, they are never skipped.
  static let smollm2 = Result {
    let store = ModelStore()
    return try LanguageModel(gguf: store.resolve("smollm2"))
  }

  static func engine(threads: Int = 2, rowBudget: Int = 4096) throws -> Engine {
    Engine(model: try smollm2.get(), threads: threads, rowBudget: rowBudget)
  }
}

extension JSONReader {
  /// The reader of one key, whatever other keys there are.
  func at(_ key: String) throws -> JSONReader {
    try #require(entries().first { $0.0 == key }?.1, "no key \(key) in \(place)")
  }

  func integers() throws -> [Int] { try list().map { try $0.integer() } }
  func floats() throws -> [Float] { try list().map { Float(try $0.number()) } }
}

/// ‖a − b‖ / ‖b‖ of two rows.
func relativeError(_ a: [Float], _ b: [Float]) -> Double {
  precondition(a.count == b.count)
  let difference = zip(a, b).reduce(0.0) { $0 + pow(Double($1.0) - Double($1.1), 2) }
  let norm = b.reduce(0.0) { $0 + Double($1) * Double($1) }
  return (difference / max(norm, 1e-30)).squareRoot()
}

/// Normalised rows as the norm gives them on: times its weight, plus its bias.
func weighted(_ rows: [Float], _ norm: LanguageModel.Norm) -> [Float] {
  let width = norm.weight.count
  return rows.indices.map {
    rows[$0] * norm.weight[$0 % width] + (norm.bias?[$0 % width] ?? 0)
  }
}

func largestDifference(_ a: [Float], _ b: [Float]) -> Float {
  precondition(a.count == b.count)
  return zip(a, b).reduce(0) { max($0, abs($1.0 - $1.1)) }
}
