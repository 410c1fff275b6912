/// The attention of several sequences of different lengths, whose rows lie one after the other: each
/// query sees the positions up to its own, within a window, and heads share keys by groups.
public struct CausalAttention: Sendable {
  /// One sequence's part of the rows.
  public struct Sequence: Sendable {
    /// Rows of `query`, ascending in position.
    public var queries: Range<Int>
    /// Their positions.
    public var positions: [Int]
    /// Rows of `key` and `value`, of consecutive positions.
    public var keys: Range<Int>
    /// Keys and values of the positions before those, constants; nil where there are none.
    public var past: Past?

    public init(queries: Range<Int>, positions: [Int], keys: Range<Int>, past: Past? = nil) {
      precondition(queries.count == positions.count)
      self.queries = queries
      self.positions = positions
      self.keys = keys
      self.past = past
    }

    fileprivate var keyCount: Int { (past?.count ?? 0) + keys.count }
  }

  /// Keys and values of the first positions of a sequence, each `[groups, count, headWidth]`.
  public struct Past: Sendable {
    let keys: Tensor
    let values: Tensor

    public init(keys: Tensor, values: Tensor) {
      precondition(keys.shape == values.shape && keys.shape.count == 3)
      self.keys = keys
      self.values = values
    }

    /// Number of positions.
    public var count: Int { keys.shape[1] }
  }

  /// What a backward pass finds at the weights of some queries of one head.
  public struct Observation {
    public let sequence: Int
    public let head: Int
    /// Which of the sequence's queries.
    public let queries: Range<Int>
    /// Keys of a row; beyond those that a query sees all three are 0.
    public let keys: Int
    /// Attention weights, `[queries, keys]`.
    public let pattern: UnsafePointer<Float>
    /// The result's derivative by each weight, all others held.
    public let patternGradient: UnsafePointer<Float>
    /// By each score, scaled and capped.
    public let scoreGradient: UnsafePointer<Float>
  }

  public var sequences: [Sequence]
  public var heads: Int
  /// Heads of keys and values.
  public var groups: Int
  public var headWidth: Int
  /// Factor of the inner products.
  public var scale: Float
  /// Bound that scores approach smoothly, or none.
  public var softCap: Float?
  /// How many of the latest positions a query sees, itself included; nil for all.
  public var window: Int?
  /// Called on the threads of the backward pass, each head's queries once.
  public var observer: (@Sendable (Observation) -> Void)?

  public init(
    sequences: [Sequence], heads: Int, groups: Int, headWidth: Int, scale: Float,
    softCap: Float? = nil, window: Int? = nil,
    observer: (@Sendable (Observation) -> Void)? = nil
  ) {
    self.sequences = sequences
    self.heads = heads
    self.groups = groups
    self.headWidth = headWidth
    self.scale = scale
    self.softCap = softCap
    self.window = window
    self.observer = observer
  }

  /// `softmax(cap(scale · q · kᵀ)) · v` head by head.
  ///
  /// Weights are computed again in the backward pass, so that only the inputs are kept. The pullback
  /// has no derivative of its own.
  ///
  /// - Parameters:
  ///   - query: `[rows, heads · headWidth]`.
  ///   - key, value: `[rows, groups · headWidth]`.
  /// - Returns: `[rows, heads · headWidth]`, a row for each query.
  public func callAsFunction(query: Tensor, key: Tensor, value: Tensor) -> Tensor {
    precondition(
      query.columns == heads * headWidth && key.columns == groups * headWidth
        && value.shape == key.shape && heads % groups == 0,
      "attention of queries \(query.shape), keys \(key.shape) and values \(value.shape)")
    return forward(query, key, value).recorded(jointly: [query, key, value]) { gradient, needs in
      precondition(!gradient.isRecorded, "the attention's gradient has no gradient of its own")
      let all = backward(gradient, query, key, value)
      return zip(all, needs).map { $1 ? $0 : nil }
    }
  }

  /// Queries of a task: scores of long sequences stay small.
  private static let mostQueries = 64

  private var scratchCount: Int {
    (sequences.map(\.keyCount).max() ?? 0) * Self.mostQueries
  }

