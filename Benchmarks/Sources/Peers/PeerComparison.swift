import Foundation
import TensorCore
import Terminal
import Transformer

/// Peers and project on the same work in turn, and how many times faster the project is.
final class PeerComparison {
  /// One row of the table.
  struct Row {
    /// Names as in `ratio.WORK.PEER`.
    let work: String
    let peer: String
    let target: Double?
    /// Units that the peer does each time; it takes too long for whole sweeps.
    let sample: Int
    /// Largest difference allowed between the two sides' numbers.
    let tolerance: Double
    var model = smallModel
  }

  static let smallModel = "smollm2"
  static let largeModel = "qwen2.5-coder-1.5b"

  static let rows = [
    Row(work: "grid", peer: "transformer_lens", target: 14, sample: 32, tolerance: 1e-2),
    Row(work: "grid", peer: "nnsight", target: 8, sample: 48, tolerance: 1e-2),
    Row(work: "grid", peer: "torch_hooks", target: 6, sample: 64, tolerance: 1e-2),
    Row(work: "last", peer: "transformer_lens", target: 150, sample: 32, tolerance: 1e-2),
    Row(work: "answers", peer: "transformer_lens", target: 7.3, sample: 32, tolerance: 1e-2),
    // 8 cells of 32 pairs.
    Row(
      work: HeadGrid.name, peer: "transformer_lens", target: 11.8, sample: 256, tolerance: 1e-4),
    Row(work: "single", peer: "transformers", target: 1.9, sample: 1, tolerance: 1e-2),
    Row(work: "batch", peer: "transformers", target: 1.5, sample: 16, tolerance: 1e-2),
    // log Σ g²: a thousandth of a gradient's size is 2e-3.
    Row(work: BackwardWork.name, peer: "torch", target: 1.2, sample: 16, tolerance: 2e-3),
    // llama.cpp rounds activations to eight bits.
    Row(work: "prefill", peer: "llama_cpp", target: 3, sample: 1, tolerance: 2),
    Row(work: GenerationWork.name, peer: "llama_cpp", target: 0.7, sample: 1, tolerance: 2),
    Row(
      work: PeerWork.largeSingle, peer: "transformers", target: 1.5, sample: 1, tolerance: 1e-2,
      model: largeModel),
    Row(
      work: PeerWork.largeSingle, peer: "llama_cpp", target: 2, sample: 1, tolerance: 3,
      model: largeModel),
    Row(
      work: GenerationWork.largeName, peer: "transformers", target: nil, sample: 1,
      tolerance: 1e-2, model: largeModel),
    Row(
      work: GenerationWork.largeName, peer: "llama_cpp", target: nil, sample: 1, tolerance: 3,
      model: largeModel),
  ]

  private let engine: Engine
  private let arithmetic: Arithmetic
  private let peak: SgemmPeak
  private let work: PeerWork
  private let headGrid: HeadGrid?
  private let backward: BackwardWork
  private let generation: GenerationWork
  private let rows: [Row]
  private let samples: [String: [Int]]
  private let folder: String
  private let start: (String) throws -> PeerProcess
  private let note: (String) -> Void

  /// - Parameters:
  ///   - name: `smallModel` or `largeModel`: rows of that model are compared.
  ///   - root: the package's folder.
  ///   - note: told what is going on.
  init(
    model: LanguageModel, named name: String, threads: Int, root: String,
    note: @escaping (String) -> Void
  ) throws {
    rows = Self.rows.filter { $0.model == name }
    engine = Engine(model: model, threads: threads, memory: 1024 << 20)
    arithmetic = Arithmetic(architecture: model.architecture)
    peak = SgemmPeak(threads: threads)
    work = try PeerWork(model: model, tasks: root + "/tasks")
    headGrid = name == Self.smallModel ? try HeadGrid(model: model, root: root) : nil
    backward = BackwardWork(work.pairs)
    generation = try GenerationWork(
      engine, prompt: work.prompts[0].prompts[0], isLarge: name == Self.largeModel)
    self.note = note
    var samples: [String: [Int]] = [:]
    if let headGrid { samples[HeadGrid.name] = headGrid.sample }
    for (name, patches) in work.sweeps {
      let most = rows.filter { $0.work == name }.map(\.sample).max() ?? 0
      samples[name] = PeerWork.sample(patches, most)
    }
    self.samples = samples
    folder = NSTemporaryDirectory() + "benchmarks-\(getpid())-peers"
    try Files.makeFolder(folder)
    let description = folder + "/work.json"
    let fields =
      work.description(threads: threads, samples: samples)
      + [
        (key: HeadGrid.name, value: headGrid?.description ?? .null),
        (key: BackwardWork.name, value: backward.description),
        (key: generation.name, value: generation.description),
      ]
    try Files.write(Data(JSONValue.object(fields).text.utf8), to: description)
    let logs = folder
    let modelPath = model.path
    start = { name in
      try PeerProcess(
        name, root: root, model: modelPath, work: description, log: logs + "/\(name).log")
    }
  }

