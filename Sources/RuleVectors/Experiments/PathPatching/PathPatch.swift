import TensorCore
import Transformer

/// Exact path patching in one pair of runs (Wang et al. 2022; Goldowsky-Dill et al. 2023).
///
/// Senders write what they wrote in the donor's run. On the way to the receivers every other head keeps
/// the recipient's output, and receivers alone then get the inputs that came of it; nothing is
/// linearised. Only attention moves anything between positions, so that with other heads frozen each
/// answer's residual stream changes by itself: a path is put together of three kinds of small runs.
///
/// 1. `columns`: one row a run, an answer's keys and values in the layers above a change at it.
/// 2. `attended`: one row of one block, what heads write that read changed keys and values.
/// 3. Runs from there to the logits.
struct PathPatch {
  let laboratory: Laboratory
  let pair: PatchedPair
  let mlps: MLPTreatment
  let inputs: [ReceiverInput]
  let layers: Int
  /// Token positions in the recipient.
  let answers: [Int]
  let last: Int
  /// By layer, the heads' outputs at the answers and, in the last row, at the last position.
  let donorHeads: [Tensor]
  let recipientHeads: [Tensor]
  /// The same of the recipient's MLPs; empty where they are recomputed.
  let recipientMLPs: [Tensor]
  /// By layer, the recipient's residual stream after it, from the first answer to before the last
  /// position.
  let between: [Tensor]

  init(
    _ laboratory: Laboratory, _ pair: PatchedPair, mlps: MLPTreatment = .recomputed,
    inputs: [ReceiverInput] = ReceiverInput.allCases
  ) throws {
    let layers = laboratory.engine.model.architecture.layers
    func recorded(_ prompt: RecordedPrompt, _ site: HookPoint.Site) throws -> [Tensor] {
      let positions = prompt.positions(.answers) + [prompt.lastPosition]
      return try laboratory.engine.forward(
        ForwardRequest(
          tokens: prompt.tokens, base: prompt.run,
          recordings: (0..<layers).map {
            Recording(HookPoint(site, layer: $0), positions: positions)
          }, logits: .none)
      ).recorded
    }
    self.laboratory = laboratory
    self.pair = pair
    self.mlps = mlps
    self.inputs = inputs
    self.layers = layers
    let answers = pair.recipient.positions(.answers)
    let last = pair.recipient.lastPosition
    self.answers = answers
    self.last = last
    donorHeads = try recorded(pair.donor, .headOutput)
    recipientHeads = try recorded(pair.recipient, .headOutput)
    recipientMLPs = mlps == .frozen ? try recorded(pair.recipient, .mlpOutput) : []
    between = (0..<layers).map { layer in
      pair.recipient.run.residualPost(
        layer: layer, positions: Array((answers.first ?? last)..<last))
    }
  }

  /// What heads write at answers instead of the recipient's.
  struct Change {
    /// By layer, `[answers, heads · headWidth]`.
    let outputs: [Int: Tensor]
    /// Nil for all heads.
    let heads: [Int]?
    /// Which answers, counted from 0.
    let answers: [Int]
    /// The first layer with a change.
    var first: Int { outputs.keys.min() ?? .max }
  }

  /// The donor's outputs of `senders` at all answers.
  func change(_ senders: HeadSet) -> Change {
    Change(
      outputs: Dictionary(uniqueKeysWithValues: senders.layers.map { ($0, donorHeads[$0]) }),
      heads: senders.head.map { [$0] }, answers: Array(answers.indices))
  }

  /// Keys and values at answers.
  struct Columns {
    /// Which answers, counted from 0.
    let answers: [Int]
    /// The first layer in which they differ from the recipient's; the number of layers where none does.
    let first: Int
    /// By layer from `first` on, `[answers, keyValueHeads · headWidth]`, keys before their rotation.
    let keys: [Tensor]
    let values: [Tensor]
  }

  // MARK: - Answers by themselves

  /// Keys and values at each changed answer, which sees the changes at itself alone.
  ///
  /// - Parameters:
  ///   - freezesHeads: whether later heads at the answer keep the recipient's outputs.
  ///   - end: the first layer whose keys and values are no longer wanted.
  func columns(_ changes: [Change], freezesHeads: Bool, before end: Int? = nil) throws -> [Columns]
  {
    let end = end ?? layers
    var requests: [ForwardRequest] = []
    for change in changes where change.first + 1 < end {
      for answer in change.answers {
        var request = request()
        request.logits = .none
        request.interventions = (change.first..<end).flatMap { layer in
          edits(change, [answer], layer: layer, freezesHeads: freezesHeads)
        }
        request.recordings = [HookPoint.Site.key, .value].flatMap { site in
          (change.first + 1..<end).map {
            Recording(HookPoint(site, layer: $0), positions: [answers[answer]])
          }
        }
        requests.append(request)
      }
    }
    var results = try laboratory.engine.forward(requests)[...]
    return changes.map { change in
      guard change.first + 1 < end else {
        return Columns(answers: change.answers, first: layers, keys: [], values: [])
      }
      let own = results.prefix(change.answers.count)
      results = results.dropFirst(change.answers.count)
      let count = end - change.first - 1
      func stacked(_ offset: Int) -> [Tensor] {
        (0..<count).map { layer in Tensor(stacking: own.map { $0.recorded[offset + layer] }) }
      }
      return Columns(
        answers: change.answers, first: change.first + 1, keys: stacked(0), values: stacked(count))
    }
  }

