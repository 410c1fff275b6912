import TensorCore
import Transformer

/// Activation patching over a grid: a site × every layer × every position, role or head, from the clean
/// run into the corrupted one (what TransformerLens' `get_act_patch_*` helpers do), on a task's episodes
/// or on a user's own pairs of prompts.
struct Grid: Experiment {
  typealias Row = GridRow
  static let kind = "grid"
  static let version = 1

  struct Panel: Sendable, Equatable {
    let site: GridSite
    let axis: GridAxis
  }

  /// A site without an axis goes by head where it has heads, else by role in episodes and by position
  /// in pairs.
  let sites: [(site: GridSite, axis: GridAxis?)]
  let layers: LayerList

  init(_ keys: ProbeKeys) throws {
    let reader = try keys.required("sites")
    sites = try reader.list().map { reader in
      guard case .object = reader.value else { return (try ProbeKeys.word(reader), nil) }
      let own = try ProbeKeys(reader)
      let (site, axis): (GridSite, GridAxis) = (try own.word("site"), try own.word("by"))
      try own.refuseUnread()
      guard axis != .head || site.site.hasHeads else {
        throw UserError(
          "\(site.rawValue) has no heads", at: reader.place, remedy: "use position or role")
      }
      return (site, axis)
    }
    guard !sites.isEmpty else {
      throw UserError("the list is empty", at: reader.place, remedy: "name at least one site")
    }
    for (index, entry) in sites.enumerated() where sites[..<index].contains(where: { $0 == entry })
    {
      throw UserError(
        "\"\(entry.site.rawValue)\" is named twice", at: reader.place, remedy: "name each once")
    }
    layers = try keys.layers()
  }

  func plan(_ probe: String, _ setting: Setting) throws -> Plan {
    let architecture = setting.architecture
    let layers = try layers.resolved(architecture.layers, probe: probe)
    let panels = try panels(setting.subject)
    let split = setting.split
    let cells = panels.reduce(0) { sum, panel in
      switch panel.axis {
      case .head: sum + panel.site.hook(0).heads(in: architecture)
      case .role: sum + 5
      case .position: sum + setting.tokens
      }
    }
    let cost =
      2 * setting.wholeRun + cells
      * layers.reduce(0) { $0 + (setting.above($1) + setting.tokens) / 2 }
    func unit(
      _ index: Int, _ prompt: @escaping @Sendable (Laboratory) throws -> GridPrompt
    ) -> Unit {
      Unit(
        Self.self,
        UnitKey(probe: probe, task: setting.subject.name, split: split, episode: index),
        cost: cost, check: { _ = try prompt($0) },
        compute: { laboratory, _ in
          try rows(laboratory, prompt(laboratory), panels: panels, layers: layers)
        })
    }
    switch setting.subject {
    case .task(let task):
      return .units(
        (0..<setting.episodes).map { index in
          unit(index) { try $0.gridPrompt(task, index, split) }
        })
    case .pairs(let pairs):
      let wanted = Array(pairs.pairs.prefix(setting.episodes))
      let labels = try PositionLabels(wanted, setting.tokenizer)
      return .units(
        wanted.enumerated().map { index, pair in
          unit(index) { try $0.gridPrompt(pair, labels: labels) }
        })
    }
  }

  private func panels(_ subject: Subject) throws -> [Panel] {
    try sites.map { site, axis in
      let isTask = subject.task != nil
      let chosen = axis ?? (site.site.hasHeads ? .head : isTask ? .role : .position)
      guard chosen != .role || isTask else {
        throw UserError(
          "pairs of prompts have no roles", at: subject.name,
          remedy: "ask for {\"site\": \"\(site.rawValue)\", \"by\": \"position\"}")
      }
      return Panel(site: site, axis: chosen)
    }
  }

  private func rows(
    _ laboratory: Laboratory, _ prompt: GridPrompt, panels: [Panel], layers: [Int]
  ) throws -> [GridRow] {
    let engine = laboratory.engine
    let sites = panels.map(\.site).reduce(into: [GridSite]()) {
      if !$0.contains($1) { $0.append($1) }
    }
    let logits = LogitRequest(tokens: .some([prompt.contrast.right, prompt.contrast.wrong]))
    // Activations of the clean run, site by site, then layer by layer, at all positions.
    let runs = try engine.forward([
      ForwardRequest(
        tokens: prompt.clean,
        recordings: sites.flatMap { site in layers.map { Recording(site.hook($0)) } },
        logits: logits),
      ForwardRequest(tokens: prompt.corrupted, logits: logits, keepsRun: true),
    ])
    let recorded = runs[0].recorded
    guard let base = runs[1].run, let clean = runs[0].logits.last?.logits,
      let corrupted = runs[1].logits.last?.logits
    else { throw UserError("a run gave no logits", at: engine.model.path) }

    // A row depends on the tokens up to its own: before the first that differs both runs are the same,
    // and a patch would put in what is there.
    let same = zip(prompt.clean, prompt.corrupted).prefix { $0 == $1 }.count
    var cells: [(panel: Panel, layer: Int, cell: String?, head: Int?, request: Int?)] = []
    var requests: [ForwardRequest] = []
    for panel in panels {
      guard let number = sites.firstIndex(of: panel.site) else { continue }
      for (index, layer) in layers.enumerated() {
        let hook = panel.site.hook(layer)
        let donor = RowSource(recorded[number * layers.count + index]).tensor
        let heads: [Int?] =
          panel.axis == .head
          ? Array(0..<hook.heads(in: engine.model.architecture)).map(Optional.some) : [nil]
        for cell in prompt.cells(panel.axis) {
          let positions = cell.positions.filter { $0 >= same }
          for head in heads {
            cells.append(
              (
                panel, layer, panel.axis == .head ? nil : cell.label, head,
                positions.isEmpty ? nil : requests.count
              ))
            guard !positions.isEmpty else { continue }
            requests.append(
              ForwardRequest(
                tokens: prompt.corrupted, base: base,
                interventions: [
                  .edit(
                    ActivationEdit(
                      at: hook, positions: positions, heads: head.map { [$0] },
                      change: .replace(RowSource(donor, rows: positions))))
                ], logits: logits))
          }
        }
      }
    }
    let results = try laboratory.run(requests)
    return try cells.map { cell in
      guard let patched = cell.request.map({ results[$0].logits.last?.logits }) ?? corrupted else {
        throw UserError("a run gave no logits", at: engine.model.path)
      }
      return GridRow(
        site: cell.panel.site, axis: cell.panel.axis, layer: cell.layer, cell: cell.cell,
        head: cell.head, patched: patched[0] - patched[1], clean: clean[0] - clean[1],
        corrupted: corrupted[0] - corrupted[1])
    }
  }
}