  deinit { try? FileManager.default.removeItem(atPath: folder) }

  /// Seconds of the project's side, and what came out.
  private struct Own {
    /// Recording donors and recipients.
    var preparation = 0.0
    var seconds = 0.0
    var values: [Double] = []
    var operations = 0.0
    /// Largest resident set, of works whose memory is compared.
    var peak: Double?
  }

  /// Compares all works named, `rounds` times in alternation.
  func callAsFunction(works: [String], rounds: Int, into results: inout Results) throws
    -> TextTable
  {
    var table: [[String]] = []
    for name in rows.map(\.work).reduce(
      into: [String](),
      { list, work in
        if !list.contains(work) { list.append(work) }
      }) where works.isEmpty || works.contains(name)
    {
      let rows = rows.filter { $0.work == name }
      let peers = try rows.map { row in
        note("starting \(row.peer)")
        return try start(row.peer)
      }
      var ratios = [[Double]](repeating: [], count: rows.count)
      var withRecording = ratios
      var differences = [Double](repeating: 0, count: rows.count)
      var unitSeconds = ratios
      var own: [Own] = []
      var shares: [Double] = []
      // The first round warms both sides up and is thrown away where it is short.
      let short =
        [BackwardWork.name, generation.name].contains(name)
        || work.prompts.contains { $0.name == name }
      for round in (short ? -1 : 0)..<rounds {
        note("\(name), round \(round + 1) of \(rounds)")
        // Before and after the project's turn, so that a drift of the machine falls out.
        let before = try zip(peers, rows).map { try $0.ask(name, limit: $1.sample) }
        let rate = peak.measure().best
        let mine = try turn(name)
        let rateAfter = peak.measure().best
        let after = try zip(peers, rows).map { try $0.ask(name, limit: $1.sample) }
        guard round >= 0 else { continue }
        own.append(mine)
        shares.append(mine.operations / mine.seconds / 1e9 / max(rate, rateAfter))
        if let peak = mine.peak, let peer = after.first?.peakMegabytes {
          results.set("own.\(name).peak_mb", peak)
          results.set("peer.\(name).\(rows[0].peer).peak_mb", peer)
          results.set("ratio.\(name)_memory.\(rows[0].peer)", peer / peak)
        }
        let units = unitCount(name)
        for (index, row) in rows.enumerated() {
          let seconds = (before[index].seconds + after[index].seconds) / 2
          let unit = seconds / Double(row.sample)
          unitSeconds[index].append(unit)
          ratios[index].append(unit * Double(units) / mine.seconds)
          let donors = donorCount(name, row.sample)
          let recording = before[index].preparation / Double(max(donors.sampled, 1))
          withRecording[index].append(
            (unit * Double(units) + recording * Double(donors.all))
              / (mine.seconds + mine.preparation))
          differences[index] = max(
            differences[index], difference(before[index].values, mine.values, name))
        }
      }
      let seconds = median(own.map(\.seconds))
      results.set("own.\(name).seconds", seconds)
      results.set("own.\(name).recording_seconds", median(own.map(\.preparation)))
      results.set("own.\(name).share_of_sgemm_peak", median(shares))
      for (index, row) in rows.enumerated() {
        let ratio = median(ratios[index])
        results.set("ratio.\(row.work).\(row.peer)", ratio)
        results.set("peer.\(row.work).\(row.peer).seconds", median(unitSeconds[index]))
        if !short {
          results.set("ratio.\(row.work)_recorded.\(row.peer)", median(withRecording[index]))
        }
        guard differences[index] <= row.tolerance else {
          throw UserError(
            "\(row.work): the numbers of \(row.peer) differ by \(differences[index])",
            remedy: "one of the two does other work")
        }
        let spread = ratios[index].sorted()
        table.append([
          row.work, "\(row.peer) \(peers[index].version)",
          String(format: "%.4g", median(unitSeconds[index])),
          String(format: "%.4g", seconds / Double(unitCount(name))),
          String(format: "%.2f", ratio),
          String(format: "%.2f–%.2f", spread.first ?? 0, spread.last ?? 0),
          short ? "" : String(format: "%.2f", median(withRecording[index])),
          row.target.map { String(format: "%.1f", $0) } ?? "",
          String(format: "%.0f %%", 100 * median(shares)),
          String(format: "%.1g", differences[index]),
        ])
      }
    }
    return TextTable(
      headers: [
        "work", "peer", "its s a unit", "own s a unit", "ratio", "range", "with recording",
        "target",
        "own share of sgemm", "largest difference",
      ],
      rows: table,
      alignments: [.left, .left] + Array(repeating: .right, count: 8))
  }

