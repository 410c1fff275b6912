import TensorCore

/// Takes weights from a checkpoint, each checked against the shape that the architecture needs, and
/// remembers which it took.
final class WeightReader<Source: CheckpointSource> {
  let source: Source
  let layout: CheckpointLayout
  let architecture: Architecture
  /// Before the names of everything but the unembedding.
  let prefix: String
  /// Tensors that were taken, by their names in the file.
  private(set) var used: Set<String> = []

  init(_ source: Source, _ layout: CheckpointLayout, _ architecture: Architecture) throws {
    self.source = source
    self.layout = layout
    self.architecture = architecture
    prefix = try source.prefix(before: layout.embedding, usually: layout.prefix)
  }

  /// What is unusual about the names.
  var notes: [String] {
    prefix == layout.prefix || prefix.isEmpty
      ? [] : ["the tensors' names begin with \(prefix) instead of \(layout.prefix)"]
  }

  func matrix(_ name: String, _ rows: Int, _ columns: Int) throws -> StoredMatrix {
    let matrix = try source.matrix(name)
    used.insert(name)
    guard matrix.rows == rows, matrix.columns == columns else {
      throw unfit("\(name) is \(matrix.rows) × \(matrix.columns)", "\(rows) × \(columns)")
    }
    return matrix
  }

  func vector(_ name: String, _ count: Int) throws -> Tensor {
    let values = try source.vector(name)
    used.insert(name)
    guard values.count == count else {
      throw unfit("\(name) has \(values.count) values", "\(count)")
    }
    return Tensor(values, shape: [count])
  }

  /// A norm of `count` values; nil where the architecture has none.
  func norm(_ name: String, _ norm: Architecture.Norm?, _ count: Int) throws -> LanguageModel.Norm?
  {
    try norm.map { try self.norm(name, $0, count) }
  }

  func norm(_ name: String, _ norm: Architecture.Norm, _ count: Int) throws -> LanguageModel.Norm {
    LanguageModel.Norm(
      norm,
      weight: norm.hasWeight
        ? try normWeight(vector(name + ".weight", count)) : Tensor(repeating: 1, shape: [count]),
      bias: norm.hasBias ? try vector(name + ".bias", count) : nil)
  }

  /// The norm of `heads` heads of queries or keys.
  func headNorm(
    _ name: String, _ norm: Architecture.HeadNorm, heads: Int
  ) throws -> LanguageModel.HeadNorm {
    let width = architecture.headWidth
    func values(_ part: String) throws -> Tensor {
      switch norm.span {
      case .allHeads: return try vector(name + part, heads * width)
      case .head:
        let one = try vector(name + part, width).values
        return Tensor((0..<heads).flatMap { _ in one }, shape: [heads * width])
      case .headWithOwnWeights:
        guard name.contains("*") else { return try vector(name + part, heads * width) }
        let all = try (0..<heads).flatMap { head in
          try vector(name.replacing("*", with: "\(head)") + part, width).values
        }
        return Tensor(all, shape: [heads * width])
      }
    }
    return LanguageModel.HeadNorm(
      norm: LanguageModel.Norm(
        norm.norm, weight: try normWeight(values(".weight")),
        bias: norm.norm.hasBias ? try values(".bias") : nil),
      span: norm.span == .allHeads ? heads * width : width)
  }

  /// A matrix of a block and its bias, `[outputs, inputs]` whatever the file has.
  func linear(
    _ name: String, _ outputs: Int, _ inputs: Int, hasBias: Bool
  ) throws -> PackedLinear {
    let weight =
      layout.isTransposed
      ? try matrix(name + ".weight", inputs, outputs).transposed()
      : try matrix(name + ".weight", outputs, inputs)
    return PackedLinear(weight, bias: hasBias ? try vector(name + ".bias", outputs) : nil)
  }

