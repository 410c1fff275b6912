import TensorCore

/// What one request costs, known before anything is allocated.
struct RequestMemory {
  /// Bytes that its result keeps: recordings, its run, logits.
  let results: Int
  /// Most rows that any step computes.
  let rows: Int
  let tokens: Int
  /// Rows whose logits are taken over the whole vocabulary.
  let wholeLogitRows: Int
  /// Most rows that a layer takes apart by head.
  let headRows: Int

  /// - Parameter plan: the request's plan where it shares nothing.
  init(_ request: ForwardRequest, _ plan: RowPlan, _ architecture: Architecture) {
    tokens = request.tokens.count
    rows = plan.largest
    let logitRows = request.logits.positions?.count ?? 1
    wholeLogitRows = request.logits.isWhole ? logitRows : 0
    var numbers = request.recordings.reduce(0) {
      $0 + ForwardPass.shape(of: $1, request, architecture).reduce(1, *)
    }
    switch request.logits.tokens {
    case .all: numbers += logitRows * architecture.vocabulary
    case .some(let ids): numbers += logitRows * ids.count
    }
    var bytes = numbers * ActivationShares.floatBytes
    if request.keepsRun || request.extendsBase && request.base?.hasRoom(for: tokens) == false {
      bytes += RecordedRun.byteCount(positions: tokens, architecture)
    }
    results = bytes
    headRows = Self.headRows(request)
  }

  private static func headRows(_ request: ForwardRequest) -> Int {
    var byLayer: [Int: Int] = [:]
    for recording in request.recordings where recording.hook.site == .headResult {
      byLayer[recording.hook.layer ?? 0, default: 0] +=
        recording.positions?.count ?? request.tokens.count
    }
    for case .edit(let edit) in request.interventions where edit.hook.site == .headResult {
      byLayer[edit.hook.layer ?? 0, default: 0] += edit.positions.count
    }
    return min(byLayer.values.max() ?? 0, request.tokens.count)
  }
}

/// What requests that run together cost.
struct BatchMemory {
  /// As the row budget counts them.
  private var rows = 0
  private var computedRows = 0
  private(set) var results = 0
  private var headRows = 0
  private var longest = 0
  private var widest = 0
  private var wholeLogitRows = 0

  /// - Parameter plan: the request's plan without the rows that it shares.
  mutating func add(_ request: RequestMemory, _ plan: RowPlan) {
    rows += plan.widest
    computedRows += plan.largest
    results += request.results
    headRows += request.headRows
    longest = max(longest, request.tokens)
    widest = max(widest, request.rows)
    wholeLogitRows += request.wholeLogitRows
  }

  /// Whether the request fits beside those that are there.
  func hasRoom(for request: RequestMemory, _ plan: RowPlan, _ shares: ActivationShares) -> Bool {
    rows + plan.widest <= shares.rowBudget
      && (request.headRows == 0 || headRows + request.headRows <= shares.headRowBudget)
  }

  /// Bytes of scratch memory.
  func scratch(_ shares: ActivationShares, workers: Int) -> Int {
    let architecture = shares.architecture
    let attention =
      AttentionTask.scratchCount(
        architecture, queries: min(shares.queries(keys: longest), widest), keys: longest) * workers
    let logits = min(wholeLogitRows, shares.logitRows) * architecture.vocabulary
    return computedRows * (shares.rowBytes + ActivationShares.floatBytes)
      + headRows * shares.headRowBytes + (attention + logits) * ActivationShares.floatBytes
  }
}
