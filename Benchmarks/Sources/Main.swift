import Foundation
import TensorCore
import Terminal
import Transformer

/// `benchmarks [--quick] [--full] [--only NAME]… [--threads N]`: measures, prints a table and keeps
/// the numbers in `Benchmarks/results/latest.json`; with `--peers [--rounds N]`, beside other programs; with
/// `--costs STUDY [--rounds N]`, what the cells of a study of GANs at 16×16 cost.
@main
enum Main {
  private static let resultsPath = "Benchmarks/results/latest.json"

  private static let workloads: [(name: String, run: @Sendable (Bench) throws -> Void)] = [
    ("products", { try $0.products() }), ("load", { try $0.load() }),
    ("unpack", { try $0.unpack() }),
    ("forward", { try $0.forward() }), ("single", { try $0.single() }),
    ("prefill", { try $0.prefill() }), ("last", { try $0.lastPosition() }),
    ("answers", { try $0.allAnswers() }), ("grid", { try $0.grid() }),
  ]

  static func main() {
    do {
      try run(Array(CommandLine.arguments.dropFirst()))
    } catch {
      FileHandle.standardError.write(Data("benchmarks: \(error)\n".utf8))
      exit((error as? UserError)?.status.rawValue ?? UserError.Status.failed.rawValue)
    }
  }

  private static func run(_ arguments: [String]) throws {
    var isQuick = false
    var isFull = false
    var only: [String] = []
    var threads = 2
    var comparesPeers = false
    var study: String?
    var rounds = 3
    var rest = arguments[...]
    func value() throws -> String {
      guard let value = rest.popFirst() else {
        throw UserError("an option has no value", remedy: "see Benchmarks/Sources", status: .usage)
      }
      return value
    }
    while let argument = rest.popFirst() {
      switch argument {
      case "--quick": isQuick = true
      case "--full": isFull = true
      case "--peers": comparesPeers = true
      case "--costs": study = try value()
      case "--rounds": rounds = Int(try value()) ?? rounds
      case "--only": only.append(try value())
      case "--threads": threads = Int(try value()) ?? threads
      case "--time-sweep":
        guard let variants = Int(try value()), let tokens = Int(try value()) else {
          throw UserError("--time-sweep takes variants and tokens", status: .usage)
        }
        let bench = try Bench(
          modelPath: ModelStore().resolve("smollm2"), threads: threads, isQuick: false)
        print(try SweepCost.time(variants: variants, tokens: tokens, bench: bench))
        return
      case "--train-worker":
        try TrainingWorker.run(try value(), threads: threads)
        return
      case "--time-load":
        let path = try value()
        print(try time { _ = try LanguageModel(gguf: path) })
        return
      default:
        throw UserError(
          "unknown option \(argument)",
          remedy: "known are --quick, --full, --only, --peers, --costs, --rounds, --threads",
          status: .usage)
      }
    }
    if let study {
      let table = try CellCosts.table(
        of: study, features: ["networks/fashion16-plain.safetensors", "encoder"],
        network: "networks/fashion16.safetensors", rounds: max(rounds, 1), note: note)
      print(table.text(), terminator: "")
      return
    }
    if comparesPeers {
      try comparePeers(only: only, threads: threads, rounds: rounds)
      return
    }
    let names = workloads.map(\.name) + ["patch", "sweep", "train"]
    for name in only where !names.contains(name) {
      throw UserError(
        "no benchmark is called \"\(name)\"",
        remedy: "known are: \(names.joined(separator: ", "))", status: .usage)
    }
    func isWanted(_ name: String) -> Bool { only.isEmpty || only.contains(name) }

    var results = Results()
    // First, while this process is small: see `Subprocess.run`.
    if only.contains("patch") || (only.isEmpty && (isFull || !isQuick)) {
      note("patch")
      try PatchJob.run(into: &results)
      try results.merge(into: resultsPath)
    }
    if only.contains("sweep") || (only.isEmpty && isFull) {
      try SweepCost.run(into: &results, chart: "docs/sweep-cost", note: note)
      try results.merge(into: resultsPath)
    }
    if isWanted("train") {
      note("train")
      let peak = SgemmPeak(threads: threads)
      for step in TrainingStep.all {
        try step.measure(
          pool: ThreadPool(count: threads), peak: peak, repeats: isQuick ? 3 : 7, into: &results)
        try results.merge(into: resultsPath)
      }
      BufferPool.shared.empty()
      results.set("sgemm.peak_gflops", peak.best)
      results.set("fma_peak.gflops", peak.bestFused)
    }
    if workloads.contains(where: { isWanted($0.name) }) {
      let bench = try Bench(
        modelPath: ModelStore().resolve("smollm2"), threads: threads, isQuick: isQuick)
      bench.results = results
      for workload in workloads where isWanted(workload.name) {
        note(workload.name)
        try workload.run(bench)
        try bench.results.merge(into: resultsPath)
      }
      bench.results.set("sgemm.peak_gflops", max(bench.peak.measure().best, bench.peak.best))
      bench.results.set("fma_peak.gflops", bench.peak.bestFused)
      results = bench.results
    }
    try results.merge(into: resultsPath)
    let table = TextTable(
      headers: ["benchmark", "value"],
      rows: results.numbers.map { [$0.name, String(format: "%.4g", $0.value)] },
      alignments: [.left, .right])
    print(table.text(), terminator: "")
  }

  private static func comparePeers(only: [String], threads: Int, rounds: Int) throws {
    let steps = ComparedSteps.kinds.map { $0.kind }
    let works = Set(PeerComparison.rows.map(\.work)).union(steps)
    for name in only where !works.contains(name) {
      throw UserError(
        "peers have no work called \"\(name)\"",
        remedy: "known are: \(works.sorted().joined(separator: ", "))", status: .usage)
    }
    let root = FileManager.default.currentDirectoryPath
    let kinds = ComparedSteps.kinds.filter { only.isEmpty || only.contains($0.kind) }
    if !kinds.isEmpty {
      var results = Results()
      let comparison = try TrainingComparison(threads: threads, root: root, note: note)
      let table = try comparison(kinds: kinds, rounds: max(rounds, 1), into: &results)
      try results.merge(into: resultsPath)
      print(table.text(), terminator: "")
    }
    let others = only.filter { !steps.contains($0) }
    guard only.isEmpty || !others.isEmpty else { return }
    for name in [PeerComparison.smallModel, PeerComparison.largeModel]
    where PeerComparison.rows.contains(where: {
      $0.model == name && (others.isEmpty || others.contains($0.work))
    }) {
      guard let path = try? ModelStore().resolve(name) else {
        note("\(name) is not there: \"icl-probe models fetch \(name)\" gets it")
        continue
      }
      var results = Results()
      let comparison = try PeerComparison(
        model: try LanguageModel(gguf: path), named: name, threads: threads, root: root, note: note)
      let table = try comparison(works: others, rounds: max(rounds, 1), into: &results)
      try results.merge(into: resultsPath)
      print(table.text(), terminator: "")
    }
  }

  private static func note(_ name: String) {
    FileHandle.standardError.write(Data("benchmarks: \(name)\n".utf8))
  }
}
