import TensorCore
import Transformer

/// The best single vector that can be found: one for a rule, fitted by gradient to prompts without the rule
/// that ask for some items, and tested on prompts that ask for others, beside the mean of donor prompts.
///
/// That a mean carries no rule does not say that no vector does (*Learned Task Vectors*, arXiv 2509.24169, and
/// *Distributional Alignment*, arXiv 2605.20730, find fitted ones where means fail). And several vectors, one
/// for each label at its own answer position, may carry what one does not (*One Task Vector Is Not Enough*,
/// arXiv 2505.23911).
struct FittedVector: Experiment {
  typealias Row = FittedVectorRow
  static let kind = "fitted-vector"
  static let version = 2

  /// Where vectors are added, and how many.
  enum Form: String, Sendable, CaseIterable {
    /// One, at the last position of a prompt without demonstrations.
    case oneZeroShot = "one-zero-shot"
    /// One, at the last position of a prompt with a dummy demonstration of each label.
    case oneDummy = "one-dummy"
    /// One for each label, at the answer positions of these demonstrations.
    case eachLabelDummy = "each-label-dummy"

    var isZeroShot: Bool { self == .oneZeroShot }

    var words: String {
      switch self {
      case .oneZeroShot: "one vector in zero-shot prompts"
      case .oneDummy: "one vector in prompts with dummy demonstrations"
      case .eachLabelDummy: "a vector for each label at the answers of dummy demonstrations"
      }
    }
  }

  let forms: [Form]
  let layers: LayerList
  /// Prompts that vectors are fitted to, of development items, and others that test them; of a rule.
  let fitted: Int
  let tested: Int
  /// Prompts with demonstrations that the mean is taken of.
  let donors: Int
  /// Rules that choose each form's layer.
  let development: Int
  /// Steps of Adam, and its learning rate as a share of the residual stream's root mean square.
  let steps: Int
  let learningRate: Double
  let controls: ControlTasks
  /// As in `global-vector`: the share of the demonstrations' effect below which a vector brings little.
  let margin: Double

  init(_ keys: ProbeKeys) throws {
    forms = try keys.words("forms", or: Form.allCases)
    layers = try keys.layers()
    fitted = try keys.integer("fitted", 2...10_000, or: 16)
    tested = try keys.integer("tested", 2...10_000, or: 8)
    donors = try keys.integer("donors", 2...1000, or: 8)
    development = try keys.integer("development", 1...1000, or: 4)
    steps = try keys.integer("steps", 1...100_000, or: 30)
    learningRate = try keys.number("learning_rate", 1e-6...100, or: 0.1)
    controls = try ControlTasks(keys)
    margin = try keys.number("margin", 0.01...0.99, or: 0.25)
  }

  /// Rules of a unit: their prompts share each pass through the weights.
  private static let rulesOfUnit = 4

  func plan(_ probe: String, _ setting: Setting) throws -> Plan {
    guard let task = setting.subject.task else {
      return .skipped("pairs of prompts have no rule to fit a vector to")
    }
    let all = try layers.resolved(setting.architecture.layers, probe: probe)
    // Behind the last block no other position could make use of a vector, nor any block.
    let layers = all.filter { $0 < setting.architecture.layers - 1 }
    guard !layers.isEmpty else {
      return .skipped("a vector behind the last block is a change of logits")
    }
    let subjects = try controls.with(task, setting)
    return .units(
      subjects.flatMap { task, demonstrations -> [Unit] in
        let forms = forms.filter { $0 != .eachLabelDummy || task.kind == .categorization }
        let development = groups(of: self.development).map {
          unit(probe, task, .development, $0, demonstrations, setting) { _ in
            Dictionary(uniqueKeysWithValues: forms.map { ($0, layers) })
          }
        }
        let keys = development.map(\.key)
        let reported = groups(of: setting.episodes).map {
          unit(probe, task, setting.split, $0, demonstrations, setting, needs: keys) { needed in
            let rows: [FittedVectorRow] = try needed.rows(of: keys)
            return try forms.reduce(into: [:]) { $0[$1] = [try layer(rows, $1)] }
          }
        }
        return development + reported
      })
  }

  private func groups(of count: Int) -> [Range<Int>] {
    stride(from: 0, to: count, by: Self.rulesOfUnit).map {
      $0..<min(count, $0 + Self.rulesOfUnit)
    }
  }

  /// The layer at which development rules find the largest mean effect, the earliest of equals.
  func layer(_ rows: [FittedVectorRow], _ form: Form, _ source: FittedVectorRow.Source = .fitted)
    throws -> Int
  {
    var sums: [Int: Double] = [:]
    for row in rows where row.form == form && row.source == source {
      if let layer = row.layer { sums[layer, default: 0] += row.logitDifference }
    }
    return try LayerChoice.best(sums)
  }

