import TensorCore

/// Which rows of one request each layer computes.
///
/// Forward, a row is *dirty* where its residual stream may differ from the base run's: from the first
/// changed key or value on, every later row is. Backward, a row is *needed* where an output can depend
/// on it: the rows asked for in the last block, and all up to them below. Only rows that are both
/// are computed.
struct RowPlan: Sendable {
  /// Rows whose residual stream is held before each block, and after the last.
  var state: [Positions] = []
  /// Rows whose keys and values each block computes.
  var keyValue: [Positions] = []
  /// Rows that go through the whole of each block.
  var full: [Positions] = []
  /// Rows that the final norm is taken of.
  private(set) var output: Positions

  /// Most rows that any layer holds.
  var widest: Int { max(state.map(\.count).max() ?? 0, keyValue.map(\.count).max() ?? 0, 1) }

  /// Most rows that any step computes, also those that only a recording inside a block wants.
  var largest: Int { max(widest, full.map(\.count).max() ?? 0) }

  /// First block that computes anything.
  var firstLayer: Int { keyValue.firstIndex { !$0.isEmpty } ?? full.count }

  /// - Precondition: the request is valid for the architecture.
  init(_ request: ForwardRequest, layers: Int) {
    let length = request.tokens.count
    let all = Positions.range(0..<length)
    let touched = TouchedRows(request, layers: layers)
    output = Positions(
      Set(request.logits.positions ?? [length - 1]).union(touched.finalRecorded.array).sorted())

    var needed = Array(repeating: all, count: layers + 1)
    var blockNeeded = Array(repeating: all, count: layers)
    if !request.keepsRun, !request.extendsBase {
      needed[layers] = output.union(touched.entryRecorded[layers])
      for layer in (0..<layers).reversed() {
        blockNeeded[layer] = needed[layer + 1].union(touched.blockRecorded[layer])
        let last = blockNeeded[layer].last ?? -1
        needed[layer] = Positions.range(0..<last + 1)
          .union(touched.entryRecorded[layer]).union(touched.keyValueRecorded[layer])
      }
    }

    let shared = request.base.map { base in
      zip(base.tokens, request.tokens).prefix { $0 == $1 }.count
    }
    let start = request.keepsRun ? 0 : shared ?? 0
    var dirty = Positions.range(start..<length)
      .union(touched.entryEdited[0]).union(touched.entryRecorded[0]).intersection(needed[0])
    state.append(dirty)
    for layer in 0..<layers {
      let keys = dirty.union(touched.keyValueEdited[layer]).union(touched.keyValueRecorded[layer])
      var changed = dirty.union(touched.blockEdited[layer]).union(touched.blockRecorded[layer])
      if let first = keys.first { changed = changed.union(.range(first..<length)) }
      changed = changed.intersection(blockNeeded[layer])
      let last = blockNeeded[layer].last ?? -1
      keyValue.append(
        keys.intersection(.range(0..<last + 1)).union(touched.keyValueRecorded[layer]))
      full.append(
        changed.subtracting(
          touched.entryReplaced[layer + 1]
            .subtracting(touched.blockRecorded[layer].union(touched.entryRecorded[layer + 1]))))
      dirty = changed.union(touched.entryEdited[layer + 1])
        .union(touched.entryRecorded[layer + 1]).intersection(needed[layer + 1])
      state.append(dirty)
    }
  }
}

/// The rows that a request's interventions and recordings name, by where in the pass they act.
private struct TouchedRows {
  /// Before each block and after the last: edits of the residual stream between blocks.
  var entryEdited: [Positions]
  /// Those of `entryEdited` whose old value does not matter.
  var entryReplaced: [Positions]
  var entryRecorded: [Positions]
  var keyValueEdited: [Positions]
  var keyValueRecorded: [Positions]
  /// Inside each block, keys and values left out.
  var blockEdited: [Positions]
  var blockRecorded: [Positions]
  var finalRecorded = Positions.none

  init(_ request: ForwardRequest, layers: Int) {
    let none = Array(repeating: Positions.none, count: layers + 1)
    entryEdited = none
    entryReplaced = none
    entryRecorded = none
    keyValueEdited = none
    keyValueRecorded = none
    blockEdited = none
    blockRecorded = none
    let everywhere = Array(request.tokens.indices)
    for intervention in request.interventions {
      switch intervention {
      case .edit(let edit):
        let rows = Positions(edit.positions)
        mark(edit.hook, rows, \.entryEdited, \.keyValueEdited, \.blockEdited)
        if edit.replacesWholeRows, let layer = Self.entryLayer(edit.hook) {
          entryReplaced[layer] = entryReplaced[layer].union(rows)
        }
      case .knockout(let edges):
        for layer in edges.layers {
          blockEdited[layer] = blockEdited[layer].union(Positions(edges.queries))
        }
      }
    }
    for recording in request.recordings {
      let rows = Positions(recording.positions ?? everywhere)
      mark(recording.hook, rows, \.entryRecorded, \.keyValueRecorded, \.blockRecorded)
      switch recording.hook.site {
      case .finalNormScale, .finalNormalized: finalRecorded = finalRecorded.union(rows)
      default: break
      }
    }
  }

  private mutating func mark(
    _ hook: HookPoint, _ rows: Positions, _ entry: WritableKeyPath<Self, [Positions]>,
    _ keyValue: WritableKeyPath<Self, [Positions]>, _ block: WritableKeyPath<Self, [Positions]>
  ) {
    if let layer = Self.entryLayer(hook) {
      self[keyPath: entry][layer] = self[keyPath: entry][layer].union(rows)
    } else if let layer = hook.layer {
      switch hook.site {
      case .attentionNormScale, .attentionNormalized, .key, .value, .rotatedKey:
        self[keyPath: keyValue][layer] = self[keyPath: keyValue][layer].union(rows)
      default:
        self[keyPath: block][layer] = self[keyPath: block][layer].union(rows)
      }
    }
  }

  /// Number of blocks before a hook point that lies between blocks; nil for others.
  private static func entryLayer(_ hook: HookPoint) -> Int? {
    switch hook.site {
    case .embedding, .positionEmbedding: 0
    case .residualPre: hook.layer
    case .residualPost: hook.layer.map { $0 + 1 }
    default: nil
    }
  }
}
