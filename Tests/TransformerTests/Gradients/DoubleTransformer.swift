import Foundation
import TensorCore

@testable import Transformer

/// A transformer written down plainly in f64, from the equations of its parts: what derivatives are
/// compared with. It shares no kernel with the engine, and takes its weights and its angles only.
struct DoubleTransformer {
  typealias Rows = [[Double]]

  let model: LanguageModel
  private var architecture: Architecture { model.architecture }

  /// Something that is added at a hook point: rows by position, of patterns and scores by head and
  /// position.
  struct Shift {
    var hook: HookPoint
    var rows: Rows
    var factor: Double
  }

  /// Next-token logits of the last position.
  func logits(_ tokens: [Int], shift: Shift? = nil) -> [Double] {
    func shifted(_ rows: Rows, _ site: HookPoint.Site, _ layer: Int? = nil) -> Rows {
      guard let shift, shift.hook == HookPoint(site, layer: layer) else { return rows }
      return zip(rows, shift.rows).map { row, delta in
        zip(row, delta).map { $0 + shift.factor * $1 }
      }
    }
    let weights = model.weights
    let embedding = weights.embedding.floats()
    let width = architecture.width
    var stream: Rows = tokens.map { token in
      (0..<width).map { Double(embedding[token * width + $0]) * Double(architecture.embeddingScale) }
    }
    stream = shifted(stream, .embedding)
    if let table = weights.positions?.floats() {
      for position in stream.indices {
        for i in 0..<width { stream[position][i] += Double(table[position * width + i]) }
      }
    }
    for layer in 0..<architecture.layers {
      stream = shifted(stream, .residualPre, layer)
      stream = block(layer, stream, length: tokens.count) { shifted($0, $1, layer) }
      stream = shifted(stream, .residualPost, layer)
    }
    let last = norm([stream[stream.count - 1]], weights.finalNorm)
    return linear(weights.unembedding, last)[0].map { logit in
      let scaled = logit * Double(architecture.logitScale)
      return architecture.logitSoftCap.map { Double($0) * tanh(scaled / Double($0)) } ?? scaled
    }
  }

  private func block(
    _ layer: Int, _ input: Rows, length: Int, _ shifted: (Rows, HookPoint.Site) -> Rows
  ) -> Rows {
    let block = architecture.blocks[layer]
    let weights = model.weights.blocks[layer]
    func clip(_ rows: Rows) -> Rows {
      guard let limit = block.queryKeyValueClip.map(Double.init) else { return rows }
      return rows.map { $0.map { min(max($0, -limit), limit) } }
    }
    func heads(_ rows: Rows, _ norm: LanguageModel.HeadNorm?) -> Rows {
      guard let norm else { return rows }
      return rows.map { row in
        stride(from: 0, to: row.count, by: norm.span).flatMap { start in
          self.norm(
            [Array(row[start..<start + norm.span])], norm.norm, from: start, count: norm.span)[0]
        }
      }
    }
    let table = block.rotary.map { RotaryTable($0, length: length, positions: length) }
    func rotate(_ rows: Rows) -> Rows {
      guard let table else { return rows }
      let headWidth = architecture.headWidth
      return rows.enumerated().map { position, row in
        var out = row
        for start in stride(from: 0, to: row.count, by: headWidth) {
          for pair in 0..<table.pairs {
            let c = Double(table.cosines[position * table.pairs + pair])
            let s = Double(table.sines[position * table.pairs + pair])
            let (i, j) =
              table.pairing == .neighbours ? (2 * pair, 2 * pair + 1) : (pair, pair + table.pairs)
            out[start + i] = row[start + i] * c - row[start + j] * s
            out[start + j] = row[start + j] * c + row[start + i] * s
          }
        }
        return out
      }
    }

    let normed = weights.attentionNorm.map { norm(input, $0) } ?? input
    var queries = shifted(clip(linear(weights.query, normed)), .query)
    var keys = shifted(clip(linear(weights.key, normed)), .key)
    let values = shifted(clip(linear(weights.value, normed)), .value)
    queries = heads(queries, weights.queryNorm)
    keys = heads(keys, weights.keyNorm)
    if block.rotary != nil {
      queries = shifted(rotate(queries), .rotatedQuery)
      keys = shifted(rotate(keys), .rotatedKey)
    }
    let mixed = shifted(
      attention(block, queries, keys, values, shifted), .headOutput)
    func branch(_ rows: Rows, _ norm: LanguageModel.Norm?) -> Rows {
      (norm.map { self.norm(rows, $0) } ?? rows).map { $0.map { $0 * Double(block.branchScale) } }
    }
    let attended = shifted(
      branch(linear(weights.output, mixed), weights.attentionPostNorm), .attentionOutput)
    func mlp(_ rows: Rows) -> Rows {
      var hidden = shifted(linear(weights.gate ?? weights.up, rows), .hiddenPre)
        .map { $0.map { activate($0, block.mlp.activation) } }
      if weights.gate != nil {
        let up = shifted(linear(weights.up, rows), .hiddenLinear)
        hidden = zip(hidden, up).map { zip($0, $1).map { $0 * $1 } }
      }
      hidden = shifted(hidden, .hidden)
      return shifted(branch(linear(weights.down, hidden), weights.mlpPostNorm), .mlpOutput)
    }
    func sum(_ a: Rows, _ b: Rows) -> Rows { zip(a, b).map { zip($0, $1).map { $0 + $1 } } }
    switch block.order {
    case .sequential:
      let middle = shifted(sum(input, attended), .residualMiddle)
      return sum(middle, mlp(weights.mlpNorm.map { norm(middle, $0) } ?? middle))
    case .parallel:
      return sum(sum(input, attended), mlp(weights.mlpNorm.map { norm(input, $0) } ?? input))
    case .parallelWithOneNorm: return sum(sum(input, attended), mlp(normed))
    }
  }

