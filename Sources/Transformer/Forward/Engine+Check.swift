import Foundation
import TensorCore

extension Engine {
  /// Runs a few positions and looks at what comes out, as a model is loaded: everything is finite,
  /// probabilities sum to one, and not every token is as likely as any other.
  ///
  /// - Throws: `UserError` naming the tensor that is at fault, where one is.
  public func checkModel() throws {
    let architecture = model.architecture
    let count = min(4, architecture.contextLength)
    let tokens = (0..<count).map { $0 * (architecture.vocabulary / 5) }
    let row: LogitRow?
    do {
      row = try forward(
        ForwardRequest(tokens: tokens, logits: LogitRequest(tokens: .all, summarises: true))
      ).logits.first
    } catch {
      throw try model.damagedTensor() ?? error
    }
    guard let row, let summary = row.summary else { return }
    let sum = row.logits.reduce(0) { $0 + exp(Double($1) - Double(summary.logSumExp)) }
    let isFlat = architecture.vocabulary > 1 && row.logits.min() == row.logits.max()
    guard abs(sum - 1) < 1e-3, !isFlat else {
      throw try model.damagedTensor()
        ?? UserError(
          isFlat
            ? "every token is as likely as any other" : "probabilities sum to \(sum)",
          at: model.path, remedy: "get the model's files again")
    }
  }
}

extension LanguageModel {
  /// An error that names the first tensor with values that are not finite, or, failing that, a matrix
  /// of zeros; nil where there is none.
  fileprivate func damagedTensor() throws -> UserError? {
    let source: any CheckpointSource =
      try Files.isFolder(path) ? HuggingFaceFolder(path) : GGUFFile(path)
    var zeros: String?
    for name in usedTensors {
      let isMatrix = source.shape(name)?.count == 2
      let matrix =
        isMatrix
        ? try source.matrix(name)
        : try { StoredMatrix(f32: $0, rows: 1, columns: $0.count) }(source.vector(name))
      var isZero = isMatrix
      for first in stride(from: 0, to: matrix.rows, by: 256) {
        let values = matrix.slice(first..<min(first + 256, matrix.rows)).floats()
        if let value = values.first(where: { !$0.isFinite }) {
          return damaged("the tensor \(name) holds \(value)")
        }
        isZero = isZero && values.allSatisfy { $0 == 0 }
      }
      if isZero, zeros == nil { zeros = name }
    }
    return zeros.map { damaged("the tensor \($0) holds nothing but zeros") }
  }

  private func damaged(_ problem: String) -> UserError {
    UserError(problem, at: path, remedy: "get the model's files again")
  }
}