  private func unit(
    _ probe: String, _ task: RuleTask, _ split: Split, _ episodes: Range<Int>,
    _ demonstrations: Int, _ setting: Setting, needs: [UnitKey] = [],
    layers: @escaping @Sendable (NeededRows) throws -> [Form: [Int]]
  ) -> Unit {
    let fits = needs.isEmpty ? 4 * forms.count : forms.count
    return Unit(
      Self.self, UnitKey(probe: probe, task: task.name, split: split, episode: episodes.lowerBound),
      needs: needs,
      cost: episodes.count * fits * fitted * steps * 3 * setting.architecture.layers,
      check: { laboratory in
        for index in episodes {
          let drawn = try draw(laboratory, task, index, split, demonstrations)
          for prompt in drawn.fitted + drawn.tested {
            _ = try laboratory.prompt(prompt, task).contrast()
          }
        }
      },
      compute: { laboratory, needed in
        let drawn = try episodes.map { try draw(laboratory, task, $0, split, demonstrations) }
        return try rows(
          laboratory, task, drawn, episodes, layers(needed),
          all: try self.layers.resolved(setting.architecture.layers, probe: probe))
      })
  }

  /// Episodes of one rule: each asks for another item.
  private struct Drawn {
    let fitted: [Episode]
    let tested: [Episode]
    let donors: [Episode]
  }

  private func draw(
    _ laboratory: Laboratory, _ task: RuleTask, _ index: Int, _ split: Split, _ demonstrations: Int
  ) throws -> Drawn {
    let sampler = laboratory.sampler(task)
    let episode = try laboratory.episode(task, index, split, demonstrations: demonstrations)
    /// Of one rule, with different queries that go through the classes in turn.
    func episodes(_ count: Int, _ split: Split) throws -> [Episode] {
      var found: [Episode] = []
      var last = episode.drawing(from: split)
      var asked: Set<String> = []
      // Items may run out; then there are fewer.
      for draw in 0..<6 * count where found.count < count {
        last = try sampler.otherItems(
          than: last, draw: draw, queryOfOtherClass: task.hasOtherRules)
        // The classes by turns, so that a preference for a label cancels.
        let isNext = last.queryCategory.map { $0 != found.last?.queryCategory } ?? true
        if isNext || !task.hasOtherRules, asked.insert(last.query).inserted { found.append(last) }
      }
      return found
    }
    if split == .heldOut {
      let own = try episodes(fitted, .development)
      return Drawn(
        fitted: own, tested: try episodes(tested, split), donors: Array(own.prefix(donors)))
    }
    // Only development items may be looked at: some of them test.
    let all = try episodes(fitted + tested, split)
    let share = max(all.count * tested / (fitted + tested), min(2, all.count - 1))
    let own = Array(all.dropFirst(share))
    return Drawn(
      fitted: own, tested: Array(all.prefix(share)), donors: Array(own.prefix(donors)))
  }

  /// Episodes of one rule as a form's recipients.
  static func recipients(_ form: Form, _ episodes: [Episode], _ sampler: EpisodeSampler) throws
    -> [Episode]
  {
    try episodes.enumerated().map { draw, episode in
      guard !form.isZeroShot else { return episode.zeroShot }
      var short = episode
      // One demonstration of each label; of a mapping two.
      short.demonstrations = Array(episode.demonstrations.prefix(max(episode.candidates.count, 2)))
      // Each its own draw: with one order for all, the right label would always stand at one place, and a vector could
      // learn the place.
      return try sampler.dummyDemonstrations(of: short, draw: draw)
    }
  }

