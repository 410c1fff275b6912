import TensorCore
import Transformer

/// Exact path patching between heads (Wang et al. 2022): do the answers reach the last position
/// directly, or through later answers? Windows of layers first, then single heads of the strongest edge.
struct PathPatching: Experiment {
  typealias Row = PathPatchingRow
  static let kind = "path"
  static let version = 1

  let donor: Donor
  /// First layers of windows of senders and of receivers; layers of a window.
  let senders: LayerList
  let receivers: LayerList
  let window: Int
  let mlps: MLPTreatment
  let inputs: [ReceiverInput]
  /// Pairs of heads that are followed up, those of the largest mean effect on development episodes.
  let heads: Int
  /// Development episodes that choose senders, edges and heads.
  let development: Int

  init(_ keys: ProbeKeys) throws {
    donor = try keys.word("donor", or: .swappedSlots)
    window = try keys.integer("window", 1...1000, or: 5)
    senders = keys.has("senders") ? try keys.layers("senders") : .every(window)
    receivers = keys.has("receivers") ? try keys.layers("receivers") : .every(window)
    mlps = try keys.word("mlps", or: .recomputed)
    inputs = try keys.words("inputs", or: ReceiverInput.allCases)
    heads = try keys.integer("heads", 0...1000, or: 10)
    development = try keys.integer("development", 1...1000, or: 8)
  }

  /// The word in units that measure pairs of heads.
  static let headPart = "heads"

  func plan(_ probe: String, _ setting: Setting) throws -> Plan {
    let task: RuleTask
    switch setting.subject.task(patchedFrom: [donor]) {
    case .success(let found): task = found
    case .failure(let reason): return .skipped(reason.text)
    }
    guard setting.demonstrations > 1 else {
      return .skipped("one demonstration has no later answers")
    }
    let layers = setting.architecture.layers
    guard layers > 1 else { return .skipped("a model of one layer has no later heads") }
    let (senders, receivers) = (
      try windows(self.senders, layers, probe), try windows(self.receivers, layers, probe)
    )
    func key(_ split: Split, _ index: Int, _ part: String? = nil) -> UnitKey {
      UnitKey(probe: probe, task: task.name, split: split, episode: index, part: part)
    }
    let choosing = (0..<development).map { key(.development, $0) }
    let hasEdges = senders.contains { sender in
      receivers.contains { $0.layers.upperBound > sender.layers.lowerBound }
    }
    let following =
      heads > 0 && hasEdges ? (0..<development).map { key(.development, $0, Self.headPart) } : []
    let check = { @Sendable (index: Int, split: Split) in
      { @Sendable (laboratory: Laboratory) in
        try laboratory.check(donor, laboratory.episode(task, index, split), task)
      }
    }
    let cost = windowCost(setting, senders, receivers)
    var units = choosing.indices.map { index in
      Unit(
        Self.self, choosing[index], cost: cost, check: check(index, .development),
        compute: { laboratory, _ in
          try windowRows(patch(laboratory, task, index, .development), senders, receivers)
        })
    }
    units += following.indices.map { index in
      Unit(
        Self.self, following[index], needs: choosing,
        cost: 4 * setting.wholeRun
          + (window * setting.architecture.heads) * (window * setting.architecture.heads)
            * layers / 2,
        check: check(index, .development),
        compute: { laboratory, needed in
          let edge = try Self.strongest(.answerToLast, in: needed.rows(of: choosing))
          return try edge.map {
            try headRows(
              patch(laboratory, task, index, .development),
              pairs(of: $0, setting.architecture.heads))
          } ?? []
        })
    }
    units += (0..<setting.episodes).map { index in
      Unit(
        Self.self, key(setting.split, index), needs: following, cost: cost,
        check: check(index, setting.split),
        compute: { laboratory, needed in
          let patch = try patch(laboratory, task, index, setting.split)
          let pairs = Self.strongestHeads(heads, in: try needed.rows(of: following))
          return try windowRows(patch, senders, receivers) + headRows(patch, pairs)
        })
    }
    return .units(units)
  }

  /// Windows of a model with `count` layers, cut at its end.
  func windows(_ starts: LayerList, _ count: Int, _ probe: String) throws -> [HeadSet] {
    try starts.resolved(count, probe: probe).map {
      HeadSet($0...min($0 + window, count) - 1)
    }
  }

  private func windowCost(_ setting: Setting, _ senders: [HeadSet], _ receivers: [HeadSet]) -> Int {
    let above = senders.reduce(0) { $0 + setting.architecture.layers - $1.layers.lowerBound }
    // All paths, and those through the answers; one row a run for single answers; runs to the logits.
    return 4 * setting.wholeRun + above * (setting.tokens + 4 * setting.demonstrations)
      + above * receivers.count * setting.demonstrations
  }

  private func patch(
    _ laboratory: Laboratory, _ task: RuleTask, _ index: Int, _ split: Split
  ) throws -> PathPatch {
    try PathPatch(
      laboratory, laboratory.pair(donor, laboratory.episode(task, index, split), task), mlps: mlps,
      inputs: inputs)
  }

  // MARK: - Choices

  /// Senders, and receivers where the class has them, of the largest mean effect, the first of equals.
  static func strongest(_ path: PathClass, in rows: [PathPatchingRow])
    -> (senders: HeadSet, receivers: HeadSet?)?
  {
    ranked(rows.filter { $0.path == path && $0.senders.head == nil }).first
  }

  /// The `count` pairs of heads of the largest mean effects.
  static func strongestHeads(_ count: Int, in rows: [PathPatchingRow])
    -> [(senders: HeadSet, receivers: HeadSet)]
  {
    ranked(rows.filter { $0.path == .answerToLast && $0.senders.head != nil }).prefix(count)
      .compactMap { pair in pair.receivers.map { (pair.senders, $0) } }
  }

  private static func ranked(_ rows: [PathPatchingRow])
    -> [(senders: HeadSet, receivers: HeadSet?)]
  {
    var order: [[HeadSet]] = []
    var sums: [[HeadSet]: (sum: Double, count: Int)] = [:]
    for row in rows {
      let key = [row.senders] + (row.receivers.map { [$0] } ?? [])
      if sums[key] == nil { order.append(key) }
      sums[key, default: (0, 0)].sum += row.outcome.effect
      sums[key, default: (0, 0)].count += 1
    }
    let means = order.map { key in sums[key].map { $0.sum / Double($0.count) } ?? 0 }
    return order.indices.sorted { (-means[$0], $0) < (-means[$1], $1) }.map {
      (order[$0][0], order[$0].count > 1 ? order[$0][1] : nil)
    }
  }

  /// All pairs of one head of the senders with a later one of the receivers.
  private func pairs(of edge: (senders: HeadSet, receivers: HeadSet?), _ heads: Int)
    -> [(senders: HeadSet, receivers: HeadSet)]
  {
    func single(_ set: HeadSet) -> [HeadSet] {
      set.layers.flatMap { layer in (0..<heads).map { HeadSet(layer...layer, head: $0) } }
    }
    guard let receivers = edge.receivers else { return [] }
    return single(edge.senders).flatMap { sender in
      single(receivers).filter { $0.layers.lowerBound > sender.layers.lowerBound }
        .map { (sender, $0) }
    }
  }
}
