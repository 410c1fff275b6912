import TensorCore
import Transformer

/// A cell of a grid: a site at one layer, and what of it is taken together.
struct GridCell: Hashable, Sendable {
  let site: GridSite
  let axis: GridAxis
  let layer: Int
  /// The position's or role's label; nil for heads.
  let label: String?
  /// Nil for all heads, or where the site has none.
  let head: Int?

  var hook: HookPoint { site.hook(layer) }

  /// For tables: "head 3".
  var place: String { head.map { "head \($0)" } ?? label ?? "" }

  /// For sentences.
  var name: String { "\(site.rawValue), layer \(layer), \(place)" }
}

/// Which cells a grid has: its sites, each with what is taken together, at some layers.
struct GridPanels: Sendable {
  struct Panel: Sendable, Equatable {
    let site: GridSite
    let axis: GridAxis
  }

  /// A site without an axis goes by head where it has heads, else by role in episodes and by position
  /// in pairs.
  let sites: [(site: GridSite, axis: GridAxis?)]
  let layers: LayerList

  /// Reads the keys `sites` and `layers`.
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

  func resolved(_ subject: Subject) throws -> [Panel] {
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

  /// About how many cells a prompt's grid has at one layer.
  static func count(_ panels: [Panel], _ setting: Setting) -> Int {
    panels.reduce(0) { sum, panel in
      switch panel.axis {
      case .head: sum + panel.site.hook(0).heads(in: setting.architecture)
      case .role: sum + 5
      case .position: sum + setting.tokens
      }
    }
  }

  /// One unit a prompt of the subject: `prompt` makes it.
  static func units<Kind: RowKind>(
    _ kind: Kind.Type, _ probe: String, _ setting: Setting, cost: Int,
    compute: @escaping @Sendable (Laboratory, GridPrompt, UnitKey) throws -> [Kind.Row]
  ) throws -> Plan {
    let split = setting.split
    func unit(
      _ index: Int, _ prompt: @escaping @Sendable (Laboratory) throws -> GridPrompt
    ) -> Unit {
      let key = UnitKey(probe: probe, task: setting.subject.name, split: split, episode: index)
      return Unit(
        kind, key, cost: cost, check: { _ = try prompt($0) },
        compute: { laboratory, _ in try compute(laboratory, prompt(laboratory), key) })
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
}

/// A cell in one prompt.
struct GridPlace {
  let cell: GridCell
  /// Positions that a patch changes: a row depends on the tokens up to its own, and before the first
  /// that differs both runs are the same.
  let positions: [Int]
}

extension [GridPlace] {
  /// Each hook point once.
  var hooks: [HookPoint] {
    var seen: Set<HookPoint> = []
    return map(\.cell.hook).filter { seen.insert($0).inserted }
  }
}

extension GridPrompt {
  /// The cells of `panels` at `layers`, panel by panel, then layer by layer.
  func places(_ panels: [GridPanels.Panel], _ layers: [Int], _ architecture: Architecture)
    -> [GridPlace]
  {
    let same = zip(clean, corrupted).prefix { $0 == $1 }.count
    return panels.flatMap { panel in
      let heads: [Int?] =
        panel.axis == .head
        ? Array(0..<panel.site.hook(0).heads(in: architecture)).map(Optional.some) : [nil]
      return layers.flatMap { layer in
        cells(panel.axis).flatMap { cell in
          let positions = cell.positions.filter { $0 >= same }
          return heads.map { head in
            GridPlace(
              cell: GridCell(
                site: panel.site, axis: panel.axis, layer: layer,
                label: panel.axis == .head ? nil : cell.label, head: head),
              positions: positions)
          }
        }
      }
    }
  }
}

/// The two runs of a grid's prompt.
struct GridRuns {
  let prompt: GridPrompt
  /// Activations at all positions.
  let clean: [HookPoint: Tensor]
  /// The same of the corrupted run, where they were asked for.
  let corrupted: [HookPoint: Tensor]
  let base: RecordedRun
  /// logit(right) − logit(wrong).
  let cleanDifference: Float
  let corruptedDifference: Float
}

extension Laboratory {
  /// - Parameter recordsCorrupted: whether the corrupted run's activations are kept, too.
  func gridRuns(_ prompt: GridPrompt, _ hooks: [HookPoint], recordsCorrupted: Bool = false) throws
    -> GridRuns
  {
    let logits = LogitRequest(tokens: .some([prompt.contrast.right, prompt.contrast.wrong]))
    let recordings = hooks.map { Recording($0) }
    let runs = try engine.forward([
      ForwardRequest(tokens: prompt.clean, recordings: recordings, logits: logits),
      ForwardRequest(
        tokens: prompt.corrupted, recordings: recordsCorrupted ? recordings : [], logits: logits,
        keepsRun: true),
    ])
    guard let base = runs[1].run else {
      throw UserError("a run gave no logits", at: engine.model.path)
    }
    func activations(_ run: ForwardResult) -> [HookPoint: Tensor] {
      Dictionary(zip(hooks, run.recorded), uniquingKeysWith: { first, _ in first })
    }
    return GridRuns(
      prompt: prompt, clean: activations(runs[0]), corrupted: activations(runs[1]), base: base,
      cleanDifference: try logitDifference(runs[0]),
      corruptedDifference: try logitDifference(runs[1]))
  }

  private func logitDifference(_ result: ForwardResult) throws -> Float {
    guard let logits = result.logits.last?.logits, logits.count == 2 else {
      throw UserError("a run gave no logits", at: engine.model.path)
    }
    return logits[0] - logits[1]
  }

  /// logit(right) − logit(wrong) of the corrupted run with each place patched from the clean one.
  func patched(_ places: [GridPlace], _ runs: GridRuns) throws -> [Float] {
    let contrast = runs.prompt.contrast
    let logits = LogitRequest(tokens: .some([contrast.right, contrast.wrong]))
    var requests: [ForwardRequest] = []
    let numbers = places.map { place -> Int? in
      guard !place.positions.isEmpty, let donor = runs.clean[place.cell.hook] else { return nil }
      defer {
        requests.append(
          ForwardRequest(
            tokens: runs.prompt.corrupted, base: runs.base,
            interventions: [
              .edit(
                ActivationEdit(
                  at: place.cell.hook, positions: place.positions,
                  heads: place.cell.head.map { [$0] },
                  change: .replace(RowSource(donor, rows: place.positions))))
            ], logits: logits))
      }
      return requests.count
    }
    let results = try run(requests)
    return try numbers.map { number in
      try number.map { try logitDifference(results[$0]) } ?? runs.corruptedDifference
    }
  }
}