  private func unitCount(_ name: String) -> Int {
    if name == HeadGrid.name { return headGrid?.unitCount ?? 1 }
    if name == BackwardWork.name { return backward.prompts.count }
    return work.sweeps.first { $0.name == name }?.patches.count
      ?? work.prompts.first { $0.name == name }?.prompts.count ?? 1
  }

  /// Donors that a sweep needs, and those of its sample.
  private func donorCount(_ name: String, _ count: Int) -> (all: Int, sampled: Int) {
    // Its one batch of clean runs serves the sample as it would serve all.
    if name == HeadGrid.name { return (1, 1) }
    guard let patches = work.sweeps.first(where: { $0.name == name })?.patches else {
      return (0, 0)
    }
    let chosen = (samples[name] ?? []).prefix(count)
    return (Set(patches.map(\.pair)).count, Set(chosen.map { patches[$0].pair }).count)
  }

  private func difference(_ theirs: [Double], _ mine: [Double], _ name: String) -> Double {
    let chosen = samples[name] ?? Array(theirs.indices)
    return zip(theirs, chosen).reduce(0) { max($0, abs($1.0 - mine[$1.1])) }
  }

  /// The project's side of a work, whole.
  private func turn(_ name: String) throws -> Own {
    var own = Own()
    if name == HeadGrid.name, let headGrid {
      own.operations = headGrid.operations(arithmetic)
      // Recording the clean and corrupted runs is a part of it.
      own.seconds = try time { own.values = try headGrid.run(engine) }
      return own
    }
    if name == BackwardWork.name {
      own.operations = backward.operations(arithmetic)
      ResidentPeak.forget()
      own.seconds = try time { own.values = try backward.run(engine) }
      own.peak = ResidentPeak.megabytes
      return own
    }
    if name == generation.name {
      own.operations = generation.operations(arithmetic)
      let prompt = try generation.prompt(engine)
      own.seconds = try time { own.values = try generation.run(engine, after: prompt) }
      return own
    }
    if let prompts = work.prompts.first(where: { $0.name == name })?.prompts {
      let requests = prompts.map {
        ForwardRequest(tokens: $0, logits: LogitRequest(tokens: .all))
      }
      own.operations = prompts.reduce(0) {
        $0 + arithmetic.prompt(tokens: $1.count) + arithmetic.unembeddedRow
      }
      own.seconds = try time {
        own.values = try engine.forward(requests).map { Double($0.logits[0].logits[work.token]) }
      }
      return own
    }
    guard let patches = work.sweeps.first(where: { $0.name == name })?.patches else { return own }
    var bases: [Int: RecordedRun] = [:]
    // Of a donor only the rows that are patched are kept.
    var rows = [Tensor?](repeating: nil, count: patches.count)
    own.preparation = try time {
      for (number, indices) in Dictionary(grouping: patches.indices, by: { patches[$0].pair }) {
        let pair = work.pairs[number]
        let runs = try engine.record([pair.recipient, pair.donor])
        bases[number] = runs[0]
        for index in indices {
          rows[index] = runs[1].residualPost(
            layer: patches[index].layer, positions: patches[index].positions)
        }
      }
    }
    own.seconds = try time {
      let requests = zip(patches, rows).compactMap { patch, rows -> ForwardRequest? in
        guard let base = bases[patch.pair], let rows else { return nil }
        return ForwardRequest(
          tokens: base.tokens, base: base,
          interventions: [
            .edit(
              ActivationEdit(
                at: HookPoint(.residualPost, layer: patch.layer), positions: patch.positions,
                change: .replace(RowSource(rows))))
          ], logits: LogitRequest(tokens: .some(work.pairs[patch.pair].candidates)))
      }
      own.values = try engine.forward(requests).map {
        Double($0.logits[0].logits[0] - $0.logits[0].logits[1])
      }
    }
    own.operations = patches.reduce(0) {
      $0
        + arithmetic.patch(
          tokens: work.pairs[$1.pair].recipient.count, layer: $1.layer, positions: $1.positions)
    }
    return own
  }
}
