import TensorCore
import Transformer

/// Answer vectors of one surface format (template, label set, language) put into the prompt of another
/// format under the flipped rule, answer by answer: is what they carry more than their format?
struct Transfer: Experiment {
  typealias Row = TransferRow
  static let kind = "transfer"
  static let version = 1

  let donor: Donor
  let changes: [FormatChange]
  let layers: LayerList
  /// The layer that sentences speak of.
  let choice: LayerChoice

  init(_ keys: ProbeKeys) throws {
    donor = try keys.word("donor")
    changes = try keys.words("changes", or: FormatChange.allCases)
    layers = try keys.layers()
    choice = try LayerChoice(keys.required("layer"))
  }

  func plan(_ probe: String, _ setting: Setting) throws -> Plan {
    let task: RuleTask
    switch setting.subject.task(patchedFrom: [donor]) {
    case .success(let found): task = found
    case .failure(let reason): return .skipped(reason.text)
    }
    // What others are compared with is always there.
    let wanted = [.nothing] + changes.filter { $0 != .nothing }
    let formats = FormatChange.formats(wanted, of: task.format, among: task.formats)
    guard formats.count > 1 else {
      return .skipped(
        "the task has no format that differs from \(task.format.name) in nothing but "
          + wanted.dropFirst().map(\.rawValue).joined(separator: ", or "))
    }
    let tasks = try formats.map { ($0.change, try task.formatted(as: $0.format)) }
    let listed = try layers.resolved(setting.architecture.layers, probe: probe)
    try choice.validate(setting.architecture.layers, probe: probe)
    let choosing = choice.units(task, setting)
    let split = setting.split
    let variants = listed.reduce(0) { $0 + setting.above($1) } * (2 * tasks.count - 1)
    return .units(
      choosing
        + (0..<setting.episodes).map { index in
          Unit(
            Self.self, UnitKey(probe: probe, task: task.name, split: split, episode: index),
            needs: choosing.map(\.key),
            cost: 2 * tasks.count * setting.wholeRun + variants,
            check: { laboratory in
              for (_, task) in tasks {
                try laboratory.check(donor, laboratory.episode(task, index, split), task)
              }
            },
            compute: { laboratory, needed in
              let chosen = try choice.layer(task, needed)
              return try rows(
                laboratory, tasks, index, split, Set(listed + [chosen]).sorted())
            })
        })
  }

  private func rows(
    _ laboratory: Laboratory, _ tasks: [(FormatChange, RuleTask)], _ index: Int, _ split: Split,
    _ layers: [Int]
  ) throws -> [TransferRow] {
    let pairs = try tasks.map { change, task in
      (
        change, task.format.name,
        try laboratory.pair(donor, try laboratory.episode(task, index, split), task)
      )
    }
    // The first is of the recipient's own format.
    let home = pairs[0].2
    let recipient = home.recipient
    let positions = recipient.prompt.answerPositions
    var rows: [TransferRow] = []
    var requests: [ForwardRequest] = []
    var places: [Int] = []
    for (change, format, pair) in pairs {
      for (isFlipped, source) in [(false, pair.donor), (true, pair.recipient)] {
        for layer in layers {
          rows.append(
            TransferRow(
              donor: donor, change: change, format: format, isFlipped: isFlipped, layer: layer,
              own: source.measurement.logitDifference,
              outcome: Outcome(
                patched: recipient.measurement,
                donor: isFlipped
                  ? recipient.measurement.logitDifference : home.donor.measurement.logitDifference,
                recipient: recipient.measurement.logitDifference)))
          // The recipient's own vectors change nothing.
          if change == .nothing, isFlipped { continue }
          places.append(rows.count - 1)
          let vectors = source.run.residualPost(
            layer: layer, positions: source.prompt.answerPositions)
          requests.append(
            laboratory.request(
              recipient.tokens, base: recipient.run,
              interventions: [Laboratory.patch(layer, positions, vectors)],
              contrast: recipient.contrast, reference: home.donor.logProbabilities))
        }
      }
    }
    let results = try laboratory.run(requests)
    for (place, result) in zip(places, results) {
      rows[place].outcome.patched = try laboratory.measure(result, recipient.contrast)
    }
    return rows
  }
}
