import Foundation
import Reports
import RuleVectors
import TensorCore
import Terminal
import Transformer

/// `icl-probe plan`: what a run would compute, before it does.
enum PlanCommand: Command {
  static let specification = CommandSpecification(
    name: "plan", summary: "Show what patch would compute, and how it divides into shares.",
    discussion: """
      Takes the options of patch and computes nothing, or, with --measure, one unit of every probe. A \
      unit is what is computed and written together; its cost counts rows times layers of the model. \
      Times are of this machine: a unit that was run takes what it took, others what their cost takes \
      at the same rate. A share computes every N-th unit and what these need, such as the choice of a \
      layer, unless another share has it already: the times of shares are the longest that they can be.
      """,
    options: PatchCommand.design + [
      OptionSpecification(long: "measure", help: "Run one unit of every probe and time it."),
      CommonOptions.json,
    ],
    examples: [
      CommandExample(
        line: "icl-probe plan --task knowledge --probe grid --measure",
        comment: "how long, on how many machines"),
      CommandExample(line: "icl-probe plan --json", comment: "for scripts"),
    ])

  static func run(_ parsed: ParsedCommand) throws {
    var plans: [TaskPlan] = []
    var skipped: [(task: String, reason: String)] = []
    switch try PatchCommand.work(parsed) {
    case .pairs(let run):
      plans.append(
        try TaskPlan(run.name, run.prepare(parsed, CommonOptions.engine(parsed)), parsed))
    case .tasks(let runs):
      skipped = try runs.forEach(parsed, .whole) { name, prepared in
        plans.append(try TaskPlan(name, prepared, parsed))
      }
    }
    if parsed.flag("json") {
      CommonOptions.print([
        "plans": .array(plans.map(\.json)),
        "skipped": .array(
          skipped.map { ["task": .string($0.task), "reason": .string($0.reason)] }),
      ])
    } else {
      print(plans.map(\.text).joined(separator: "\n"), terminator: "")
      for (task, reason) in skipped { print("Skipped: \(task) (\(reason))") }
    }
  }
}

/// The plan of one task's run.
private struct TaskPlan {
  private let task: String
  private let model: String
  private let plan: RunPlan
  private let estimate: PlanEstimate
  /// Bytes of the weights, which processes on one machine share, and most bytes of activations.
  private let memory: (weights: Int, activations: Int)

  private struct Shares {
    let count: Int
    let units: Int
    let cost: Int
    let seconds: Double?
  }
  private let shares: [Shares]

  init(_ task: String, _ prepared: LaboratoryRun.Prepared, _ parsed: ParsedCommand) throws {
    self.task = task
    let (plan, laboratory) = (prepared.plan, prepared.laboratory)
    model = laboratory.engine.model.name
    var estimate = PlanEstimate(plan)
    if parsed.flag("measure") {
      let folder = "\(FileManager.default.temporaryDirectory.path)/icl-probe-plan-\(getpid())"
      laboratory.store = ActivationStore(run: folder)
      defer { try? FileManager.default.removeItem(atPath: folder) }
      Interruption.watch()
      laboratory.watch = { try Interruption.check() }
      try estimate.measure(plan, laboratory) { body in
        try ContinuousClock().measure(body) / .seconds(1)
      } watch: { probe in
        try Interruption.check()
        Notes.write("measuring \(probe)")
      }
    }
    self.plan = plan
    self.estimate = estimate
    memory = (
      try ByteSize.onDisk(laboratory.engine.model.path), laboratory.engine.memory.limit
    )
    let measured = estimate
    shares = Self.counts(plan.count).map { count in
      let all = (1...count).map { plan.share(Shard($0, of: count)) }
      return Shares(
        count: count, units: all.map(\.units.count).max() ?? 0,
        cost: all.map(\.cost).max() ?? 0,
        seconds: all.compactMap { measured.seconds(of: $0) }.max())
    }
  }

  /// Powers of two up to the number of units.
  private static func counts(_ units: Int) -> [Int] {
    var counts = [1]
    while let last = counts.last, last * 2 <= min(units, 1024) { counts.append(last * 2) }
    return counts
  }

  var json: JSONValue {
    [
      "task": .string(task), "model": .string(model), "units": .integer(plan.count),
      "cost": .integer(estimate.cost),
      "rate": estimate.rate.map(JSONValue.number) ?? .null,
      "memory": [
        "weights_bytes": .integer(memory.weights),
        "activations_bytes": .integer(memory.activations),
      ],
      "probes": .array(
        estimate.entries.map { entry in
          [
            "probe": .string(entry.probe), "units": .integer(entry.units),
            "cost": .integer(entry.cost),
            "rows_per_unit": entry.rows.map(JSONValue.integer) ?? .null,
            "seconds_per_unit": entry.secondsPerUnit.map(JSONValue.number) ?? .null,
            "measured": .bool(entry.isMeasured),
          ]
        }),
      "shares": .array(
        shares.map { share in
          [
            "count": .integer(share.count), "units": .integer(share.units),
            "cost": .integer(share.cost), "seconds": share.seconds.map(JSONValue.number) ?? .null,
          ]
        }),
      "skipped_probes": .array(
        plan.skipped.map { ["probe": .string($0.probe), "reason": .string($0.reason)] }),
    ]
  }

  var text: String {
    let device = TerminalDevice.standardOutput
    let isMeasured = estimate.rate != nil
    func table(_ headers: [String], _ rows: [[String]]) -> String {
      TextTable(headers: headers, rows: rows)
        .text(width: device.width, usesUnicode: device.usesUnicode, style: device.style)
    }
    let probes = table(
      ["probe", "units", "cost"] + (isMeasured ? ["rows a unit", "seconds a unit", "by"] : []),
      estimate.entries.map { entry in
        [entry.probe, "\(entry.units)", "\(entry.cost)"]
          + (isMeasured
            ? [
              entry.rows.map(String.init) ?? "", Self.seconds(entry.secondsPerUnit),
              entry.isMeasured ? "measuring" : "cost",
            ] : [])
      })
    let divided = table(
      ["shares", "units a share", "cost"] + (isMeasured ? ["seconds"] : []),
      shares.map { share in
        ["\(share.count)", "\(share.units)", "\(share.cost)"]
          + (isMeasured ? [Self.seconds(share.seconds)] : [])
      })
    return "\(task) on \(model): \(plan.count) units, cost \(estimate.cost)\n\(probes)\(divided)"
      + plan.skipped.map { "Skipped: \($0.probe) (\($0.reason))\n" }.joined()
      + "Memory of a share: weights \(ByteSize.text(memory.weights)), once a machine, and at most "
      + "\(ByteSize.text(memory.activations)) of activations.\n"
      + (isMeasured ? "" : "Times: add --measure.\n")
  }

  private static func seconds(_ value: Double?) -> String {
    value.map { String(format: $0 < 10 ? "%.2f" : "%.0f", $0) } ?? ""
  }
}
