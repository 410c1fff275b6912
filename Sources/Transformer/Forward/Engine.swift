import TensorCore

/// Runs requests through a model. Not for use by several threads at once: it holds the scratch memory
/// and shares each pass out over its own threads.
public final class Engine {
  public let model: LanguageModel
  public let pool: ThreadPool
  /// What activations hold, and may hold.
  public let memory: ActivationMemory
  /// Most rows that a batch holds at a time.
  public var rowBudget: Int { shares.rowBudget }
  let shares: ActivationShares
  private let workspace = Workspace(slots: ForwardPass.Slot.allCases.count)
  private var rotary = RotaryTables()

  /// - Parameter memory: bytes for all activations; an eighth of it is for the rows of a batch.
  public convenience init(model: LanguageModel, threads: Int, memory: Int) {
    self.init(model: model, threads: threads, memory: memory, chosenRows: nil)
  }

  /// - Parameter rowBudget: most rows that a batch holds at a time.
  public convenience init(
    model: LanguageModel, threads: Int, rowBudget: Int = 4096, memory: Int = .max
  ) {
    self.init(model: model, threads: threads, memory: memory, chosenRows: rowBudget)
  }

  private init(model: LanguageModel, threads: Int, memory: Int, chosenRows: Int?) {
    self.model = model
    pool = ThreadPool(count: threads)
    self.memory = ActivationMemory(limit: memory)
    shares = ActivationShares(
      limit: memory, chosenRows: chosenRows, architecture: model.architecture)
  }

  /// Runs all requests, in batches that keep to the memory's shares.
  ///
  /// Each result is what the request would give alone, bit for bit.
  ///
  /// - Parameter progress: called after each batch with the number of requests done.
  /// - Throws: `UserError` for a request that does not fit the model, or where what must be alive at
  ///   once does not fit the memory.
  public func forward(
    _ requests: [ForwardRequest], progress: ((Int) -> Void)? = nil
  ) throws -> [ForwardResult] {
    for request in requests { try validate(request) }
    let requests = requests.map(withUsableBase)
    let plans = requests.map { RowPlan($0, layers: model.architecture.layers) }
    let beginnings = SharedBeginnings(
      requests, plans: plans,
      regimes: requests.map { model.architecture.rotaryRegime(length: $0.tokens.count) })
    let costs = zip(requests, plans).map { RequestMemory($0, $1, model.architecture) }
    let batches = batches(beginnings, plans, costs, shares)
    try admit(batches) { self.batches(beginnings, plans, costs, $0) }
    var results = [ForwardResult](repeating: ForwardResult(), count: requests.count)
    var done = 0
    for batch in batches {
      makeRoom(for: batch)
      let pass = ForwardPass(
        model: model, requests: batch.indices.map { requests[$0] }, plans: batch.plans,
        shared: batch.shared,
        rotary: rotary.tables(
          for: model.architecture, lengths: batch.indices.map { requests[$0].tokens.count }),
        pool: pool, workspace: workspace, memory: memory, shares: shares)
      for (index, result) in zip(batch.indices, try pass.run()) { results[index] = result }
      memory.note(scratch: scratchBytes)
      done += batch.indices.count
      progress?(done)
    }
    return results
  }

  public func forward(_ request: ForwardRequest) throws -> ForwardResult {
    try forward([request])[0]
  }

  /// Full runs of several sequences, for other runs to reuse.
  public func record(_ sequences: [[Int]]) throws -> [RecordedRun] {
    try forward(sequences.map { ForwardRequest(tokens: $0, logits: .none, keepsRun: true) })
      .compactMap(\.run)
  }

  /// The request without its base run where the rotations of the two differ, because one of them is
  /// so long that the model scales its frequencies otherwise.
  private func withUsableBase(_ request: ForwardRequest) -> ForwardRequest {
    guard let base = request.base, !request.extendsBase,
      model.architecture.rotaryRegime(length: base.tokens.count)
        != model.architecture.rotaryRegime(length: request.tokens.count)
    else { return request }
    var alone = request
    alone.base = nil
    return alone
  }

  /// Requests that run together.
  private struct Batch {
    var indices: [Int] = []
    /// Without the rows that the request before computes.
    var plans: [RowPlan] = []
    /// Positions that each leaves to the one before it.
    var shared: [Int] = []
    var memory = BatchMemory()
  }

  private func batches(
    _ beginnings: SharedBeginnings, _ plans: [RowPlan], _ costs: [RequestMemory],
    _ shares: ActivationShares
  ) -> [Batch] {
    var batches: [Batch] = []
    for (index, shared) in zip(beginnings.order, beginnings.shared) {
      var plan = plans[index].dropping(before: shared)
      let fits = batches.last?.memory.hasRoom(for: costs[index], plan, shares) ?? false
      if !fits {
        batches.append(Batch())
        plan = plans[index]
      }
      batches[batches.count - 1].indices.append(index)
      batches[batches.count - 1].plans.append(plan)
      batches[batches.count - 1].shared.append(fits ? shared : 0)
      batches[batches.count - 1].memory.add(costs[index], plan)
    }
    return batches
  }

