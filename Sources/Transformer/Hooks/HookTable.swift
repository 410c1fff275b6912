/// The interventions and recordings of a batch, by where they act.
struct HookTable: Sendable {
  struct Edit: Sendable {
    let request: Int
    let edit: ActivationEdit
  }

  struct Record: Sendable {
    let request: Int
    /// Which of the request's recordings.
    let index: Int
    /// Recorded positions, ascending.
    let positions: [Int]
  }

  /// What happens between scores and weighted values in one block of one request.
  struct Attention: Sendable {
    var scoreEdits: [ActivationEdit] = []
    var patternEdits: [ActivationEdit] = []
    var knockouts: [EdgeKnockout] = []
    var scoreRecords: [Record] = []
    var patternRecords: [Record] = []
  }

  private(set) var edits: [HookPoint: [Edit]] = [:]
  private(set) var records: [HookPoint: [Record]] = [:]
  /// By layer, then by request.
  private(set) var attention: [Int: [Int: Attention]] = [:]

  init(_ requests: [ForwardRequest]) {
    for (index, request) in requests.enumerated() {
      for intervention in request.interventions {
        switch intervention {
        case .edit(let edit):
          switch (edit.hook.site, edit.hook.layer) {
          case (.scores, let layer?):
            attention[layer, default: [:]][index, default: Attention()].scoreEdits.append(edit)
          case (.pattern, let layer?):
            attention[layer, default: [:]][index, default: Attention()].patternEdits.append(edit)
          default: edits[edit.hook, default: []].append(Edit(request: index, edit: edit))
          }
        case .knockout(let edges):
          for layer in edges.layers {
            attention[layer, default: [:]][index, default: Attention()].knockouts.append(edges)
          }
        }
      }
      for (number, recording) in request.recordings.enumerated() {
        let record = Record(
          request: index, index: number,
          positions: recording.positions ?? Array(request.tokens.indices))
        switch (recording.hook.site, recording.hook.layer) {
        case (.scores, let layer?):
          attention[layer, default: [:]][index, default: Attention()].scoreRecords.append(record)
        case (.pattern, let layer?):
          attention[layer, default: [:]][index, default: Attention()].patternRecords.append(record)
        default: records[recording.hook, default: []].append(record)
        }
      }
    }
  }

  /// Whether anybody reads or changes what is there.
  func visits(_ hook: HookPoint) -> Bool { edits[hook] != nil || records[hook] != nil }
}
