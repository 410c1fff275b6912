import TensorCore
import Transformer

/// Activation patching over a grid: a site × every layer × every position, role or head, from the clean
/// run into the corrupted one (what TransformerLens' `get_act_patch_*` helpers do), on a task's episodes
/// or on a user's own pairs of prompts.
struct Grid: Experiment {
  typealias Row = GridRow
  static let kind = "grid"
  static let version = 1

  let panels: GridPanels

  init(_ keys: ProbeKeys) throws { panels = try GridPanels(keys) }

  func plan(_ probe: String, _ setting: Setting) throws -> Plan {
    let layers = try panels.layers.resolved(setting.architecture.layers, probe: probe)
    let panels = try panels.resolved(setting.subject)
    let cost =
      2 * setting.wholeRun + GridPanels.count(panels, setting)
      * layers.reduce(0) { $0 + (setting.above($1) + setting.tokens) / 2 }
    return try GridPanels.units(Self.self, probe, setting, cost: cost) { laboratory, prompt, _ in
      try rows(laboratory, prompt, panels: panels, layers: layers)
    }
  }

  private func rows(
    _ laboratory: Laboratory, _ prompt: GridPrompt, panels: [GridPanels.Panel], layers: [Int]
  ) throws -> [GridRow] {
    let places = prompt.places(panels, layers, laboratory.engine.model.architecture)
    let runs = try laboratory.gridRuns(prompt, places.hooks)
    return try zip(places, laboratory.patched(places, runs)).map { place, patched in
      GridRow(
        site: place.cell.site, axis: place.cell.axis, layer: place.cell.layer,
        cell: place.cell.label, head: place.cell.head, patched: patched,
        clean: runs.cleanDifference, corrupted: runs.corruptedDifference)
    }
  }
}