  /// Queries, keys and values of a block; `name` completes a part's name.
  func projections(_ name: (String) -> String, hasBias: Bool) throws -> (
    query: PackedLinear, key: PackedLinear, value: PackedLinear
  ) {
    let width = architecture.width
    let queries = architecture.queryWidth
    let keys = architecture.keyWidth
    var (query, key, value): (PackedLinear, PackedLinear, PackedLinear)
    switch layout.projections {
    case .separate(let queryName, let keyName, let valueName):
      query = try linear(name(queryName), queries, width, hasBias: hasBias)
      key = try linear(name(keyName), keys, width, hasBias: hasBias)
      value = try linear(name(valueName), keys, width, hasBias: hasBias)
    case .stacked(let fused):
      let all = try linear(name(fused), queries + 2 * keys, width, hasBias: hasBias)
      query = all.slice(0..<queries)
      key = all.slice(queries..<queries + keys)
      value = all.slice(queries + keys..<queries + 2 * keys)
    case .byGroup(let fused):
      let all = try linear(name(fused), queries + 2 * keys, width, hasBias: hasBias)
      let headWidth = architecture.headWidth
      let perGroup = architecture.headsPerGroup
      func rows(_ heads: Range<Int>) -> [Int] {
        (0..<architecture.keyValueHeads).flatMap { group in
          heads.flatMap { head in
            let first = (group * (perGroup + 2) + head) * headWidth
            return Array(first..<first + headWidth)
          }
        }
      }
      query = all.reordered(rows(0..<perGroup))
      key = all.reordered(rows(perGroup..<perGroup + 1))
      value = all.reordered(rows(perGroup + 1..<perGroup + 2))
    }
    if let order = halves(architecture.heads) { query = query.reordered(order) }
    if let order = halves(architecture.keyValueHeads) { key = key.reordered(order) }
    return (query, key, value)
  }

  /// The MLP's gate, where it has one, and its linear branch.
  func hidden(_ name: (String) -> String, hasBias: Bool) throws -> (
    gate: PackedLinear?, up: PackedLinear
  ) {
    let (hidden, width) = (architecture.hiddenWidth, architecture.width)
    func linear(_ part: String, _ outputs: Int) throws -> PackedLinear {
      try self.linear(name(part), outputs, width, hasBias: hasBias)
    }
    switch layout.hidden {
    case .plain(let up): return (nil, try linear(up, hidden))
    case .gated(let gate, let up): return (try linear(gate, hidden), try linear(up, hidden))
    case .stacked(let fused):
      let both = try linear(fused, 2 * hidden)
      return (both.slice(0..<hidden), both.slice(hidden..<2 * hidden))
    }
  }

  /// Stored row of each output when neighbouring rows of a head are to become its two halves, or nil
  /// where they need not. Blocks that are not rotated are stored like the others.
  private func halves(_ heads: Int) -> [Int]? {
    guard layout.pairsAreNeighbours,
      let rotary = architecture.blocks.lazy.compactMap(\.rotary).first
    else { return nil }
    let headWidth = architecture.headWidth
    let half = rotary.dimensions / 2
    return (0..<heads * headWidth).map { output in
      let head = output / headWidth
      let value = output % headWidth
      guard value < rotary.dimensions else { return output }
      return head * headWidth + 2 * (value % half) + value / half
    }
  }

  private func normWeight(_ weight: Tensor) -> Tensor {
    layout.normOffset == 0
      ? weight : Tensor(weight.values.map { $0 + layout.normOffset }, shape: weight.shape)
  }

  private func unfit(_ found: String, _ needed: String) -> UserError {
    UserError(
      "the tensor \(found), the architecture needs \(needed)", at: source.path,
      remedy: "get the file again; its parts do not fit together")
  }
}

extension CheckpointSource {
  /// What stands before `part` and all other names: `usual`, nothing (base models), or what a program
  /// that saved the model put before them (`_orig_mod.`, `language_model.`).
  func prefix(before part: String, usually usual: String) throws -> String {
    let name = "\(part).weight"
    if hasTensor(usual + name) { return usual }
    let found = names.filter { $0 == name || $0.hasSuffix(".\(name)") }
    guard found.count < 2 else {
      throw UserError(
        "there are several embeddings: \(found.sorted().joined(separator: ", "))", at: path,
        remedy: "keep the text model's tensors alone")
    }
    return found.first.map { String($0.dropLast(name.count)) } ?? usual
  }
}

extension PackedLinear {
  /// Some of the outputs.
  fileprivate func slice(_ range: Range<Int>) -> PackedLinear {
    PackedLinear(
      weight.slice(range),
      bias: bias.map { Tensor(Array($0.values[range]), shape: [range.count]) })
  }

  /// Outputs in another order, or some of them: output *i* is this map's `order[i]`.
  fileprivate func reordered(_ order: [Int]) -> PackedLinear {
    PackedLinear(
      weight, bias: bias.map { bias in Tensor(order.map { bias[$0] }, shape: [order.count]) },
      rowOrder: order.map { rowOrder?[$0] ?? $0 })
  }
}
