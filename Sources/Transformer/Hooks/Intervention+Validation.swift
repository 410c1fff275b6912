import TensorCore

extension Intervention {
  /// Checks the intervention against the model and a sequence of `length` tokens.
  ///
  /// - Throws: `UserError` where a layer, position or head is out of range, a donor has another
  ///   width or length, or nothing would be touched.
  func validate(for architecture: Architecture, length: Int) throws {
    func check(_ values: [Int], below limit: Int, _ what: String, at place: String) throws {
      for value in values where value < 0 || value >= limit {
        throw UserError(
          "\(what) \(value) is out of range", at: place,
          remedy: limit > 0 ? "use 0 to \(limit - 1)" : nil)
      }
      guard Set(values).count == values.count else {
        throw UserError("a \(what) is named twice", at: place, remedy: "name each once")
      }
      guard !values.isEmpty else {
        throw UserError(
          "the intervention touches nothing: it names no \(what)", at: place,
          remedy: "name at least one \(what)")
      }
    }
    switch self {
    case .edit(let edit):
      let place = edit.hook.description
      try edit.hook.validate(for: architecture)
      try check(edit.positions, below: length, "position", at: place)
      if let heads = edit.heads {
        guard edit.hook.site.hasHeads else {
          throw UserError(
            "this hook point has no heads", at: place,
            remedy: "leave out heads or use attn.hook_z")
        }
        try check(heads, below: edit.hook.heads(in: architecture), "head", at: place)
      }
      switch edit.change {
      case .replace(let source), .add(let source):
        guard source.rows.count == edit.positions.count else {
          throw UserError(
            "the donor has \(source.rows.count) positions, the recipient \(edit.positions.count)",
            at: place, remedy: "name as many donor positions as recipient positions")
        }
        let width = edit.hook.width(in: architecture) ?? architecture.heads * length
        guard source.tensor.columns == width else {
          throw UserError(
            "the donor's rows have \(source.tensor.columns) values, this place has \(width)",
            at: place, remedy: "use a donor of the same model, hook point and length")
        }
        guard source.rows.allSatisfy({ $0 >= 0 && $0 < source.tensor.rows }) else {
          throw UserError("a donor row does not exist", at: place)
        }
        try edit.checkKeys(source, architecture, length: length)
      case .scale(let factor):
        guard factor.isFinite else {
          throw UserError("the factor \(factor) is not finite", at: place)
        }
        if factor == 0 { try edit.checkDivisor() }
      case .zero: try edit.checkDivisor()
      }
    case .knockout(let edges):
      let place = "knockout"
      try check([edges.layers.lowerBound], below: architecture.layers, "layer", at: place)
      try check([edges.layers.upperBound], below: architecture.layers, "layer", at: place)
      try check(edges.queries, below: length, "query", at: place)
      try check(edges.keys, below: length, "key", at: place)
      if let heads = edges.heads {
        try check(heads, below: architecture.heads, "head", at: place)
      }
      let touches = edges.layers.contains { layer in
        edges.queries.contains { query in
          let seen = architecture.firstVisible(from: query, layer: layer)...query
          return edges.keys.contains(where: seen.contains)
        }
      }
      guard touches else {
        throw UserError(
          "the knockout touches nothing: no query sees any of the keys", at: place,
          remedy: "a query sees keys at or before its own position, inside its layer's window")
      }
    }
  }
}

extension ActivationEdit {
  /// Rows are divided by the scale of a norm.
  fileprivate func checkDivisor() throws {
    guard hook.site.isNormScale else { return }
    throw UserError(
      "rows are divided by what is here, it cannot be 0", at: hook.description,
      remedy: "edit the \(hook.description.replacing("scale", with: "normalized")) instead")
  }

  /// Checks that scores and weights are given to keys only that their query sees.
  fileprivate func checkKeys(
    _ source: RowSource, _ architecture: Architecture, length: Int
  ) throws {
    let unseen: Float
    switch (hook.site, change) {
    case (.pattern, _): unseen = 0
    case (.scores, .replace): unseen = -.infinity
    // −∞ and any score is −∞.
    default: return
    }
    for (index, position) in positions.enumerated() {
      let first = architecture.firstVisible(from: position, layer: hook.layer ?? 0)
      let row = source.tensor.row(source.rows[index])
      for head in heads ?? Array(0..<architecture.heads) {
        for key in 0..<length where key < first || key > position {
          guard row[head * length + key] != unseen else { continue }
          throw UserError(
            "the edit gives weight to key \(key), which query \(position) does not see",
            at: hook.description,
            remedy: "a query sees keys at or before its own position, inside its layer's window")
        }
      }
    }
  }
}
