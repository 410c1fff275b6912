import TensorCore

/// Position groups patched together, layer by layer, from a donor's run into the same prompt under the
/// flipped rule: where is the rule, and after which layer?
struct LayerSweep: Experiment {
  typealias Row = LayerSweepRow
  static let kind = "layer-sweep"
  static let version = 1

  let donor: Donor
  let groups: [PositionGroup]
  let layers: LayerList
  /// The layer that sentences speak of; it is patched whatever `layers` says. Without it there are
  /// curves and no sentences.
  let choice: LayerChoice?

  init(_ keys: ProbeKeys) throws {
    donor = try keys.word("donor")
    groups = try keys.words("positions")
    layers = try keys.layers()
    choice = try keys.reader("layer").map { try LayerChoice($0) }
  }

  func plan(_ probe: String, _ setting: Setting) throws -> Plan {
    let task: RuleTask
    switch setting.subject.task(patchedFrom: [donor] + (choice?.donors ?? [])) {
    case .success(let found): task = found
    case .failure(let reason): return .skipped(reason.text)
    }
    let listed = try layers.resolved(setting.architecture.layers, probe: probe)
    try choice?.validate(setting.architecture.layers, probe: probe)
    let choosing = choice?.units(task, setting) ?? []
    let rows = listed.reduce(0) { sum, layer in
      sum + self.groups.reduce(0) { $0 + ($1 == .last ? 1 : setting.tokens) }
        * (setting.architecture.layers - 1 - layer)
    }
    let (donor, groups, choice, split) = (donor, groups, choice, setting.split)
    return .units(
      choosing
        + (0..<setting.episodes).map { index in
          Unit(
            Self.self, UnitKey(probe: probe, task: task.name, split: split, episode: index),
            needs: choosing.map(\.key), cost: 2 * setting.wholeRun + rows,
            check: { try $0.check(donor, $0.episode(task, index, split), task) },
            compute: { laboratory, needed in
              let chosen = try choice?.layer(task, needed)
              return try laboratory.sweep(
                donor, task, index, split, groups: groups,
                layers: Set(listed + (chosen.map { [$0] } ?? [])).sorted())
            })
        })
  }
}
