import TensorCore

extension InterventionFile {
  /// The interventions for one sequence: positions counted from its start, donors and means replaced
  /// by the activations they stand for.
  ///
  /// All donors and means are recorded in one call of the engine.
  ///
  /// - Parameter tokenize: the tokens of a donor's text, as the prompt's own text becomes tokens.
  /// - Throws: `UserError` that names the file and the key, where an entry does not fit the model or
  ///   the sequence, or touches nothing.
  public func resolve(
    for tokens: [Int], engine: Engine, tokenize: (String) throws -> [Int]
  ) throws -> [Intervention] {
    guard !tokens.isEmpty else {
      throw UserError("the prompt has no tokens", remedy: "give at least one", status: .usage)
    }
    var resolver = InterventionResolver(tokens: tokens, architecture: engine.model.architecture)
    let drafts = try entries.map {
      try resolver.draft($0.entry, place: $0.place, tokenize: tokenize)
    }
    let results = try engine.forward(resolver.requests)
    return try drafts.map { try $0(results) }
  }
}

/// Turns entries into interventions, and gathers the runs that they take values from.
private struct InterventionResolver {
  /// An intervention that waits for the results of `requests`.
  typealias Draft = ([ForwardResult]) throws -> Intervention

  let tokens: [Int]
  let architecture: Architecture
  /// Runs to record from, each sequence once.
  private(set) var requests: [ForwardRequest] = []

  init(tokens: [Int], architecture: Architecture) {
    self.tokens = tokens
    self.architecture = architecture
  }

  mutating func draft(
    _ entry: InterventionFile.Entry, place: String, tokenize: (String) throws -> [Int]
  ) throws -> Draft {
    let validated = validator(place)
    switch entry {
    case .knockout(let layers, let heads, let queries, let keys):
      let intervention = try validated(
        .knockout(
          EdgeKnockout(
            layers: layers, heads: heads.values, queries: try queries.positions(in: tokens.count),
            keys: try keys.positions(in: tokens.count))))
      return { _ in intervention }
    case .edit(let edit, let hook, let selection, let heads):
      let positions = try selection.positions(in: tokens.count)
      func intervention(_ change: ActivationEdit.Change) -> Intervention {
        .edit(ActivationEdit(at: hook, positions: positions, heads: heads.values, change: change))
      }
      // Before anything runs, and before layers and heads are counted with.
      _ = try validated(intervention(.scale(1)))
      switch edit {
      case .zero: return { _ in try validated(intervention(.zero)) }
      case .scale(let factor): return { _ in try validated(intervention(.scale(factor))) }
      case .add(let vector):
        let row = try expanded(vector, at: hook, heads: heads.values, place: place)
        return { _ in try validated(intervention(.add(RowSource(row, count: positions.count)))) }
      case .mean:
        try refuseScores(hook, place)
        let recording = record(hook, nil, of: tokens)
        return { results in
          let mean = Self.mean(RowSource(recording(results)).tensor)
          return try validated(intervention(.replace(RowSource(mean, count: positions.count))))
        }
      case .donor(let entry):
        try refuseScores(hook, place)
        let donor = try tokens(of: entry, tokenize)
        let sources = try (entry.positions ?? selection).positions(in: donor.count)
        try check(donor, sources, for: positions, at: hook, entry, place)
        let recorded = Set(sources).sorted()
        let rows = sources.compactMap(recorded.firstIndex(of:))
        let recording = record(hook, recorded, of: donor)
        return { results in
          let tensor = RowSource(recording(results)).tensor
          return try validated(intervention(.replace(RowSource(tensor, rows: rows))))
        }
      }
    }
  }

  /// Asks for a recording; the result finds it among the results.
  private mutating func record(
    _ hook: HookPoint, _ positions: [Int]?, of tokens: [Int]
  ) -> ([ForwardResult]) -> Tensor {
    let request = requests.firstIndex { $0.tokens == tokens } ?? requests.count
    if request == requests.count {
      requests.append(ForwardRequest(tokens: tokens, logits: .none))
    }
    let index = requests[request].recordings.count
    requests[request].recordings.append(Recording(hook, positions: positions))
    return { $0[request].recorded[index] }
  }

