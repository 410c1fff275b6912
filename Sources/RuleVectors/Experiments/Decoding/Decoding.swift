import Reports
import TensorCore

/// Linear decoders of rule, label and category from vectors at answer and input positions, on words,
/// pairs of classes and surface forms that they have not seen; the geometry of the vectors; and, for
/// the same episodes and layers, what patching them does. What can be decoded need not be used.
struct Decoding: Experiment {
  typealias Row = DecodingRow
  static let kind = "decoding"
  static let version = 1

  let layers: LayerList
  /// Development episodes that choose the layer that sentences speak of.
  let development: Int
  /// Fewest permutations of a test.
  let permutations: Int
  /// Names of surface forms beside the task's first; nil for those that differ from it in one thing.
  let forms: [String]?
  /// Whose vectors are patched into the flipped prompts.
  let donors: [Donor]

  init(_ keys: ProbeKeys) throws {
    layers = try keys.layers()
    development = try keys.integer("development", DecodingDesign.fewest...1000, or: 12)
    permutations = try keys.integer("permutations", 99...100_000, or: 500)
    forms = keys.has("formats") ? try keys.texts("formats") : nil
    donors = try keys.words("donors", or: Donor.allCases)
  }

  /// Small p values are found to a hundredth of what the fewest permutations could say.
  var draws: SequentialMonteCarlo {
    SequentialMonteCarlo(least: permutations, most: 40 * permutations, exceedances: 25)
  }

  func plan(_ probe: String, _ setting: Setting) throws -> Plan {
    let task: RuleTask
    switch setting.subject.task(patchedFrom: donors) {
    case .success(let found): task = found
    case .failure(let reason): return .skipped(reason.text)
    }
    guard case .categorization(let classes, _) = task.items else {
      return .skipped("a \(task.kind.rawValue) task has no classes to bind to labels")
    }
    guard task.classCount == 2 else {
      return .skipped("a rule is told from its opposite, which takes two classes an episode")
    }
    guard !task.hasFixedLabels || classes.count == 2 else {
      return .skipped("all pairs of classes must share two labels")
    }
    guard setting.demonstrations > 1 else {
      return .skipped("a prompt must show both of its classes")
    }
    func words(_ split: Split) -> Int {
      classes.map { split.items(of: $0.words).count }.min() ?? 0
    }
    let reported = DecodingDesign(
      classes: classes.count, words: words(setting.split), demonstrations: setting.demonstrations,
      episodes: setting.episodes)
    let choosing = DecodingDesign(
      classes: classes.count, words: words(.development), demonstrations: setting.demonstrations,
      episodes: development, leagues: reported.leagues)
    guard reported.meetings.count >= DecodingDesign.fewest else {
      return .skipped(
        setting.episodes < DecodingDesign.fewest
          ? "decoders need \(DecodingDesign.fewest) episodes or more"
          : "the task has words for \(reported.meetings.count) episodes that share none, and "
            + "decoders need \(DecodingDesign.fewest)")
    }
    func isTestable(_ design: DecodingDesign) -> Bool {
      DecodingDesign.HeldOut.allCases.contains { !design.folds($0).isEmpty }
    }
    guard isTestable(reported) else {
      return .skipped("too few pairs of classes meet twice, or have classes that meet others")
    }
    let layers = [-1] + (try layers.resolved(setting.architecture.layers, probe: probe))
    let forms = try chosenForms(of: task)
    // What cannot be tested cannot choose.
    return .units(
      [(Split.development, choosing), (setting.split, reported)].filter { isTestable($0.1) }
        .flatMap { split, design in
          units(probe, task, forms, layers, split, design, setting)
        })
  }

  /// The task as it is, and in other surface forms.
  ///
  /// - Throws: `UserError` for a form that the task does not have.
  func chosenForms(of task: RuleTask) throws -> [DecodingForm] {
    let own = task.format
    let others: [RuleTask]
    if let forms {
      others = try forms.map { try task.formatted(by: $0.split(separator: "/").map(String.init)) }
    } else {
      // Another template, other labels, another language: one thing at a time.
      let differences: [(Format) -> Bool] = [
        { $0.labels == own.labels && $0.language == own.language },
        { $0.template == own.template && $0.language == own.language },
        { $0.template == own.template && $0.labels == own.labels },
      ]
      others = try differences.compactMap { isAlike in
        try task.formats.first { $0 != own && isAlike($0) }.map { try task.formatted(as: $0) }
      }
    }
    return [DecodingForm(name: own.name, task: task)]
      + others.filter { $0.format != own }.map { DecodingForm(name: $0.format.name, task: $0) }
  }