  private func forward(_ query: Tensor, _ key: Tensor, _ value: Tensor) -> Tensor {
    let out = FloatBuffer(count: query.count)
    let rows = Rows(query: query.storage, key: key.storage, value: value.storage)
    let pool = Compute.pool
    let scratch = FloatBuffer(count: scratchCount * pool.count)
    pool.forEachOnWorker(sequences.count * heads) { task, worker in
      let (index, head) = (task / heads, task % heads)
      let sequence = sequences[index]
      let weights = scratch.pointer + worker * scratchCount
      for part in blocks(sequence) {
        weigh(sequence, head, part, rows, into: weights)
        for piece in pieces(sequence, head, rows) {
          gemm(
            m: part.count, n: headWidth, k: piece.count, a: weights + piece.first,
            strideA: sequence.keyCount, b: piece.values, strideB: piece.stride, transposeB: false,
            c: out.pointer + offset(sequence, part, head), strideC: heads * headWidth,
            target: piece.first > 0 ? .added : .replaced)
        }
      }
    }
    return Tensor(adopting: out, shape: query.shape)
  }

  private func backward(_ gradient: Tensor, _ query: Tensor, _ key: Tensor, _ value: Tensor)
    -> [Tensor]
  {
    let rows = Rows(query: query.storage, key: key.storage, value: value.storage)
    let gradients = gradient.storage
    let queryOut = FloatBuffer(count: query.count)
    // Rows that no sequence owns, and keys that nobody sees.
    let (keyOut, valueOut) = (Tensor(zeros: key.shape), Tensor(zeros: value.shape))
    let (keySums, valueSums) = (keyOut.storage, valueOut.storage)
    let perGroup = heads / groups
    let pool = Compute.pool
    let size = scratchCount
    let memory = FloatBuffer(count: 4 * size * pool.count)
    pool.forEachOnWorker(sequences.count * groups) { task, worker in
      let (index, group) = (task / groups, task % groups)
      let sequence = sequences[index]
      let keys = sequence.keyCount
      let past = sequence.past?.count ?? 0
      let scratch = Scratch(memory.pointer + worker * 4 * size, size: size)
      let (queryStride, keyStride) = (heads * headWidth, groups * headWidth)
      let own = sequence.keys.lowerBound * keyStride + group * headWidth
      for head in group * perGroup..<(group + 1) * perGroup {
        let pieces = pieces(sequence, head, rows)
        for part in blocks(sequence) {
          weigh(sequence, head, part, rows, into: scratch.weights, slopes: scratch.slopes)
          let place = offset(sequence, part, head)
          let incoming = gradients.pointer + place
          for piece in pieces {
            gemm(
              m: part.count, n: piece.count, k: headWidth, a: incoming, strideA: queryStride,
              b: piece.values, strideB: piece.stride, transposeB: true,
              c: scratch.gradients + piece.first, strideC: keys)
          }
          scoreGradients(index, part, head: head, scratch)
          for piece in pieces {
            gemm(
              m: part.count, n: headWidth, k: piece.count, a: scratch.scores + piece.first,
              strideA: keys, b: piece.keys, strideB: piece.stride, transposeB: false,
              c: queryOut.pointer + place, strideC: queryStride,
              target: piece.first > 0 ? .added : .replaced)
          }
          gemm(
            m: sequence.keys.count, n: headWidth, k: part.count, a: scratch.scores + past,
            strideA: keys, transposeA: true, b: rows.query.pointer + place, strideB: queryStride,
            transposeB: false, c: keySums.pointer + own, strideC: keyStride, target: .added)
          gemm(
            m: sequence.keys.count, n: headWidth, k: part.count, a: scratch.weights + past,
            strideA: keys, transposeA: true, b: incoming, strideB: queryStride, transposeB: false,
            c: valueSums.pointer + own, strideC: keyStride, target: .added)
        }
      }
    }
    return [Tensor(adopting: queryOut, shape: query.shape), keyOut, valueOut]
  }

  private struct Rows {
    let query: FloatBuffer
    let key: FloatBuffer
    let value: FloatBuffer
  }

  /// Consecutive keys and values of one group.
  private struct Piece {
    let first: Int
    let count: Int
    let keys: UnsafePointer<Float>
    let values: UnsafePointer<Float>
    let stride: Int
  }

  private func blocks(_ sequence: Sequence) -> [Range<Int>] {
    stride(from: 0, to: sequence.queries.count, by: Self.mostQueries).map {
      $0..<min($0 + Self.mostQueries, sequence.queries.count)
    }
  }

  private func offset(_ sequence: Sequence, _ part: Range<Int>, _ head: Int) -> Int {
    (sequence.queries.lowerBound + part.lowerBound) * heads * headWidth + head * headWidth
  }

