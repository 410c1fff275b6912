import TensorCore
import Transformer

/// The function vector of Todd et al. 2024: the heads that bring the answer most into prompts with
/// shuffled labels, each with its mean output over prompts of the rule; the sum of what these write is
/// added at the last position of prompts that do not have the rule, beside the mean residual stream
/// that takes its place there.
struct FunctionVector: Experiment {
  typealias Row = FunctionVectorRow
  static let kind = "function-vector"
  static let version = 1

  /// What is put in.
  enum Form: String, Sendable, CaseIterable {
    /// The mean output of one head, in its place; chooses the heads.
    case head
    /// The sum of the chosen heads' mean outputs through the output matrix, added after a layer.
    case function
    /// The mean residual stream, in its place after a layer (the global vector).
    case mean
  }

  enum Recipient: String, Sendable, CaseIterable {
    case zeroShot = "zero-shot"
    case shuffledLabels = "shuffled-labels"
    case dummyDemonstrations = "dummy-demonstrations"

    var words: String {
      switch self {
      case .zeroShot: "zero-shot prompts"
      case .shuffledLabels: "prompts with shuffled labels"
      case .dummyDemonstrations: "prompts with dummy demonstrations"
      }
    }
  }

  /// A head of a layer.
  struct Head: Sendable, Hashable {
    let layer: Int
    let head: Int
  }

  /// Donor episodes that outputs are averaged over; even.
  let donors: Int
  /// Heads of the vector; nil for as large a share of all heads as Todd's 10 of GPT-J's 448.
  let heads: Int?
  let recipients: [Recipient]
  let layers: LayerList
  /// Knowledge tasks that show that the method can work, and their demonstrations.
  let controls: ControlTasks
  /// Development episodes that choose heads and layers.
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
    heads = try keys.reader("heads")?.integer(in: 1...10_000)
    recipients = try keys.words("recipients", or: [.zeroShot, .shuffledLabels])
    layers = try keys.layers()
    controls = try ControlTasks(keys)
    development = try keys.integer("development", 1...1000, or: 8)
    margin = try keys.number("margin", 0.01...0.99, or: 0.25)
  }

  /// Heads of the vector in a model with `count` of them.
  func headCount(of count: Int) -> Int {
    min(heads ?? max(1, Int((10 * Double(count) / 448).rounded())), count)
  }

  /// The layer a third up a model, to which Todd et al. add the vector.
  static func third(of layers: Int) -> Int { min(Int((Double(layers) / 3).rounded()), layers - 1) }

  /// The word in units that measure single heads.
  static let headPart = "heads"

  func plan(_ probe: String, _ setting: Setting) throws -> Plan {
    guard let task = setting.subject.task else {
      return .skipped("pairs of prompts have no episodes to average over; use a grid")
    }
    let architecture = setting.architecture
    let layers = Set(
      try layers.resolved(architecture.layers, probe: probe) + [Self.third(of: architecture.layers)]
    ).sorted()
    let subjects = try controls.with(task, setting)
    return .units(
      subjects.flatMap { task, demonstrations -> [Unit] in
        let tokens = setting.tokens * demonstrations / max(setting.demonstrations, 1)
        let rules = task.hasOtherRules ? 2 : 1
        let means = rules * (donors + 1) * tokens * architecture.layers
        let choosing = (0..<development).map {
          UnitKey(
            probe: probe, task: task.name, split: .development, episode: $0, part: Self.headPart)
        }
        let check = { @Sendable (index: Int, split: Split, recipients: [Recipient]) in
          { @Sendable (laboratory: Laboratory) in
            let drawn = try draw(laboratory, task, index, split, demonstrations, recipients)
            for prompts in drawn.recipients + drawn.rule.sources {
              _ = try laboratory.prompt(prompts, task).contrast(
                right: drawn.episode.right, wrong: drawn.episode.wrong)
            }
          }
        }
        let headUnits = choosing.map { key in
          Unit(
            Self.self, key,
            cost: means + rules * architecture.heads * architecture.layers * architecture.layers
              / 2,
            check: check(key.episode, .development, [.shuffledLabels]),
            compute: { laboratory, _ in
              try headRows(
                laboratory, task,
                draw(
                  laboratory, task, key.episode, .development, demonstrations, [.shuffledLabels]))
            })
        }
        return headUnits
          + [(Split.development, development), (setting.split, setting.episodes)].flatMap {
            split, count in
            (0..<count).map { index in
              Unit(
                Self.self, UnitKey(probe: probe, task: task.name, split: split, episode: index),
                needs: choosing, cost: means + recipients.count * tokens * architecture.layers,
                check: check(index, split, recipients),
                compute: { laboratory, needed in
                  let count = headCount(of: architecture.layers * architecture.heads)
                  return try vectorRows(
                    laboratory, task,
                    draw(laboratory, task, index, split, demonstrations, recipients), layers,
                    Self.strongest(count, in: needed.rows(of: choosing)))
                })
            }
          }
      })
  }

  /// The `count` heads of the largest mean indirect effect on the right answer's probability, the first
  /// of equals.
  static func strongest(_ count: Int, in rows: [FunctionVectorRow]) -> [Head] {
    var sums: [Head: Double] = [:]
    for row in rows where row.form == .head {
      guard let layer = row.layer, let head = row.head else { continue }
      sums[Head(layer: layer, head: head), default: 0] +=
        (row.isFlipped ? -1 : 1) * Double(row.outcome.patched.probability)
    }
    return sums.sorted { a, b in
      (-a.value, a.key.layer, a.key.head) < (-b.value, b.key.layer, b.key.head)
    }.prefix(count).map(\.key)
  }
}
