import TensorCore
import Transformer

/// Runs to the logits.
extension PathPatch {
  /// Only the senders are changed.
  func total(_ change: Change) -> ForwardRequest {
    var request = request()
    request.interventions = change.outputs.sorted { $0.key < $1.key }.map { layer, outputs in
      replace(.headOutput, layer, change.answers, outputs, heads: change.heads)
    }
    return request
  }

  /// Answers and the last position go on as they will; positions between them keep the recipient's
  /// residual stream.
  func throughAnswers(_ change: Change) -> ForwardRequest {
    var request = request()
    request.interventions = (change.first..<layers).flatMap { layer in
      edits(change, change.answers, layer: layer, freezesHeads: false)
        + reset(layer) { !answers.contains($0) }
    }
    return request
  }

  /// The last position reads `columns`; all before it is otherwise the recipient's.
  ///
  /// - Precondition: the columns reach to the last layer.
  func read(_ columns: Columns) -> ForwardRequest {
    var request = request()
    request.interventions = (columns.first..<layers).flatMap { layer in
      reading(columns, columns.answers, layer: layer, ReceiverInput.allCases)
        + reset(layer) { $0 >= answers[columns.answers[0]] }
    }
    return request
  }

  /// Heads write `outputs`, by layer `[1, heads · headWidth]`, at the last position.
  func write(_ outputs: [Int: Tensor], heads: [Int]? = nil) -> ForwardRequest {
    var request = request()
    request.interventions = outputs.sorted { $0.key < $1.key }.map { layer, outputs in
      .edit(
        ActivationEdit(
          at: HookPoint(.headOutput, layer: layer), positions: [last], heads: heads,
          change: .replace(RowSource(outputs, rows: [0]))))
    }
    return request
  }

  /// The donor's outputs of `senders` at the last position, all later heads there frozen.
  func lastToLogits(_ senders: HeadSet) -> ForwardRequest {
    let row = answers.count
    var request = request()
    request.interventions = (senders.layers.lowerBound..<layers).flatMap { layer in
      let isSender = senders.layers.contains(layer)
      let outputs = isSender ? donorHeads[layer] : recipientHeads[layer]
      return [
        replace(
          .headOutput, layer, [row], outputs, heads: isSender ? senders.head.map { [$0] } : nil)
      ] + (mlps == .frozen ? [replace(.mlpOutput, layer, [row], recipientMLPs[layer])] : [])
    }
    return request
  }

  /// Positions from the first answer on, before the last, that are wanted get the recipient's residual
  /// stream after a layer. Behind the last layer nobody reads it.
  private func reset(_ layer: Int, _ isWanted: (Int) -> Bool) -> [Intervention] {
    guard layer < layers - 1, let first = answers.first else { return [] }
    let positions = (first..<last).filter(isWanted)
    guard !positions.isEmpty else { return [] }
    return [
      .edit(
        ActivationEdit(
          at: HookPoint(.residualPost, layer: layer), positions: positions,
          change: .replace(RowSource(between[layer], rows: positions.map { $0 - first }))))
    ]
  }
}
