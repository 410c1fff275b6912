import DiffusionGAN
import Foundation
import TensorCore
import Terminal

/// Training steps of the same networks from the same weights in torch and here, in turn, each side in
/// a process of its own.
final class TrainingComparison {
  static let work = "train_step"

  /// A network, and how many times torch's images a second are wanted.
  private struct Row {
    let step: TrainingStep
    let target = 1.5

    /// As in `ratio.WORK.torch`; the first network has the short name.
    var work: String {
      step.name == TrainingStep.all[0].name
        ? TrainingComparison.work : "\(TrainingComparison.work)_\(step.name)"
    }
  }

  /// Torch's layout of pictures in memory: the faster one is compared.
  private static let formats = ["contiguous_format", "channels_last"]
  /// Largest difference between the two sides' losses and gradient norms, as a share.
  private static let tolerance = 1e-3
  /// Floating-point operations of a turn, about, and the fewest steps of one.
  private static let turn = (operations: 2e11, steps: 3)

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

  /// Compares all networks, `rounds` times in alternation.
  func callAsFunction(rounds: Int, into results: inout Results) throws -> TextTable {
    let rows = try TrainingStep.all.map {
      try compare(Row(step: $0), rounds: rounds, into: &results)
    }
    return TextTable(
      headers: [
        "work", "peer", "its images/s", "own images/s", "ratio", "range", "target",
        "own share of sgemm", "its peak MB (at start)", "own peak MB", "largest difference",
      ], rows: rows, alignments: [.left, .left] + Array(repeating: .right, count: 9))
  }

  private func compare(_ row: Row, rounds: Int, into results: inout Results) throws -> [String] {
    let network = try UNet(row.step.configuration)
    let operations = row.step.operations(network)
    let steps = max(Int(Self.turn.operations / operations), Self.turn.steps)
    let images = Double(steps * TrainingStep.batch)
    note("\(row.work), \(steps) steps a turn")
    let own = try PeerProcess(
      "own", program: try Subprocess.ownPath(),
      arguments: ["--threads", String(threads), "--train-worker", row.step.name],
      log: "\(folder)/own.log")
    let expected = try own.ask(TrainingCheck.work, limit: 0).values
    let (torch, difference) = try fasterPeer(row, network, steps: steps, expected: expected)
    _ = try own.ask(row.work, limit: 1)

    var ratios: [Double] = []
    var (theirs, mine, shares) = (ratios, ratios, ratios)
    for round in 0..<rounds {
      note("\(row.work), round \(round + 1) of \(rounds)")
      // Before and after the project's turn, so that a drift of the machine falls out.
      let before = try torch.ask(row.work, limit: steps).seconds
      let rate = peak.measure().best
      let seconds = try own.ask(row.work, limit: steps).seconds
      let rateAfter = peak.measure().best
      let after = try torch.ask(row.work, limit: steps).seconds
      theirs.append(images / ((before + after) / 2))
      mine.append(images / seconds)
      ratios.append((before + after) / 2 / seconds)
      shares.append(operations * Double(steps) / seconds / 1e9 / max(rate, rateAfter))
    }
    // Nothing is done: the answers tell the largest resident sets.
    let theirPeak = try torch.ask(row.work, limit: 0).peakMegabytes
    let ownPeak = try own.ask(row.work, limit: 0).peakMegabytes
    for (key, value) in [
      ("ratio.\(row.work).torch", median(ratios)),
      ("ratio.\(row.work)_memory.torch", ownPeak / theirPeak),
      ("peer.\(row.work).torch.images_per_second", median(theirs)),
      ("peer.\(row.work).torch.peak_rss_mb", theirPeak),
      ("peer.\(row.work).torch.start_rss_mb", torch.startMegabytes),
      ("own.\(row.work).images_per_second", median(mine)),
      ("own.\(row.work).share_of_sgemm_peak", median(shares)),
      ("own.\(row.work).peak_rss_mb", ownPeak),
    ] {
      results.set(key, value)
    }
    return [
      row.work, "torch \(torch.version), \(torch.name)", String(format: "%.4g", median(theirs)),
      String(format: "%.4g", median(mine)), String(format: "%.2f", median(ratios)),
      String(format: "%.2f–%.2f", ratios.min() ?? 0, ratios.max() ?? 0),
      String(format: "%.1f", row.target), String(format: "%.0f %%", 100 * median(shares)),
      String(format: "%.0f (%.0f)", theirPeak, torch.startMegabytes),
      String(format: "%.0f", ownPeak), String(format: "%.1g", difference),
    ]
  }

  /// Torch in the faster of its layouts, and the largest difference of its numbers.
  private func fasterPeer(
    _ row: Row, _ network: UNet, steps: Int, expected: [Double]
  ) throws -> (peer: PeerProcess, difference: Double) {
    let peers = try Self.formats.map { try start(row, network, format: $0) }
    var difference = 0.0
    for peer in peers {
      let numbers = try peer.ask(TrainingCheck.work, limit: 0).values
      let found = zip(numbers, expected).map { abs($0 - $1) / abs($1) }.max() ?? .infinity
      guard numbers.count == expected.count, found <= Self.tolerance else {
        throw UserError(
          "\(row.work): gradient norm and losses are \(numbers) in torch and \(expected) here",
          remedy: "one of the two does other work")
      }
      difference = max(difference, found)
    }
    var times = [[Double]](repeating: [], count: peers.count)
    for _ in 0..<3 {
      for (index, peer) in peers.enumerated() {
        times[index].append(try peer.ask(row.work, limit: max(steps / 2, 1)).seconds)
      }
    }
    let best = peers.indices.min { median(times[$0]) < median(times[$1]) } ?? 0
    for index in peers.indices {
      let seconds = median(times[index]) / Double(max(steps / 2, 1))
      note(String(format: "%@: %.3f s a step", peers[index].name, seconds))
    }
    return (peers[best], difference)
  }

  private func start(_ row: Row, _ network: UNet, format: String) throws -> PeerProcess {
    let weights = "\(folder)/\(row.work).safetensors"
    try TrainingCheck(row.step, network).write(to: weights)
    let settings = row.step.pretraining(network).settings
    let description: JSONValue = [
      "work": .string(Self.work), "threads": .integer(threads), "memory_format": .string(format),
      "network": network.configuration.jsonValue,
      "sigma_data": .number(Denoiser(network).preconditioning.sigmaData),
      "noise_mean": .number(settings.loss.mean),
      "noise_deviation": .number(settings.loss.deviation),
      "rate": .number(Double(settings.rate.rate)), "half_life": .number(settings.halfLife),
    ]
    let work = "\(folder)/\(row.work)-\(format).json"
    try Files.write(Data(description.prettyText.utf8), to: work)
    note("starting torch, \(format)")
    return try PeerProcess(
      "torch_training", called: format, root: root, model: weights, work: work,
      log: "\(folder)/torch-\(format).log")
  }
}
