import TensorCore

@testable import Transformer

/// Short prompts of SmolLM2 and random interventions on them, the same in every run of the tests.
struct RandomVariants {
  /// "hot -> cold\nbig -> small\nup ->": the prompt `short_full` of the references.
  static let recipient = [12762, 4722, 4011, 198, 17214, 4722, 1165, 198, 1110, 4722]
  /// As long as `recipient`, with "France" and others of the prompt `icl_capitals` from position 4 on.
  static let donor = [12762, 4722, 4011, 198, 33488, 4722, 7042, 198, 19693, 4722]

  enum Kind: CaseIterable { case replace, add, scale, zero }

  /// An edit before its values are known.
  struct Choice {
    var hook: HookPoint
    var kind: Kind
    var positions: [Int]
    /// Rows of the donor's recording.
    var rows: [Int]
    var heads: [Int]?
    var factor: Float

    var name: String { "\(kind) \(hook) positions \(positions) heads \(heads ?? [])" }
  }

  let architecture: Architecture
  private var stream: RandomStream

  init(_ architecture: Architecture, seed: UInt64) {
    self.architecture = architecture
    stream = RandomStream(seed: seed, path: [7])
  }

  /// Between one and `limit` of `0..<count`, in random order.
  mutating func some(of count: Int, atMost limit: Int) -> [Int] {
    stream.sample(1 + stream.integer(below: min(limit, count)), of: Array(0..<count))
  }

  mutating func integer(below bound: Int) -> Int { stream.integer(below: bound) }

  mutating func choice(
    _ site: HookPoint.Site, _ kind: Kind, layers: Range<Int>? = nil,
    length: Int = recipient.count
  ) -> Choice {
    let layers = layers ?? 0..<architecture.layers
    let hook = HookPoint(site, layer: layers.lowerBound + stream.integer(below: layers.count))
    let isEverywhere = stream.integer(below: 6) == 0
    let positions = isEverywhere ? Array(0..<length) : some(of: length, atMost: 3)
    let count = hook.heads(in: architecture)
    // A donor's weights may not lie on keys that the recipient's query does not see, and what is
    // divided by cannot be 0.
    let seesAll = site != .pattern && site != .scores
    return Choice(
      hook: hook, kind: site.isNormScale && kind == .zero ? .scale : kind, positions: positions,
      rows: positions.map { stream.integer(below: seesAll ? length : $0 + 1) },
      heads: site.hasHeads && stream.integer(below: 3) > 0 ? some(of: count, atMost: 3) : nil,
      factor: Float(stream.integer(below: 5)) * 0.5 - (site.isNormScale ? -0.5 : 0.5))
  }

  mutating func knockout(length: Int = recipient.count) -> Intervention {
    let first = stream.integer(below: architecture.layers)
    let last = min(architecture.layers - 1, first + stream.integer(below: 6))
    let queries = some(of: length, atMost: 3)
    return .knockout(
      EdgeKnockout(
        layers: first...last,
        heads: stream.integer(below: 2) == 0 ? nil : some(of: architecture.heads, atMost: 3),
        queries: queries, keys: [stream.integer(below: (queries.max() ?? 0) + 1)]))
  }

  /// The choices as interventions, with values from a run of `tokens`.
  static func interventions(
    _ choices: [Choice], engine: Engine, tokens: [Int] = donor
  ) throws -> [Intervention] {
    let hooks = Array(Set(choices.map(\.hook)))
    let result = try engine.forward(
      ForwardRequest(tokens: tokens, recordings: hooks.map { Recording($0) }, logits: .none))
    let recorded = Dictionary(uniqueKeysWithValues: zip(hooks, result.recorded))
    return choices.map { choice in
      let change: ActivationEdit.Change
      switch (choice.kind, recorded[choice.hook]) {
      case (.replace, let tensor?):
        change = .replace(RowSource(RowSource(tensor).tensor, rows: choice.rows))
      case (.add, let tensor?):
        let half = Tensor(tensor.values.map { $0 / 2 }, shape: tensor.shape)
        change = .add(RowSource(RowSource(half).tensor, rows: choice.rows))
      case (.scale, _): change = .scale(choice.factor)
      default: change = .zero
      }
      return .edit(
        ActivationEdit(
          at: choice.hook, positions: choice.positions, heads: choice.heads, change: change))
    }
  }
}

extension HookPoint {
  /// Every site that SmolLM2 has, in block `layer` where it belongs to one.
  static func all(layer: Int) -> [HookPoint] {
    Site.allCases.filter { $0 != .positionEmbedding }.map { HookPoint($0, layer: layer) }
  }
}

extension ForwardResult {
  /// The logits of all positions that were asked for, one after the other.
  var allLogits: [Float] { logits.flatMap(\.logits) }
}
