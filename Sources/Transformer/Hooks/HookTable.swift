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

  /// A change of scores.
  enum ScoreChange: Sendable {
    case edit(ActivationEdit)
    case knockout(EdgeKnockout)
  }

  /// What happens between scores and weighted values in one block of one request.
  struct Attention: Sendable {
    /// In the request's order: a later one sees, and may undo, what earlier ones did.
    var scoreChanges: [ScoreChange] = []
    var patternEdits: [ActivationEdit] = []
    var scoreRecords: [Record] = []
    var patternRecords: [Record] = []
  }

  private(set) var edits: [HookPoint: [Edit]] = [:]
  private(set) var records: [HookPoint: [Record]] = [:]
  /// By layer, then by request.
  private(set) var attention: [Int: [Int: Attention]] = [:]

  init(_ requests: [ForwardRequest]) {
    for (index, request) in requests.enumerated() {
      for intervention in request.interventions { add(intervention, index) }
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

  private mutating func add(_ intervention: Intervention, _ request: Int) {
    switch intervention {
    case .edit(let edit):
      switch (edit.hook.site, edit.hook.layer) {
      case (.scores, let layer?):
        attention[layer, default: [:]][request, default: Attention()]
          .scoreChanges.append(.edit(edit))
      case (.pattern, let layer?):
        attention[layer, default: [:]][request, default: Attention()].patternEdits.append(edit)
      default: edits[edit.hook, default: []].append(Edit(request: request, edit: edit))
      }
    case .knockout(let edges):
      for layer in edges.layers {
        attention[layer, default: [:]][request, default: Attention()]
          .scoreChanges.append(.knockout(edges))
      }
    }
  }

  /// Whether anybody reads or changes what is there.
  func visits(_ hook: HookPoint) -> Bool { edits[hook] != nil || records[hook] != nil }

  /// Positions that somebody changes there, by request.
  func edited(at hook: HookPoint) -> [Int: Positions] {
    Self.positions((edits[hook] ?? []).map { Touch(request: $0.request, $0.edit.positions) })
  }

  /// Positions that somebody reads or changes there, by request.
  func visited(at hook: HookPoint) -> [Int: Positions] {
    let changed = (edits[hook] ?? []).map { Touch(request: $0.request, $0.edit.positions) }
    let read = (records[hook] ?? []).map { Touch(request: $0.request, $0.positions) }
    return Self.positions(changed + read)
  }

  private struct Touch {
    let request: Int
    let positions: [Int]

    init(request: Int, _ positions: [Int]) {
      self.request = request
      self.positions = positions
    }
  }

  private static func positions(_ touches: [Touch]) -> [Int: Positions] {
    Dictionary(grouping: touches, by: \.request)
      .mapValues { Positions(Set($0.flatMap(\.positions)).sorted()) }
  }
}
