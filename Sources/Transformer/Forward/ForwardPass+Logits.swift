import Foundation
import TensorCore

extension ForwardPass {
  /// The last normalisation and the logits that were asked for, and no others.
  func unembed() {
    let width = architecture.width
    let layers = architecture.layers
    let rows = RowTable(plans.map(\.output))
    guard rows.count > 0 else { return }
    let normed = buffer(.normed, rows.count * width)
    normalise(
      sources(of: rows, layer: layers), model.weights.finalNorm,
      into: MatrixView(normed, stride: width), layer: layers,
      hooks: NormHooks(.finalNormScale, .finalNormalized, rows: rows))

    var whole: [WantedRow] = []
    var few: [WantedRow] = []
    for (index, request) in requests.enumerated() {
      for position in request.logits.positions ?? [request.tokens.count - 1] {
        guard let row = rows.row(index, position) else { continue }
        let wanted = WantedRow(request: index, position: position, row: row)
        if request.logits.isWhole { whole.append(wanted) } else { few.append(wanted) }
      }
    }
    for start in stride(from: 0, to: whole.count, by: shares.logitRows) {
      unembedWhole(whole[start..<min(whole.count, start + shares.logitRows)], normed)
    }
    unembedFew(few, normed)
    for index in results.indices { results[index].logits.sort { $0.position < $1.position } }
  }

  /// A row of the normalised stream and whom it is for.
  struct WantedRow {
    let request: Int
    let position: Int
    let row: Int
  }

  /// Logits over the whole vocabulary, reduced row by row.
  private func unembedWhole(_ wanted: ArraySlice<WantedRow>, _ normed: UnsafePointer<Float>) {
    let width = architecture.width
    let vocabulary = architecture.vocabulary
    let gathered = buffer(.branch, wanted.count * width)
    for (index, want) in wanted.enumerated() {
      (gathered + index * width).update(from: normed + want.row * width, count: width)
    }
    let logits = MatrixView(buffer(.logits, wanted.count * vocabulary), stride: vocabulary)
    multiply(model.weights.unembedding, gathered, rows: wanted.count, into: logits)
    let references = wanted.map { requests[$0.request].logits.reference }
    let summaries = pool.map(wanted.count) { index in
      finish(logits.row(index), count: vocabulary)
      return summarise(logits.row(index), against: references[index])
    }
    for (index, want) in wanted.enumerated() {
      let request = requests[want.request].logits
      let row = UnsafeBufferPointer(start: logits.row(index), count: vocabulary)
      let result: LogitRow =
        switch request.tokens {
        case .all:
          LogitRow(
            position: want.position, logits: Array(row), summary: summaries[index],
            lease: memory.lease(vocabulary * ActivationShares.floatBytes))
        case .some(let ids):
          LogitRow(
            position: want.position, logits: ids.map { row[$0] }, summary: summaries[index])
        }
      results[want.request].logits.append(result)
    }
  }

  /// Scales and caps logits.
  private func finish(_ logits: UnsafeMutablePointer<Float>, count: Int) {
    let scale = architecture.logitScale
    if scale != 1 { for index in 0..<count { logits[index] *= scale } }
    if let cap = architecture.logitSoftCap { softCap(logits, count: count, cap: cap) }
  }

  private func summarise(_ row: UnsafeMutablePointer<Float>, against reference: Tensor?)
    -> LogitRow.Summary
  {
    let count = architecture.vocabulary
    let (maximum, index, total) = logSumExp(row, count: count)
    let divergence = reference?.withPointer {
      Float(TensorCore.divergence($0, from: row, logSumExp: total, count: count))
    }
    return LogitRow.Summary(
      topToken: index, topLogit: maximum, logSumExp: total, divergence: divergence)
  }

  /// Logits of a few tokens: only their rows of the unembedding are unpacked.
  private func unembedFew(_ wanted: [WantedRow], _ normed: UnsafePointer<Float>) {
    guard !wanted.isEmpty else { return }
    let width = architecture.width
    var rowOfToken: [Int: Int] = [:]
    for want in wanted {
      guard case .some(let ids) = requests[want.request].logits.tokens else { continue }
      for id in ids where rowOfToken[id] == nil { rowOfToken[id] = rowOfToken.count }
    }
    let unpacked = buffer(.panel, max(rowOfToken.count, 1) * width)
    for (token, row) in rowOfToken {
      model.weights.unembedding.unpack(token..<token + 1, into: unpacked + row * width)
    }
    let bias = model.weights.unembedding.bias
    for want in wanted {
      guard case .some(let ids) = requests[want.request].logits.tokens else { continue }
      let x = normed + want.row * width
      var values = ids.map { id -> Float in
        guard let row = rowOfToken[id] else { return .nan }
        return dot(x, unpacked + row * width, count: width) + (bias?[id] ?? 0)
      }
      values.withUnsafeMutableBufferPointer { values in
        if let start = values.baseAddress { finish(start, count: values.count) }
      }
      results[want.request].logits.append(
        LogitRow(position: want.position, logits: values, summary: nil))
    }
  }
}