  /// Bytes that must be alive at once: what is alive, all results, and one batch's scratch memory.
  private func needed(_ batches: [Batch], _ shares: ActivationShares) -> Int {
    memory.live + batches.reduce(0) { $0 + $1.memory.results }
      + (batches.map { $0.memory.scratch(shares, workers: pool.count) }.max() ?? 0)
  }

  /// - Parameter cut: the batches with other shares.
  /// - Throws: `UserError` that says how much memory would do, where `batches` need more than there is.
  private func admit(_ batches: [Batch], cut: (ActivationShares) -> [Batch]) throws {
    let needed = needed(batches, shares)
    guard needed > memory.limit else { return }
    // With more memory a batch is larger, but by an eighth of it only.
    var enough = needed
    for _ in 0..<64 {
      let larger = shares.with(limit: enough)
      let wanted = self.needed(cut(larger), larger)
      if wanted <= enough { break }
      enough = max(wanted, enough + enough / 8)
    }
    func megabytes(_ bytes: Int) -> Int { bytes >> 20 + (bytes & 0xFFFFF == 0 ? 0 : 1) }
    throw UserError(
      "activations that must be held at once need \(megabytes(needed)) MB, "
        + "allowed are \(memory.limit >> 20) MB", at: "--memory",
      remedy: "use --memory \(megabytes(enough)), or fewer or shorter prompts")
  }

  /// Bytes of scratch memory that is held, but for unpacked weights.
  private var scratchBytes: Int {
    ForwardPass.Slot.allCases.reduce(0) {
      $0 + ($1 == .panel ? 0 : workspace.byteCount(of: $1.rawValue))
    }
  }

  /// Lets go of scratch memory of earlier batches where it would not fit beside the next.
  private func makeRoom(for batch: Batch) {
    let coming = batch.memory.results + batch.memory.scratch(shares, workers: pool.count)
    if memory.live + coming + scratchBytes > memory.limit { workspace.empty() }
  }

  func validate(_ request: ForwardRequest) throws {
    let architecture = model.architecture
    let length = request.tokens.count
    guard length > 0 else {
      throw UserError("the prompt has no tokens", remedy: "give at least one", status: .usage)
    }
    guard length <= architecture.contextLength else {
      throw UserError(
        "the prompt has \(length) tokens, the model takes \(architecture.contextLength)",
        at: model.path, remedy: "use a shorter prompt or fewer demonstrations")
    }
    for token in request.tokens where token < 0 || token >= architecture.vocabulary {
      throw UserError(
        "token \(token) is not in the vocabulary of \(architecture.vocabulary)", at: model.path,
        remedy: "use ids 0 to \(architecture.vocabulary - 1)")
    }
    if let base = request.base {
      guard base.layers == architecture.layers, base.width == architecture.width else {
        throw UserError(
          "the base run is of another model", at: model.path, remedy: "record it with this one")
      }
    }
    if request.extendsBase { try validateExtension(request) }
    for intervention in request.interventions {
      try intervention.validate(for: architecture, length: length)
    }
    for recording in request.recordings {
      let place = recording.hook.description
      try recording.hook.validate(for: architecture)
      for position in recording.positions ?? [] where position < 0 || position >= length {
        throw UserError(
          "position \(position) is out of range", at: place, remedy: "use 0 to \(length - 1)")
      }
      guard Set(recording.positions ?? []).count == recording.positions?.count ?? 0 else {
        throw UserError(
          "a position is recorded twice", at: place, remedy: "name each position once")
      }
    }
    for position in request.logits.positions ?? [] where position < 0 || position >= length {
      throw UserError(
        "position \(position) is out of range", at: "logits", remedy: "use 0 to \(length - 1)")
    }
    if let reference = request.logits.reference, reference.count != architecture.vocabulary {
      throw UserError(
        "the reference has \(reference.count) values, the vocabulary \(architecture.vocabulary)",
        at: "logits", remedy: "use log probabilities of the same model")
    }
    if case .some(let ids) = request.logits.tokens {
      for id in ids where id < 0 || id >= architecture.vocabulary {
        throw UserError(
          "token \(id) is not in the vocabulary of \(architecture.vocabulary)", at: "logits",
          remedy: "use ids 0 to \(architecture.vocabulary - 1)")
      }
    }
  }

  /// - Throws: `UserError` where the request is not its base with tokens behind it, or looks at what
  ///   is not computed.
  private func validateExtension(_ request: ForwardRequest) throws {
    let first = request.base?.tokens.count ?? 0
    guard let base = request.base, request.tokens.count > first,
      request.tokens.starts(with: base.tokens), !request.keepsRun
    else {
      throw UserError(
        "the sequence is not its base run with tokens behind it", at: model.path,
        remedy: "extend a run by at least one token")
    }
    let touched =
      request.interventions.map { $0.touchedPositions.first ?? 0 }
      + request.recordings.map { $0.positions?.first ?? 0 }
      + [request.logits.positions.map { $0.min() ?? first } ?? first]
    guard touched.allSatisfy({ $0 >= first }) else {
      throw UserError(
        "a run is extended, and something is wanted of position \(touched.min() ?? 0) before its end",
        at: model.path, remedy: "name positions from \(first) on")
    }
  }
}
