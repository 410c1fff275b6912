import TensorCore
import Transformer

extension FunctionVector {
  /// Everything that one unit runs.
  struct Drawn {
    let episode: Episode
    let rule: RuleDonors
    let recipients: [Episode]
  }

  func draw(
    _ laboratory: Laboratory, _ task: RuleTask, _ index: Int, _ split: Split,
    _ demonstrations: Int, _ recipients: [Recipient]
  ) throws -> Drawn {
    let episode = try laboratory.episode(task, index, split, demonstrations: demonstrations)
    return Drawn(
      episode: episode, rule: try laboratory.ruleDonors(of: episode, task, count: donors),
      recipients: try recipients.map { recipient in
        switch recipient {
        case .zeroShot: episode.zeroShot
        case .shuffledLabels: episode.shuffledLabels()
        case .dummyDemonstrations: try laboratory.sampler(task).dummyDemonstrations(of: episode)
        }
      })
  }

  /// A run with something put in, and the row that it becomes.
  private struct Variant {
    var row: FunctionVectorRow
    let target: RecordedPrompt
    let intervention: Intervention
  }

  /// Every head's mean output in its place at the last position of the prompt with shuffled labels.
  func headRows(_ laboratory: Laboratory, _ task: RuleTask, _ drawn: Drawn) throws
    -> [FunctionVectorRow]
  {
    let architecture = laboratory.engine.model.architecture
    let runs = try Runs(laboratory, task, drawn)
    let hooks = (0..<architecture.layers).map { HookPoint(.headOutput, layer: $0) }
    let means = try laboratory.meansAtLast(drawn.rule.donors, task, hooks)
    let target = runs.targets[0]
    let variants = runs.sources.indices.flatMap { rule in
      hooks.indices.flatMap { layer in
        (0..<architecture.heads).map { head in
          Variant(
            row: FunctionVectorRow(
              recipient: .shuffledLabels, form: .head, isFlipped: rule == 1, layer: layer,
              head: head, outcome: runs.outcome(target, rule)), target: target,
            intervention: .edit(
              ActivationEdit(
                at: hooks[layer], positions: target.positions(.last), heads: [head],
                change: .replace(RowSource(means[rule][layer])))))
        }
      }
    }
    return [unpatched(.shuffledLabels, target, runs)] + (try rows(laboratory, variants))
  }

  /// The vector of `heads`, and the mean residual stream, after each layer of every recipient.
  func vectorRows(
    _ laboratory: Laboratory, _ task: RuleTask, _ drawn: Drawn, _ layers: [Int], _ heads: [Head]
  ) throws -> [FunctionVectorRow] {
    let model = laboratory.engine.model
    let runs = try Runs(laboratory, task, drawn)
    let writing = Set(heads.map(\.layer)).sorted()
    let means = try laboratory.meansAtLast(
      drawn.rule.donors, task,
      layers.map { HookPoint(.residualPost, layer: $0) }
        + writing.map { HookPoint(.headResult, layer: $0) })
    let functions = means.map { means in
      Self.vector(
        of: heads, results: Dictionary(uniqueKeysWithValues: zip(writing, means[layers.count...])),
        model)
    }
    var rows: [FunctionVectorRow] = []
    var variants: [Variant] = []
    for (recipient, target) in zip(recipients, runs.targets) {
      rows.append(unpatched(recipient, target, runs))
      let last = target.positions(.last)
      for rule in runs.sources.indices {
        for (number, layer) in layers.enumerated() {
          let edits: [(Form, ActivationEdit.Change)] = [
            (.function, .add(RowSource(functions[rule]))),
            (.mean, .replace(RowSource(means[rule][number]))),
          ]
          variants += edits.map { form, change in
            Variant(
              row: FunctionVectorRow(
                recipient: recipient, form: form, isFlipped: rule == 1, layer: layer,
                outcome: runs.outcome(target, rule)), target: target,
              intervention: .edit(
                ActivationEdit(
                  at: HookPoint(.residualPost, layer: layer), positions: last, change: change)))
          }
        }
      }
    }
    rows += try self.rows(laboratory, variants)
    return rows
      + runs.sources.enumerated().map { rule, source in
        FunctionVectorRow(
          recipient: nil, form: nil, isFlipped: rule == 1, outcome: runs.outcome(source, rule))
      }
  }

  /// What the heads' mean outputs add to the residual stream, `[1, width]`.
  ///
  /// - Parameter results: by layer, the mean of `attn.hook_result`, `[1, heads · width]`.
  static func vector(of heads: [Head], results: [Int: Tensor], _ model: LanguageModel) -> Tensor {
    let width = model.architecture.width
    var sum = [Double](repeating: 0, count: width)
    for (layer, result) in results.sorted(by: { $0.key < $1.key }) {
      let values = result.values.map(Double.init)
      let factors = model.attentionFactors(layer: layer, headResults: values)
      for head in heads where head.layer == layer {
        for column in 0..<width {
          sum[column] += factors[column] * values[head.head * width + column]
        }
      }
    }
    return Tensor(sum.map { Float($0) }, shape: [1, width])
  }

  /// The runs that a unit's vectors stand between.
  private struct Runs {
    let sources: [RecordedPrompt]
    let targets: [RecordedPrompt]

    init(_ laboratory: Laboratory, _ task: RuleTask, _ drawn: Drawn) throws {
      let recorded = try laboratory.record(
        drawn.rule.sources + drawn.recipients, task, question: drawn.episode)
      sources = Array(recorded.prefix(drawn.rule.sources.count))
      targets = Array(recorded.dropFirst(drawn.rule.sources.count))
    }

    /// Of the target unpatched, between itself and the demonstrations of a rule.
    func outcome(_ target: RecordedPrompt, _ rule: Int) -> Outcome {
      Outcome(
        patched: target.measurement, donor: sources[rule].measurement.logitDifference,
        recipient: target.measurement.logitDifference)
    }
  }

  private func unpatched(_ recipient: Recipient, _ target: RecordedPrompt, _ runs: Runs)
    -> FunctionVectorRow
  {
    FunctionVectorRow(
      recipient: recipient, form: nil, isFlipped: false, outcome: runs.outcome(target, 0))
  }

  private func rows(_ laboratory: Laboratory, _ variants: [Variant]) throws -> [FunctionVectorRow] {
    let results = try laboratory.run(
      variants.map {
        laboratory.request(
          $0.target.tokens, base: $0.target.run, interventions: [$0.intervention],
          contrast: $0.target.contrast)
      })
    return try zip(variants, results).map { variant, result in
      var row = variant.row
      row.outcome.patched = try laboratory.measure(result, variant.target.contrast)
      return row
    }
  }
}
