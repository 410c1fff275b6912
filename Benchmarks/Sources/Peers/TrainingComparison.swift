import Foundation
import TensorCore
import Terminal

/// Training steps of the same networks from the same weights in torch and here, in turn, each side in
/// a process of its own.
final class TrainingComparison {
  /// How many times torch's images a second are wanted.
  private static let target = 1.5

  /// Torch's layout of pictures in memory: the faster one is compared.
  private static let formats = ["contiguous_format", "channels_last"]

  private let threads: Int
  private let root: String
  private let peak: SgemmPeak
  private let folder: String
  private let note: (String) -> Void

  /// - Parameters:
  ///   - root: the package's folder.
  ///   - note: told what is going on.
  init(threads: Int, root: String, note: @escaping (String) -> Void) throws {
    self.threads = threads
    self.root = root
    self.note = note
    peak = SgemmPeak(threads: threads)
    folder = NSTemporaryDirectory() + "benchmarks-\(getpid())-training"
    try Files.makeFolder(folder)
  }

  deinit { try? FileManager.default.removeItem(atPath: folder) }

  /// Compares all steps of some kinds, `rounds` times in alternation.
  func callAsFunction(
    kinds: [any ComparedStep.Type], rounds: Int, into results: inout Results
  ) throws -> TextTable {
    let works = kinds.flatMap { $0.works }
    let rows = try works.map { try compare($0, rounds: rounds, into: &results) }
    if works.contains(AdversarialStep.kind) {
      let ratio = try FrozenSpeedup.measure(rounds: rounds, start: own)
      results.set(FrozenSpeedup.key, ratio)
      note(
        String(
          format: "frozen %.2f times as fast as unfrozen, %.2f wanted", ratio,
          FrozenSpeedup.target))
    }
    return TextTable(
      headers: [
        "work", "peer", "its images/s", "own images/s", "ratio", "range", "target",
        "own share of sgemm", "its peak MB (at start)", "own peak MB", "largest difference",
      ], rows: rows, alignments: [.left, .left] + Array(repeating: .right, count: 9))
  }

  private func compare(
    _ work: String, rounds: Int, into results: inout Results
  ) throws -> [String] {
    let step = try ComparedSteps.step(work)
    let steps = step.stepsOfTurn
    let images = Double(steps * step.batch)
    note("\(work), \(steps) steps a turn")
    let own = try own(work)
    let expected = try own.ask(ComparedSteps.check, limit: 0).values
    let (torch, difference) = try fasterPeer(work, step, expected: expected)
    _ = try own.ask(work, limit: 1)

    var ratios: [Double] = []
    var (theirs, mine, shares) = (ratios, ratios, ratios)
    for round in 0..<rounds {
      note("\(work), round \(round + 1) of \(rounds)")
      // Before and after the project's turn, so that a drift of the machine falls out.
      let before = try torch.ask(work, limit: steps).seconds
      let rate = peak.measure().best
      let seconds = try own.ask(work, limit: steps).seconds
      let rateAfter = peak.measure().best
      let after = try torch.ask(work, limit: steps).seconds
      theirs.append(images / ((before + after) / 2))
      mine.append(images / seconds)
      ratios.append((before + after) / 2 / seconds)
      if let operations = step.operations {
        shares.append(operations * Double(steps) / seconds / 1e9 / max(rate, rateAfter))
      }
    }
    // Nothing is done: the answers tell the largest resident sets.
    let theirPeak = try torch.ask(work, limit: 0).peakMegabytes
    let ownPeak = try own.ask(work, limit: 0).peakMegabytes
    for (key, value) in [
      ("ratio.\(work).torch", median(ratios)),
      ("ratio.\(work)_memory.torch", ownPeak / theirPeak),
      ("peer.\(work).torch.images_per_second", median(theirs)),
      ("peer.\(work).torch.peak_rss_mb", theirPeak),
      ("peer.\(work).torch.start_rss_mb", torch.startMegabytes),
      ("own.\(work).images_per_second", median(mine)),
      ("own.\(work).peak_rss_mb", ownPeak),
    ] {
      results.set(key, value)
    }
    if !shares.isEmpty { results.set("own.\(work).share_of_sgemm_peak", median(shares)) }
    return [
      work, "torch \(torch.version), \(torch.name)", String(format: "%.4g", median(theirs)),
      String(format: "%.4g", median(mine)), String(format: "%.2f", median(ratios)),
      String(format: "%.2f–%.2f", ratios.min() ?? 0, ratios.max() ?? 0),
      String(format: "%.1f", Self.target),
      shares.isEmpty ? "–" : String(format: "%.0f %%", 100 * median(shares)),
      String(format: "%.0f (%.0f)", theirPeak, torch.startMegabytes),
      String(format: "%.0f", ownPeak), String(format: "%.1g", difference),
    ]
  }

  /// The project's side, in a process of its own.
  private func own(_ work: String) throws -> PeerProcess {
    try PeerProcess(
      "own", program: try Subprocess.ownPath(),
      arguments: ["--threads", String(threads), "--train-worker", work],
      log: "\(folder)/own-\(work).log")
  }

  /// Torch in the faster of its layouts, and the largest difference of its numbers.
  private func fasterPeer(
    _ work: String, _ step: any ComparedStep, expected: [Double]
  ) throws -> (peer: PeerProcess, difference: Double) {
    let arrays = "\(folder)/\(work).safetensors"
    try Safetensors.write(step.arrays().arrays(), metadata: [:], to: arrays)
    let peers = try Self.formats.map { try start(work, step, arrays: arrays, format: $0) }
    var difference = 0.0
    for peer in peers {
      let numbers = try peer.ask(ComparedSteps.check, limit: 0).values
      // Iterations without a penalty have 0 on both sides.
      let shares = zip(numbers, expected).map { $0 == $1 ? 0 : abs($0 - $1) / abs($1) }
      // A difference that is not a number is no agreement.
      guard numbers.count == expected.count, shares.allSatisfy({ $0 <= type(of: step).tolerance })
      else {
        throw UserError(
          "\(work): losses and norms of gradients are \(numbers) in torch and \(expected) here",
          remedy: "one of the two does other work")
      }
      difference = max(difference, shares.max() ?? .infinity)
    }
    var best = [Double](repeating: .infinity, count: peers.count)
    for _ in 0..<2 {
      // Whole turns, so that what happens once a turn has its weight.
      for (index, peer) in peers.enumerated() {
        best[index] = min(best[index], try peer.ask(work, limit: step.stepsOfTurn).seconds)
      }
    }
    for (peer, seconds) in zip(peers, best) {
      note(String(format: "%@: %.3f s a step", peer.name, seconds / Double(step.stepsOfTurn)))
    }
    return (peers[peers.indices.min { best[$0] < best[$1] } ?? 0], difference)
  }

  /// - Parameter arrays: path of the step's arrays.
  private func start(
    _ work: String, _ step: any ComparedStep, arrays: String, format: String
  ) throws -> PeerProcess {
    let description: JSONValue = .object(
      [
        ("work", .string(type(of: step).kind)), ("threads", .integer(threads)),
        ("memory_format", .string(format)),
      ] + step.description)
    let path = "\(folder)/\(work)-\(format).json"
    try Files.write(Data(description.prettyText.utf8), to: path)
    note("starting torch, \(format)")
    return try PeerProcess(
      "torch_training", called: format, root: root, model: arrays, work: path,
      log: "\(folder)/torch-\(format).log")
  }
}