  private func rows(
    _ laboratory: Laboratory, _ task: RuleTask, _ drawn: [Drawn], _ episodes: Range<Int>,
    _ layers: [Form: [Int]], all: [Int]
  ) throws -> [FittedVectorRow] {
    let sampler = laboratory.sampler(task)
    var rows: [FittedVectorRow] = []
    func add(
      _ source: FittedVectorRow.Source, _ form: Form?, _ layer: Int?, _ rule: Int,
      _ measurements: [Measurement], fit: VectorFit.Course? = nil
    ) {
      rows.append(
        FittedVectorRow(
          episode: episodes.lowerBound + rule, source: source, form: form, layer: layer,
          measurements: measurements, isDrawn: task.hasOtherRules, fit: fit))
    }
    let means = try laboratory.meansAtLast(
      drawn.map(\.donors), task, all.map { HookPoint(.residualPost, layer: $0) })
    for (rule, drawn) in drawn.enumerated() {
      let shown = try record(laboratory, task, drawn.tested)
      add(.demonstrations, nil, nil, rule, shown.map(\.measurement))
    }
    for form in forms {
      guard let layers = layers[form] else { continue }
      let fitted = try drawn.map {
        try record(laboratory, task, try Self.recipients(form, $0.fitted, sampler))
      }
      let tested = try drawn.map {
        try record(laboratory, task, try Self.recipients(form, $0.tested, sampler))
      }
      for (rule, prompts) in tested.enumerated() {
        add(.unpatched, form, nil, rule, prompts.map(\.measurement))
      }
      for layer in layers {
        let labels = drawn.map { Array(Set($0.fitted.flatMap(\.candidates))).sorted() }
        func places(_ prompt: RecordedPrompt, _ rule: Int) throws -> [VectorFit.Place] {
          switch form {
          case .oneZeroShot, .oneDummy: [.init(position: prompt.lastPosition, vector: 0)]
          case .eachLabelDummy:
            zip(prompt.prompt.answerPositions, prompt.prompt.episode.demonstrations)
              .compactMap { position, demonstration in
                labels[rule].firstIndex(of: demonstration.answer)
                  .map { .init(position: position, vector: $0) }
              }
          }
        }
        let vectors = form == .eachLabelDummy ? labels.map(\.count) : labels.map { _ in 1 }
        let offsets = vectors.indices.map { vectors[..<$0].reduce(0, +) }
        var targets: [VectorFit.Target] = []
        for (rule, prompts) in fitted.enumerated() {
          for prompt in prompts {
            targets.append(
              VectorFit.Target(
                prompt: prompt,
                places: try places(prompt, rule).map {
                  .init(position: $0.position, vector: offsets[rule] + $0.vector)
                }, group: rule))
          }
        }
        // Nothing, or what turns the recipients' mean residual into that of the donors.
        let width = laboratory.engine.model.architecture.width
        var starts = [Tensor(zeros: [vectors.reduce(0, +), width])]
        if form != .eachLabelDummy, let place = all.firstIndex(of: layer) {
          starts.append(
            .concatenated(
              fitted.indices.map { means[$0][place] - mean(of: fitted[$0], layer) }, 0))
        }
        let fit = try VectorFit(
          laboratory, targets, from: starts, groups: drawn.count, layer: layer, steps: steps,
          learningRate: Float(learningRate))
        for (rule, prompts) in tested.enumerated() {
          let measured = try measure(laboratory, prompts) { prompt in
            try places(prompt, rule).map { place in
              .edit(
                ActivationEdit(
                  at: HookPoint(.residualPost, layer: layer), positions: [place.position],
                  change: .add(
                    RowSource(
                      fit.vectors.slice(
                        0,
                        offsets[rule] + place.vector..<offsets[rule]
                          + place.vector + 1)))))
            }
          }
          add(.fitted, form, layer, rule, measured, fit: fit.courses[rule])
        }
      }
      guard form != .eachLabelDummy else { continue }
      for (rule, prompts) in tested.enumerated() {
        for (layer, mean) in zip(all, means[rule]) {
          let measured = try measure(laboratory, prompts) {
            [Laboratory.patch(layer, [$0.lastPosition], mean)]
          }
          add(.mean, form, layer, rule, measured)
        }
      }
    }
    return rows
  }

  /// Mean residual at the prompts' last position, `[1, width]`.
  private func mean(of prompts: [RecordedPrompt], _ layer: Int) -> Tensor {
    let rows = prompts.map { $0.run.residualPost(layer: layer, positions: [$0.lastPosition]) }
    return rows.dropFirst().reduce(rows[0]) { $0 + $1 } / Float(rows.count)
  }

  private func record(_ laboratory: Laboratory, _ task: RuleTask, _ episodes: [Episode]) throws
    -> [RecordedPrompt]
  {
    // Each is asked for its own answer.
    try episodes.map { try laboratory.record([$0], task, question: $0)[0] }
  }

  private func measure(
    _ laboratory: Laboratory, _ prompts: [RecordedPrompt],
    _ interventions: (RecordedPrompt) throws -> [Intervention]
  ) throws -> [Measurement] {
    let results = try laboratory.run(
      prompts.map {
        laboratory.request(
          $0.tokens, base: $0.run, interventions: try interventions($0), contrast: $0.contrast)
      })
    return try zip(results, prompts).map { try laboratory.measure($0, $1.contrast) }
  }
}

extension Episode {
  /// The same rule for items of another split.
  fileprivate func drawing(from split: Split) -> Episode {
    Episode(
      task: task, seed: seed, index: index, split: split, variant: variant, rule: rule,
      demonstrations: demonstrations, query: query, queryCategory: queryCategory, right: right,
      wrong: wrong)
  }
}