  private func attention(
    _ block: Architecture.Block, _ queries: Rows, _ keys: Rows, _ values: Rows,
    _ shifted: (Rows, HookPoint.Site) -> Rows
  ) -> Rows {
    let (count, width) = (queries.count, architecture.headWidth)
    func part(_ row: [Double], _ head: Int) -> ArraySlice<Double> {
      row[head * width..<(head + 1) * width]
    }
    // Head by head, `[heads · positions, keys]`; what is not seen is −∞.
    var scores: Rows = []
    for head in 0..<architecture.heads {
      for query in 0..<count {
        let first = block.window.map { max(0, query + 1 - $0) } ?? 0
        scores.append(
          (0..<count).map { key in
            guard (first...query).contains(key) else { return -.infinity }
            let group = head / architecture.headsPerGroup
            let inner = zip(part(queries[query], head), part(keys[key], group))
              .reduce(0) { $0 + $1.0 * $1.1 }
            let scaled = inner * Double(block.attentionScale)
            return block.attentionSoftCap.map { Double($0) * tanh(scaled / Double($0)) } ?? scaled
          })
      }
    }
    scores = shifted(scores, .scores)
    let weights = scores.map { row in
      let largest = row.max() ?? 0
      let powers = row.map { exp($0 - largest) }
      let total = powers.reduce(0, +)
      return powers.map { $0 / total }
    }
    // Weights of keys that are not seen stay 0.
    let pattern = zip(scores, shifted(weights, .pattern)).map { scores, row in
      zip(scores, row).map { $0 == -.infinity ? 0 : $1 }
    }
    return (0..<count).map { query in
      (0..<architecture.heads).flatMap { head -> [Double] in
        let weights = pattern[head * count + query]
        return (0..<width).map { index in
          (0..<count).reduce(0) {
            $0 + weights[$1] * values[$1][head / architecture.headsPerGroup * width + index]
          }
        }
      }
    }
  }

  private func linear(_ map: PackedLinear, _ rows: Rows) -> Rows {
    var weights = [Float](repeating: 0, count: map.outputs * map.inputs)
    weights.withUnsafeMutableBufferPointer { buffer in
      if let start = buffer.baseAddress { map.unpack(0..<map.outputs, into: start) }
    }
    let wide = weights.map(Double.init)
    return rows.map { row in
      (0..<map.outputs).map { output in
        var sum = map.bias.map { Double($0[output]) } ?? 0
        for input in 0..<map.inputs { sum += wide[output * map.inputs + input] * row[input] }
        return sum
      }
    }
  }

  private func norm(_ rows: Rows, _ norm: LanguageModel.Norm, from start: Int = 0, count: Int? = nil)
    -> Rows
  {
    rows.map { row in
      let mean = norm.kind == .layer ? row.reduce(0, +) / Double(row.count) : 0
      let variance = row.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(row.count)
      let factor = 1 / (variance + Double(norm.epsilon)).squareRoot()
      return row.enumerated().map { index, value in
        (value - mean) * factor * Double(norm.weight[start + index])
          + (norm.bias.map { Double($0[start + index]) } ?? 0)
      }
    }
  }

  private func activate(_ x: Double, _ activation: Activation) -> Double {
    switch activation {
    case .silu: x / (1 + exp(-x))
    case .gelu: x / 2 * erfc(-x / 2.0.squareRoot())
    case .geluTanh: x / 2 * (1 + tanh((2 / Double.pi).squareRoot() * (x + 0.044715 * x * x * x)))
    }
  }
}
