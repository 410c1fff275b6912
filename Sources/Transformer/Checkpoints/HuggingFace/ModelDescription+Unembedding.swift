import TensorCore

extension ModelDescription {
  /// A file may hold an unembedding although the configuration ties it to the embedding. transformers 5 uses
  /// it, and so it is here; where both are the same it makes no difference.
  mutating func settleUnembedding(_ source: some CheckpointSource) throws {
    let head = try source.prefix(before: layout.unembedding, usually: "") + layout.unembedding
    let body = try source.prefix(before: layout.embedding, usually: layout.prefix)
    guard architecture.tiesUnembedding, source.hasTensor("\(head).weight") else { return }
    architecture.tiesUnembedding = false
    let (a, b) = (
      try source.matrix("\(head).weight"), try source.matrix("\(body)\(layout.embedding).weight")
    )
    guard try a.differs(from: b) else { return }
    notes.append(
      "tie_word_embeddings is true, but \(head).weight differs from the embedding: it is used, as in "
        + "transformers 5")
  }
}

extension StoredMatrix {
  /// Whether some of the rows differ; not all of a large matrix are read.
  fileprivate func differs(from other: StoredMatrix) throws -> Bool {
    guard rows == other.rows, columns == other.columns else { return true }
    return stride(from: 0, to: rows, by: max(rows / 64, 1)).contains { row in
      slice(row..<row + 1).floats() != other.slice(row..<row + 1).floats()
    }
  }
}