  private func units(
    _ probe: String, _ task: RuleTask, _ forms: [DecodingForm], _ layers: [Int], _ split: Split,
    _ design: DecodingDesign, _ setting: Setting
  ) -> [Unit] {
    @Sendable func key(_ index: Int) -> UnitKey {
      UnitKey(probe: probe, task: task.name, split: split, episode: index)
    }
    let isChoosing = split == .development
    let patched = isChoosing ? [] : layers.filter { $0 >= 0 }
    let patchCost = patched.reduce(0) { $0 + setting.above($1) } * donors.count
    let episodes = design.meetings.indices.map { index in
      Unit(
        Self.self, key(index),
        cost: (2 * forms.count + (isChoosing ? 0 : 2)) * setting.wholeRun + patchCost,
        check: { laboratory in
          for form in forms {
            let episode = try design.episode(index, form.task, split: split, seed: laboratory.seed)
            for drawn in [episode, try episode.flippedRule()] {
              _ = try laboratory.prompt(drawn, form.task).contrast(
                right: episode.right, wrong: episode.wrong)
            }
          }
          let episode = try design.episode(index, task, split: split, seed: laboratory.seed)
          for donor in isChoosing ? [] : donors { try laboratory.check(donor, episode, task) }
        },
        compute: { laboratory, _ in
          let vectors = DecodingVectors(
            laboratory: laboratory, design: design, forms: forms, layers: layers)
          try laboratory.store?.write(
            try vectors.record(index, split), for: key(index).description)
          return try slots(laboratory, design, forms, index, split)
            + patches(laboratory, task, design, index, split, patched)
        })
    }
    // About what an analysis takes, in row-layers of a small model.
    let cost = 2 * design.meetings.count * setting.tokens
    return episodes
      + layers.map { layer in
        Unit(
          Self.self,
          UnitKey(probe: probe, task: task.name, split: split, episode: 0, part: "layer-\(layer)"),
          needs: episodes.map(\.key), cost: cost,
          compute: { laboratory, _ in
            let vectors = DecodingVectors(
              laboratory: laboratory, design: design, forms: forms, layers: layers)
            let analysis = DecodingAnalysis(
              samples: try samples(laboratory, task, design, split), layer: layer,
              forms: forms.map(\.name), isChoosing: isChoosing, draws: draws,
              seed: laboratory.seed)
            return try analysis.figures(laboratory.engine.pool) { site in
              try vectors.vectors(layer, site, split, key: key)
            }.map(DecodingRow.figure)
          })
      }
  }

  private func samples(
    _ laboratory: Laboratory, _ task: RuleTask, _ design: DecodingDesign, _ split: Split
  ) throws -> DecodingSamples {
    guard case .categorization(let classes, let labels) = task.items else {
      throw UserError("decoding needs classes and labels", at: task.place)
    }
    let episodes = try design.meetings.indices.map {
      try design.episode($0, task, split: split, seed: laboratory.seed)
    }
    let shown = Set(episodes.flatMap(\.candidates))
    return DecodingSamples(
      design, episodes, classNames: design.classNames(classes, seed: laboratory.seed),
      labels: labels.filter { shown.contains($0) })
  }

  private func slots(
    _ laboratory: Laboratory, _ design: DecodingDesign, _ forms: [DecodingForm], _ index: Int,
    _ split: Split
  ) throws -> [DecodingRow] {
    try forms.flatMap { form -> [DecodingRow] in
      let episode = try design.episode(index, form.task, split: split, seed: laboratory.seed)
      let rule = try samples(laboratory, form.task, design, split).rules[index]
      return episode.demonstrations.enumerated().map { slot, shown in
        DecodingRow.slot(
          DecodingSlot(
            form: form.name, slot: slot, input: shown.input, category: shown.category ?? "",
            label: shown.answer, rule: Int(rule)))
      }
    }
  }

  /// The answer positions of each donor's run, patched into the flipped prompt after one layer.
  private func patches(
    _ laboratory: Laboratory, _ task: RuleTask, _ design: DecodingDesign, _ index: Int,
    _ split: Split, _ layers: [Int]
  ) throws -> [DecodingRow] {
    guard !layers.isEmpty else { return [] }
    let episode = try design.episode(index, task, split: split, seed: laboratory.seed)
    return try donors.flatMap { donor in
      try laboratory.sweep(
        donor, try laboratory.pair(donor, episode, task), groups: [.answers], layers: layers
      ).map(DecodingRow.patch)
    }
  }
}