  private func pieces(_ sequence: Sequence, _ head: Int, _ rows: Rows) -> [Piece] {
    let group = head / (heads / groups)
    let start = sequence.keys.lowerBound * groups * headWidth + group * headWidth
    let past = sequence.past.map {
      let start = group * $0.count * headWidth
      return Piece(
        first: 0, count: $0.count, keys: $0.keys.storage.pointer + start,
        values: $0.values.storage.pointer + start, stride: headWidth)
    }
    let own = Piece(
      first: past?.count ?? 0, count: sequence.keys.count, keys: rows.key.pointer + start,
      values: rows.value.pointer + start, stride: groups * headWidth)
    return (past.map { [$0] } ?? []) + (own.count > 0 ? [own] : [])
  }

  /// Attention weights of some queries, `[queries, keys]`.
  ///
  /// - Parameter slopes: takes, where there is a cap, its derivative at each score.
  private func weigh(
    _ sequence: Sequence, _ head: Int, _ part: Range<Int>, _ rows: Rows,
    into weights: UnsafeMutablePointer<Float>, slopes: UnsafeMutablePointer<Float>? = nil
  ) {
    let keys = sequence.keyCount
    for piece in pieces(sequence, head, rows) {
      gemm(
        m: part.count, n: piece.count, k: headWidth,
        a: rows.query.pointer + offset(sequence, part, head), strideA: heads * headWidth,
        b: piece.keys, strideB: piece.stride, transposeB: true, c: weights + piece.first,
        strideC: keys)
    }
    for (index, query) in part.enumerated() {
      let row = weights + index * keys
      let seen = visible(sequence.positions[query])
      let own = row + seen.lowerBound
      if let softCap {
        TensorCore.softCap(own, count: seen.count, scale: scale, cap: softCap)
        if let slopes {
          let inverse = 1 / softCap
          (slopes + index * keys).update(repeating: 0, count: keys)
          mapLanes(own, count: seen.count, into: slopes + index * keys + seen.lowerBound) {
            1 - $0 * $0 * inverse * inverse
          }
        }
        softmax(own, count: seen.count, scale: 1)
      } else {
        softmax(own, count: seen.count, scale: scale)
      }
      row.update(repeating: 0, count: seen.lowerBound)
      (row + seen.upperBound).update(repeating: 0, count: keys - seen.upperBound)
    }
  }

  private func visible(_ position: Int) -> Range<Int> {
    (window.map { max(0, position + 1 - $0) } ?? 0)..<position + 1
  }

  /// Derivatives by the inner products: `scale · cap′ · a · (g − Σ a · g)`.
  ///
  /// - Parameter scores: takes the derivatives by the scores first, which are observed.
  private func scoreGradients(
    _ index: Int, _ part: Range<Int>, head: Int, _ scratch: Scratch
  ) {
    let sequence = sequences[index]
    let keys = sequence.keyCount
    for (offset, query) in part.enumerated() {
      let seen = visible(sequence.positions[query])
      let start = offset * keys
      let (row, gradient) = (scratch.weights + start, scratch.gradients + start)
      gradient.update(repeating: 0, count: seen.lowerBound)
      (gradient + seen.upperBound).update(repeating: 0, count: keys - seen.upperBound)
      let inner = dot(row, gradient, count: keys)
      mapLanes(row, gradient, count: keys, into: scratch.scores + start) { $0 * ($1 - inner) }
    }
    observer?(
      Observation(
        sequence: index, head: head, queries: part, keys: keys, pattern: scratch.weights,
        patternGradient: scratch.gradients, scoreGradient: scratch.scores))
    let (scores, scale) = (scratch.scores, scale)
    if softCap == nil {
      mapLanes(scores, count: part.count * keys, into: scores) { $0 * scale }
    } else {
      mapLanes(scores, scratch.slopes, count: part.count * keys, into: scores) { $0 * $1 * scale }
    }
  }

  /// Matrices of a task, `[queries, keys]` each.
  private struct Scratch {
    let weights: UnsafeMutablePointer<Float>
    /// Derivatives of the cap; where there is none, not used.
    let slopes: UnsafeMutablePointer<Float>
    /// By the weights.
    let gradients: UnsafeMutablePointer<Float>
    /// By the scores.
    let scores: UnsafeMutablePointer<Float>

    init(_ start: UnsafeMutablePointer<Float>, size: Int) {
      weights = start
      slopes = start + size
      gradients = start + 2 * size
      scores = start + 3 * size
    }
  }
}