  /// Checks an intervention as the engine will, but with the entry's place in the file.
  private func validator(_ place: String) -> (Intervention) throws -> Intervention {
    let (architecture, length) = (architecture, tokens.count)
    return { intervention in
      do {
        try intervention.validate(for: architecture, length: length)
        return intervention
      } catch let error as UserError {
        throw UserError(
          error.problem, at: error.place.map { "\(place), \($0)" } ?? place,
          remedy: error.remedy, status: error.status)
      }
    }
  }

  private func tokens(
    of donor: InterventionFile.Donor, _ tokenize: (String) throws -> [Int]
  ) throws -> [Int] {
    switch donor.sequence {
    case .tokens(let tokens): return tokens
    case .text(let text):
      let tokens = try tokenize(text)
      guard !tokens.isEmpty else {
        throw UserError("the donor has no tokens", at: donor.place, remedy: "give some text")
      }
      return tokens
    }
  }

  private func refuseScores(_ hook: HookPoint, _ place: String) throws {
    guard hook.site == .scores else { return }
    throw UserError(
      "scores cannot be replaced: they are −∞ after the query", at: "\(place), hook",
      remedy: "use \(HookPoint(.pattern, layer: hook.layer))")
  }

  private func check(
    _ donor: [Int], _ sources: [Int], for positions: [Int], at hook: HookPoint,
    _ entry: InterventionFile.Donor, _ place: String
  ) throws {
    let place = "\(place), edit.donor"
    for token in donor where token >= architecture.vocabulary {
      throw UserError(
        "token \(token) is not in the vocabulary of \(architecture.vocabulary)",
        at: entry.place, remedy: "use ids 0 to \(architecture.vocabulary - 1)")
    }
    guard donor.count <= architecture.contextLength else {
      throw UserError(
        "the donor has \(donor.count) tokens, the model takes \(architecture.contextLength)",
        at: entry.place, remedy: "use a shorter donor")
    }
    guard sources.count == positions.count else {
      throw UserError(
        "the donor has \(sources.count) positions, the recipient \(positions.count)",
        at: "\(place).positions", remedy: "name as many donor positions as recipient positions")
    }
    guard hook.site != .pattern || donor.count == tokens.count else {
      throw UserError(
        "the donor has \(donor.count) tokens, the recipient \(tokens.count), and a pattern has a"
          + " weight for each", at: entry.place, remedy: "use a donor of the same length")
    }
  }

  /// One position's row to add: `vector` itself, or its values at `heads`, in the order of `heads`.
  private func expanded(
    _ vector: [Float], at hook: HookPoint, heads: [Int]?, place: String
  ) throws -> [Float] {
    let width = hook.width(in: architecture) ?? architecture.heads * tokens.count
    if vector.count == width { return vector }
    let headWidth = width / hook.heads(in: architecture)
    let ofHeads = heads.map { $0.count * headWidth }
    guard let heads, vector.count == ofHeads else {
      let allowed = ofHeads.map { "\($0) for these heads or \(width) for all" } ?? "\(width)"
      throw UserError(
        "found \(vector.count) values, \(hook) takes \(allowed)", at: "\(place), edit.add",
        remedy: "mend the vector")
    }
    var row = [Float](repeating: 0, count: width)
    for (index, head) in heads.enumerated() {
      row.replaceSubrange(
        head * headWidth..<(head + 1) * headWidth,
        with: vector[index * headWidth..<(index + 1) * headWidth])
    }
    return row
  }

  /// Mean of the rows of a matrix.
  private static func mean(_ tensor: Tensor) -> [Float] {
    tensor.withPointer { values in
      (0..<tensor.columns).map { column in
        var sum = 0.0
        for row in 0..<tensor.rows { sum += Double(values[row * tensor.columns + column]) }
        return Float(sum / Double(tensor.rows))
      }
    }
  }
}

extension InterventionFile.Selection {
  /// The positions in a sequence of `length` tokens, those below 0 counted from its end.
  fileprivate func positions(in length: Int) throws -> [Int] {
    guard let values else { return Array(0..<length) }
    return try values.map { value in
      guard -length..<length ~= value else {
        throw UserError(
          "position \(value) is out of range", at: place,
          remedy: "use 0 to \(length - 1), or -1 to \(-length) from the end")
      }
      return value < 0 ? value + length : value
    }
  }
}
