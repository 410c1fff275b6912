import Reports
import TensorCore
import Transformer

/// A task in one surface form.
struct DecodingForm: Sendable {
  let name: String
  let task: RuleTask
}

/// The vectors of one episode in all forms, kept in the run's store.
struct DecodingVectors {
  let laboratory: Laboratory
  let design: DecodingDesign
  let forms: [DecodingForm]
  /// −1 for the embeddings.
  let layers: [Int]

  static let sites: [PositionGroup] = [.answers, .inputs]

  static func hook(_ layer: Int) -> HookPoint {
    layer < 0 ? HookPoint(.residualPre, layer: 0) : HookPoint(.residualPost, layer: layer)
  }

  static func name(_ layer: Int, _ site: PositionGroup, isFlipped: Bool, _ form: String) -> String {
    ActivationStore.name(
      hook: hook(layer).description,
      role: "\(site.rawValue)|\(isFlipped ? "flipped" : "own")|\(form)")
  }

  private struct Wanted {
    let form: DecodingForm
    let isFlipped: Bool
    let prompt: Prompt
  }

  /// Runs the episode under both rules in every form: name and `[slots, width]` of each.
  func record(_ index: Int, _ split: Split) throws -> [(name: String, tensor: Tensor)] {
    let wanted = try forms.flatMap { form -> [Wanted] in
      let episode = try design.episode(index, form.task, split: split, seed: laboratory.seed)
      return try [(episode, false), (episode.flippedRule(), true)].map {
        Wanted(form: form, isFlipped: $1, prompt: try laboratory.prompt($0, form.task))
      }
    }
    func positions(_ site: PositionGroup, _ prompt: Prompt) -> [Int] {
      site == .inputs ? prompt.inputPositions : prompt.answerPositions
    }
    let cells = layers.flatMap { layer in Self.sites.map { (layer: layer, site: $0) } }
    let results = try laboratory.engine.forward(
      wanted.map { wanted in
        ForwardRequest(
          tokens: wanted.prompt.tokens,
          recordings: cells.map {
            Recording(Self.hook($0.layer), positions: positions($0.site, wanted.prompt))
          }, logits: .none)
      })
    return zip(wanted, results).flatMap { wanted, result in
      zip(cells, result.recorded).map { cell, tensor in
        (
          Self.name(cell.layer, cell.site, isFlipped: wanted.isFlipped, wanted.form.name), tensor
        )
      }
    }
  }

  /// All vectors of one kind of position after one layer, by form: `[samples, width]` in the order of
  /// `DecodingSamples`.
  ///
  /// What the store does not hold, such as in a folder whose activations were cleared, is run again.
  ///
  /// - Parameter key: of an episode's unit.
  func vectors(
    _ layer: Int, _ site: PositionGroup, _ split: Split, key: @Sendable (Int) -> UnitKey
  ) throws -> [[Double]] {
    var all = forms.map { _ in [Double]() }
    let width = laboratory.engine.model.architecture.width
    let shape = [2 * design.perClass, width]
    for index in design.meetings.indices {
      let names = forms.map { form in
        [false, true].map { Self.name(layer, site, isFlipped: $0, form.name) }
      }
      if let store = laboratory.store, store.contains(key(index).description) {
        let file = try store.tensors(
          for: key(index).description,
          shapes: Dictionary(
            names.flatMap { $0 }.map { ($0, shape) }, uniquingKeysWith: { first, _ in first }))
        for (number, names) in names.enumerated() {
          for name in names { all[number] += try file.floats(name).map(Double.init) }
        }
        continue
      }
      let tensors = try record(index, split)
      try laboratory.store?.write(tensors, for: key(index).description)
      for (number, names) in names.enumerated() {
        for name in names {
          guard let tensor = tensors.first(where: { $0.name == name })?.tensor else { continue }
          all[number] += tensor.values.map(Double.init)
        }
      }
    }
    return all
  }
}