  /// What happens at some answers in one layer at or above a change.
  func edits(_ change: Change, _ which: [Int], layer: Int, freezesHeads: Bool)
    -> [Intervention]
  {
    var edits: [Intervention] = []
    if let outputs = change.outputs[layer] {
      edits.append(replace(.headOutput, layer, which, outputs, heads: change.heads))
    } else if freezesHeads {
      edits.append(replace(.headOutput, layer, which, recipientHeads[layer]))
    }
    if mlps == .frozen { edits.append(replace(.mlpOutput, layer, which, recipientMLPs[layer])) }
    return edits
  }

  /// What heads write at later answers goes to the last position through no other head.
  ///
  /// - Parameter outputs: by layer, `[answers, heads · headWidth]`.
  func onward(_ outputs: [[Int: Tensor]]) throws -> [Columns] {
    try columns(
      outputs.map {
        Change(outputs: $0, heads: nil, answers: Array(answers.indices.dropFirst()))
      }, freezesHeads: true)
  }

  // MARK: - Heads that read them

  /// What the heads of a layer write at the last position, `[1, heads · headWidth]`, where they read
  /// `columns` and the recipient's queries.
  func attendedAtLast(_ cells: [(columns: Columns, layer: Int)]) throws -> [Tensor] {
    try attended(cells.map { ($0.columns, $0.layer, $0.columns.answers, last) })
  }

  /// What the heads of a layer write at the answers, `[answers, heads · headWidth]`, where each reads
  /// the changed keys and values of earlier answers, its own being the recipient's.
  func attendedAtLaterAnswers(_ cells: [(columns: Columns, layer: Int)]) throws -> [Tensor] {
    let readers = Array(answers.indices.dropFirst())
    let rows = try attended(
      cells.flatMap { cell in
        readers.map { reader in
          (
            cell.columns, cell.layer, cell.columns.answers.filter { $0 < reader }, answers[reader]
          )
        }
      })
    return cells.indices.map { index in
      let own = rows[index * readers.count..<(index + 1) * readers.count]
      // The first answer has no earlier one.
      let first = Tensor(
        Array(recipientHeads[cells[index].layer].row(0)), shape: [1, recipientHeads[0].columns])
      return Tensor(stacking: [first] + own)
    }
  }

  private func attended(
    _ cells: [(columns: Columns, layer: Int, answers: [Int], reader: Int)]
  ) throws -> [Tensor] {
    try laboratory.engine.forward(
      cells.map { cell in
        var request = request()
        request.logits = .none
        request.interventions = reading(cell.columns, cell.answers, layer: cell.layer, inputs)
        request.recordings = [
          Recording(HookPoint(.headOutput, layer: cell.layer), positions: [cell.reader])
        ]
        return request
      }
    ).map { $0.recorded[0] }
  }

  /// Edits that put `columns` at some of their answers into one layer.
  func reading(
    _ columns: Columns, _ which: [Int], layer: Int, _ inputs: [ReceiverInput]
  ) -> [Intervention] {
    let rows = which.compactMap { columns.answers.firstIndex(of: $0) }
    return inputs.map { input in
      let (site, tensors) =
        input == .keys ? (HookPoint.Site.key, columns.keys) : (.value, columns.values)
      return .edit(
        ActivationEdit(
          at: HookPoint(site, layer: layer), positions: which.map { answers[$0] },
          change: .replace(RowSource(tensors[layer - columns.first], rows: rows))))
    }
  }

  // MARK: - Pieces

  func request() -> ForwardRequest {
    laboratory.request(
      pair.recipient.tokens, base: pair.recipient.run, contrast: pair.recipient.contrast)
  }

  /// Replaces rows at answers, or, behind the last of them, at the last position; each row of `tensor`
  /// is of the answer of its number.
  func replace(
    _ site: HookPoint.Site, _ layer: Int, _ rows: [Int], _ tensor: Tensor, heads: [Int]? = nil
  ) -> Intervention {
    .edit(
      ActivationEdit(
        at: HookPoint(site, layer: layer),
        positions: rows.map { $0 < answers.count ? answers[$0] : last }, heads: heads,
        change: .replace(RowSource(tensor, rows: rows))))
  }
}

extension Tensor {
  /// Rows of several matrices of one width below each other.
  init(stacking parts: some Collection<Tensor>) {
    let columns = parts.first?.columns ?? 0
    let values = parts.flatMap(\.values)
    self.init(values, shape: [columns == 0 ? 0 : values.count / columns, columns])
  }
}
