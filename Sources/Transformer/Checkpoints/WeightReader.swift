import TensorCore

/// Takes weights from a checkpoint, each checked against the shape that the architecture needs.
struct WeightReader<Source: CheckpointSource> {
  let source: Source
  let layout: CheckpointLayout
  let architecture: Architecture
  /// The layout's, where the file uses it.
  let prefix: String

  init(_ source: Source, _ layout: CheckpointLayout, _ architecture: Architecture) {
    self.source = source
    self.layout = layout
    self.architecture = architecture
    // Base models are published without it.
    let isPrefixed =
      source.hasTensor("\(layout.prefix)\(layout.embedding).weight")
      || !source.hasTensor("\(layout.embedding).weight")
    prefix = isPrefixed ? layout.prefix : ""
  }

  func matrix(_ name: String, _ rows: Int, _ columns: Int) throws -> StoredMatrix {
    let matrix = try source.matrix(name + ".weight")
    guard matrix.rows == rows, matrix.columns == columns else {
      throw unfit(
        "\(name).weight is \(matrix.rows) × \(matrix.columns)", "\(rows) × \(columns)")
    }
    return matrix
  }

  func vector(_ name: String, _ count: Int) throws -> Tensor {
    let values = try source.vector(name)
    guard values.count == count else {
      throw unfit("\(name) has \(values.count) values", "\(count)")
    }
    return Tensor(values, shape: [count])
  }

  func norm(_ name: String, _ count: Int) throws -> LanguageModel.Norm {
    var weight = try vector(name + ".weight", count)
    if layout.normOffset != 0 {
      weight = Tensor(weight.values.map { $0 + layout.normOffset }, shape: [count])
    }
    return LanguageModel.Norm(
      weight: weight,
      bias: architecture.norm.kind == .layer ? try vector(name + ".bias", count) : nil)
  }

  /// A matrix of a block and its bias, `[outputs, inputs]` whatever the file has.
  func linear(
    _ name: String, _ outputs: Int, _ inputs: Int, hasBias: Bool, order: [Int]? = nil
  ) throws -> PackedLinear {
    let weight =
      layout.isTransposed
      ? try matrix(name, inputs, outputs).transposed() : try matrix(name, outputs, inputs)
    let bias = hasBias ? try vector(name + ".bias", outputs) : nil
    return PackedLinear(weight, bias: bias).reordered(order)
  }

  /// Queries, keys and values of a block; `name` completes a part's name.
  func projections(_ name: (String) -> String) throws -> (
    query: PackedLinear, key: PackedLinear, value: PackedLinear
  ) {
    let width = architecture.width
    let queries = architecture.queryWidth
    let keys = architecture.keyWidth
    let hasBias = architecture.biases.query
    switch layout.projections {
    case .separate(let query, let key, let value):
      return (
        try linear(
          name(query), queries, width, hasBias: hasBias, order: halves(architecture.heads)),
        try linear(
          name(key), keys, width, hasBias: hasBias, order: halves(architecture.keyValueHeads)),
        try linear(name(value), keys, width, hasBias: hasBias)
      )
    case .stacked(let fused):
      let all = try linear(name(fused), queries + 2 * keys, width, hasBias: hasBias)
      return (
        all.reordered(Array(0..<queries)), all.reordered(Array(queries..<queries + keys)),
        all.reordered(Array(queries + keys..<queries + 2 * keys))
      )
    case .byHead(let fused):
      guard keys == queries else {
        throw UserError(
          "\(architecture.keyValueHeads) key-value heads do not fit \(architecture.heads) heads "
            + "whose weights are kept head by head",
          at: source.path, remedy: "get the model's own config.json")
      }
      let all = try linear(name(fused), 3 * queries, width, hasBias: hasBias)
      let headWidth = architecture.headWidth
      func part(_ number: Int) -> PackedLinear {
        all.reordered(
          (0..<queries).map {
            (3 * ($0 / headWidth) + number) * headWidth + $0 % headWidth
          })
      }
      return (part(0), part(1), part(2))
    }
  }

  /// Stored row of each output when neighbouring rows of a head are to become its two halves, or nil
  /// where they need not.
  private func halves(_ heads: Int) -> [Int]? {
    guard layout.pairsAreNeighbours, let rotary = architecture.rotary else { return nil }
    let headWidth = architecture.headWidth
    let half = rotary.dimensions / 2
    return (0..<heads * headWidth).map { output in
      let head = output / headWidth
      let value = output % headWidth
      guard value < rotary.dimensions else { return output }
      return head * headWidth + 2 * (value % half) + value / half
    }
  }

  private func unfit(_ found: String, _ needed: String) -> UserError {
    UserError(
      "the tensor \(found), the architecture needs \(needed)", at: source.path,
      remedy: "get the file again; its parts do not fit together")
  }
}

extension PackedLinear {
  /// Outputs in another order, or some of them: output *i* is this map's `order[i]`.
  fileprivate func reordered(_ order: [Int]?) -> PackedLinear {
    guard let order else { return self }
    return PackedLinear(
      weight, bias: bias.map { bias in Tensor(order.map { bias[$0] }, shape: [order.count]) },
      rowOrder: order)
  }
}
