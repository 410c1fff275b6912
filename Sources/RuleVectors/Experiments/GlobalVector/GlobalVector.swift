import TensorCore
import Transformer

/// One vector at the last position, averaged over donor episodes of the same rule, put into prompts
/// that do not have the rule (the task vector of Hendel et al. 2023; the global task vector of the
/// label-words paper), with knowledge tasks as positive controls run by the same code.
struct GlobalVector: Experiment {
  typealias Row = GlobalVectorRow
  static let kind = "global-vector"
  static let version = 1

  /// Which prompts the mean is taken over.
  enum Form: String, Sendable, CaseIterable {
    /// Donors ask for other items, half of them of either class.
    case mean
    /// Donors ask for a neutral word that is no item (Hendel's form).
    case dummyQuery = "dummy-query"
  }

  enum Recipient: String, Sendable, CaseIterable {
    case zeroShot = "zero-shot"
    case dummyDemonstrations = "dummy-demonstrations"

    var words: String {
      self == .zeroShot ? "zero-shot prompts" : "prompts with dummy demonstrations"
    }
  }

  /// Donor episodes that a vector is the mean of; even.
  let donors: Int
  let forms: [Form]
  let recipients: [Recipient]
  let layers: LayerList
  /// Knowledge tasks that show that the method can work, and their demonstrations.
  let controls: ControlTasks
  /// Development episodes that choose form and layer.
  let development: Int
  /// The share of the demonstrations' effect below which a vector is said to bring little, set before
  /// anything is run.
  let margin: Double

  init(_ keys: ProbeKeys) throws {
    donors = try keys.integer("donors", 2...1000, or: 8)
    guard donors.isMultiple(of: 2) else {
      throw UserError(
        "found \(donors), allowed is an even number: half of the donors ask for the other class",
        at: "\(keys.place), donors", remedy: "use \(donors + 1)")
    }
    forms = try keys.words("forms", or: Form.allCases)
    recipients = try keys.words("recipients", or: Recipient.allCases)
    layers = try keys.layers()
    controls = try ControlTasks(keys)
    development = try keys.integer("development", 1...1000, or: 8)
    margin = try keys.number("margin", 0.01...0.99, or: 0.25)
  }

  func plan(_ probe: String, _ setting: Setting) throws -> Plan {
    guard let task = setting.subject.task else {
      return .skipped("pairs of prompts have no episodes to average over; use a grid")
    }
    let layers = try layers.resolved(setting.architecture.layers, probe: probe)
    let subjects = try controls.with(task, setting)
    return .units(
      subjects.flatMap { task, demonstrations -> [Unit] in
        let tokens = setting.tokens * demonstrations / max(setting.demonstrations, 1)
        let rules = task.hasOtherRules ? 2 : 1
        let cost = (rules * (donors + 1) + recipients.count) * tokens * setting.architecture.layers
        return [(Split.development, development), (setting.split, setting.episodes)].flatMap {
          split, count in
          (0..<count).map { index in
            Unit(
              Self.self, UnitKey(probe: probe, task: task.name, split: split, episode: index),
              cost: cost,
              check: {
                let drawn = try draw($0, task, index, split, demonstrations)
                for prompts in drawn.recipients + drawn.sources {
                  _ = try $0.prompt(prompts, task).contrast(
                    right: drawn.episode.right, wrong: drawn.episode.wrong)
                }
              },
              compute: { laboratory, _ in
                try rows(
                  laboratory, task, draw(laboratory, task, index, split, demonstrations), layers)
              })
          }
        }
      })
  }

  /// Everything that one unit runs.
  private struct Drawn {
    let episode: Episode
    /// The episode, and its flipped rule where it has one.
    var sources: [Episode]
    /// By source, then by form: donor episodes.
    var donors: [[[Episode]]]
    var recipients: [Episode]
  }

  private func draw(
    _ laboratory: Laboratory, _ task: RuleTask, _ index: Int, _ split: Split, _ demonstrations: Int
  ) throws -> Drawn {
    let episode = try laboratory.episode(task, index, split, demonstrations: demonstrations)
    let rule = try laboratory.ruleDonors(of: episode, task, count: donors)
    return Drawn(
      episode: episode, sources: rule.sources,
      donors: rule.donors.map { donors in forms.map { formed($0, donors, task) } },
      recipients: try recipients.map { recipient in
        switch recipient {
        case .zeroShot: episode.zeroShot
        case .dummyDemonstrations: try laboratory.sampler(task).dummyDemonstrations(of: episode)
        }
      })
  }

  private func formed(_ form: Form, _ donors: [Episode], _ task: RuleTask) -> [Episode] {
    guard form == .dummyQuery else { return donors }
    // There are at least two: a task file with fewer is refused.
    return donors.enumerated().map { number, donor in
      var donor = donor
      donor.query = task.dummies[number % task.dummies.count]
      return donor
    }
  }

  private func rows(
    _ laboratory: Laboratory, _ task: RuleTask, _ drawn: Drawn, _ layers: [Int]
  ) throws -> [GlobalVectorRow] {
    let recorded = try laboratory.record(
      drawn.sources + drawn.recipients, task, question: drawn.episode)
    let sources = Array(recorded.prefix(drawn.sources.count))
    let targets = Array(recorded.dropFirst(drawn.sources.count))
    let vectors = try laboratory.meansAtLast(
      drawn.donors.flatMap { $0 }, task, layers.map { HookPoint(.residualPost, layer: $0) })

    var rows: [GlobalVectorRow] = []
    var cells: [(row: GlobalVectorRow, target: RecordedPrompt)] = []
    var requests: [ForwardRequest] = []
    for (recipient, target) in zip(recipients, targets) {
      for (rule, source) in sources.enumerated() {
        func row(_ form: Form?, _ layer: Int?, _ measurement: Measurement) -> GlobalVectorRow {
          GlobalVectorRow(
            recipient: recipient, form: form, isFlipped: rule == 1, layer: layer,
            outcome: Outcome(
              patched: measurement, donor: source.measurement.logitDifference,
              recipient: target.measurement.logitDifference))
        }
        if rule == 0 { rows.append(row(nil, nil, target.measurement)) }
        for (number, form) in forms.enumerated() {
          for (layer, vector) in zip(layers, vectors[rule * forms.count + number]) {
            cells.append((row(form, layer, target.measurement), target))
            requests.append(
              laboratory.request(
                target.tokens, base: target.run,
                interventions: [Laboratory.patch(layer, target.positions(.last), vector)],
                contrast: target.contrast, reference: source.logProbabilities))
          }
        }
      }
    }
    let results = try laboratory.run(requests)
    for (cell, result) in zip(cells, results) {
      var row = cell.row
      row.outcome.patched = try laboratory.measure(result, cell.target.contrast)
      rows.append(row)
    }
    return rows
      + sources.enumerated().map { rule, source in
        GlobalVectorRow(
          recipient: nil, form: nil, isFlipped: rule == 1, layer: nil,
          outcome: Outcome(
            patched: source.measurement, donor: source.measurement.logitDifference,
            recipient: source.measurement.logitDifference))
      }
  }
}
