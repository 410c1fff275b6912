import TensorCore
import Transformer

extension PathPatching {
  /// A run to the logits and what it is of.
  private struct Variant {
    let path: PathClass
    let senders: HeadSet
    var receivers: HeadSet?
    let request: ForwardRequest
  }

  /// Every class of paths for every window of senders and, where it has them, of later receivers.
  func windowRows(_ patch: PathPatch, _ senders: [HeadSet], _ receivers: [HeadSet]) throws
    -> [PathPatchingRow]
  {
    var variants: [Variant] = senders.map {
      Variant(path: .lastToLogits, senders: $0, request: patch.lastToLogits($0))
    }
    // Behind the last layer no head reads what an answer has.
    let senders = senders.filter { $0.layers.lowerBound < patch.layers - 1 }
    let changes = senders.map(patch.change)
    let frozen = try patch.columns(changes, freezesHeads: true)
    let own = try patch.columns(changes, freezesHeads: false)
    for (number, senders) in senders.enumerated() {
      variants += [
        Variant(path: .total, senders: senders, request: patch.total(changes[number])),
        Variant(path: .direct, senders: senders, request: patch.read(frozen[number])),
        Variant(path: .ownHeads, senders: senders, request: patch.read(own[number])),
        Variant(path: .answers, senders: senders, request: patch.throughAnswers(changes[number])),
      ]
      variants += try edges(patch, senders, frozen[number], receivers)
    }
    return try rows(patch, variants)
  }

  /// Paths of one set of senders that end, or turn, at each later window of receivers.
  private func edges(
    _ patch: PathPatch, _ senders: HeadSet, _ columns: PathPatch.Columns, _ receivers: [HeadSet]
  ) throws -> [Variant] {
    let receivers = receivers.filter { $0.layers.upperBound >= columns.first }
    let layers = Set(receivers.flatMap(\.layers)).filter { $0 >= columns.first }.sorted()
    let cells = layers.map { (columns: columns, layer: $0) }
    let atLast = Dictionary(uniqueKeysWithValues: zip(layers, try patch.attendedAtLast(cells)))
    let atAnswers = Dictionary(
      uniqueKeysWithValues: zip(layers, try patch.attendedAtLaterAnswers(cells)))
    func outputs(_ all: [Int: Tensor], _ set: HeadSet) -> [Int: Tensor] {
      all.filter { set.layers.contains($0.key) }
    }
    let turned = try patch.onward(receivers.map { outputs(atAnswers, $0) })
    return zip(receivers, turned).flatMap { receivers, turned -> [Variant] in
      let direct = Variant(
        path: .answerToLast, senders: senders, receivers: receivers,
        request: patch.write(outputs(atLast, receivers)))
      // What the last layer writes at an answer nobody reads.
      guard turned.first < patch.layers else { return [direct] }
      return [
        direct,
        Variant(
          path: .answerToLaterAnswers, senders: senders, receivers: receivers,
          request: patch.read(turned)),
      ]
    }
  }

  /// Single heads of senders and receivers, from the answers to the last position.
  func headRows(_ patch: PathPatch, _ pairs: [(senders: HeadSet, receivers: HeadSet)]) throws
    -> [PathPatchingRow]
  {
    let senders = pairs.reduce(into: [HeadSet]()) {
      if $0.last != $1.senders, !$0.contains($1.senders) { $0.append($1.senders) }
    }
    let end = (pairs.map(\.receivers.layers.upperBound).max() ?? 0) + 1
    let columns = try patch.columns(senders.map(patch.change), freezesHeads: true, before: end)
    var cells: [(columns: PathPatch.Columns, layer: Int)] = []
    var places: [[Int]: Int] = [:]
    for pair in pairs {
      guard let sender = senders.firstIndex(of: pair.senders) else { continue }
      let layer = pair.receivers.layers.lowerBound
      guard places[[sender, layer]] == nil else { continue }
      places[[sender, layer]] = cells.count
      cells.append((columns[sender], layer))
    }
    let written = try patch.attendedAtLast(cells)
    return try rows(
      patch,
      pairs.compactMap { pair in
        let layer = pair.receivers.layers.lowerBound
        return senders.firstIndex(of: pair.senders).flatMap { places[[$0, layer]] }.map { cell in
          Variant(
            path: .answerToLast, senders: pair.senders, receivers: pair.receivers,
            request: patch.write(
              [layer: written[cell]], heads: pair.receivers.head.map { [$0] }))
        }
      })
  }

  private func rows(_ patch: PathPatch, _ variants: [Variant]) throws -> [PathPatchingRow] {
    let results = try patch.laboratory.run(variants.map(\.request))
    return try zip(variants, results).map { variant, result in
      PathPatchingRow(
        donor: donor, path: variant.path, senders: variant.senders, receivers: variant.receivers,
        outcome: patch.pair.outcome(
          try patch.laboratory.measure(result, patch.pair.recipient.contrast)))
    }
  }
}
