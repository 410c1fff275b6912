import Foundation
import TensorCore

@testable import Transformer

extension FuzzedReader {
  /// Every value in every kind that a reader may ask for, every tensor, the tokenizer, the model.
  static func readGGUF(_ bytes: [UInt8]) throws {
    try readAll(of: GGUFFile(MappedFile(copying: bytes, path: "model.gguf")))
  }

  /// Two files of one model: the input's first two bytes are the length of the first.
  static func readGGUFParts(_ bytes: [UInt8]) throws {
    let length = bytes.prefix(2).reduce(0) { $0 << 8 | Int($1) }
    let rest = bytes.dropFirst(2)
    let paths = (1...2).map { "\(folder)/model-0000\($0)-of-00002.gguf" }
    try write(rest.prefix(length), to: paths[0])
    try write(rest.dropFirst(length), to: paths[1])
    _ = try? ModelInspection(path: paths[0])
    // Either may be the one that the user names.
    try readAll(of: GGUFFile(paths[length & 1]))
  }

  private static func readAll(of file: GGUFFile) throws {
    for key in file.metadata.keys {
      _ = try? file.string(key)
      _ = try? file.integer(key)
      _ = try? file.number(key)
      _ = try? file.bool(key)
      _ = try? file.strings(key)
      _ = try? file.numbers(key)
      _ = try? file.integers(key)
      _ = try? file.bools(key)
      _ = try? file.integerOrIntegers(key, count: 2)
      _ = try? file.boolOrBools(key, count: 2)
    }
    for name in file.names {
      _ = file.type(name)
      let shape = file.shape(name)
      precondition(shape?.isEmpty == false, "a tensor without a shape")
      guard let matrix = try? file.matrix(name) else { continue }
      precondition(matrix.floats().count == matrix.rows * matrix.columns)
    }
    let text = ModelTokenizer(file, count: 8)
    try? use(text.tokenizer)
    let model = try LanguageModel(file)
    _ = model.unusedSummary
    try use(model)
  }
}
