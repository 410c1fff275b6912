import DiffusionGAN
import Foundation
import TensorCore
import Terminal

/// What the cells of a study of GANs cost beside its first: processor time of `onestep train` with one thread, and the
/// largest resident set of it, as a user runs it.
enum CellCosts {
  private static let program = "onestep"
  /// Thousands of images of the two runs whose difference is counted: start-up is in both. Sixteen iterations, after
  /// which a penalty comes again, are 1,024 images at a batch of 64 and 4,096 at one of 256.
  private static let lengths = (short: 1, long: 5)

  /// - Parameters:
  ///   - path: `studies/NAME.json`.
  ///   - rounds: how often the cells are gone through by turns; the ratio of a round is to the first cell of that round.
  static func table(
    of path: String, features: [String], network: String, rounds: Int, note: (String) -> Void
  ) throws -> TextTable {
    let study = try Study(contentsOf: path)
    var lines: [[String]] = []
    let cells = try study.cells.filter { cell in
      guard cell.method == .gan else { return false }
      let line = try words(cell, study, features, network)
      defer { lines.append(line) }
      return !lines.contains(line)
    }
    var found: [String: [(seconds: Double, ratio: Double, megabytes: Double)]] = [:]
    for round in 1...rounds {
      var first: Double?
      for cell in cells {
        note("\(cell.name), round \(round) of \(rounds)")
        let line = try words(cell, study, features, network)
        let short = try train(line, thousands: lengths.short)
        let long = try train(line, thousands: lengths.long)
        let seconds =
          (long.processorSeconds - short.processorSeconds)
          / Double(lengths.long - lengths.short)
        first = first ?? seconds
        found[cell.name, default: []].append(
          (seconds, seconds / (first ?? seconds), long.peakMegabytes))
      }
    }
    return TextTable(
      headers: ["cell", "processor seconds, 1,000 images", "times the first's", "range", "MB"],
      rows: cells.map { cell in
        let rounds = found[cell.name] ?? []
        let ratios = rounds.map(\.ratio)
        return [
          cell.name, String(format: "%.2f", median(rounds.map(\.seconds))),
          String(format: "%.2f", median(ratios)),
          String(format: "%.2f–%.2f", ratios.min() ?? .nan, ratios.max() ?? .nan),
          String(format: "%.0f", rounds.map(\.megabytes).max() ?? .nan),
        ]
      }, alignments: [.left, .right, .right, .right, .right])
  }

  /// The cell as a command line, without its length.
  private static func words(
    _ cell: StudyCell, _ study: Study, _ features: [String], _ network: String
  ) throws -> [String] {
    var words = [
      "train", "--network", network, "--data", study.data, "--freeze", "\(cell.freezing)",
      "--learning-rate", "\(cell.learningRates.first ?? 0)", "--seed", "0", "--threads", "1",
    ]
    if cell.options["preset"] == .null { words += ["--preset", study.preset.source] }
    if cell.options["features"] == .null { words += features.flatMap { ["--features", $0] } }
    return try words + cell.optionWords()
  }

  private static func train(_ words: [String], thousands: Int) throws -> Subprocess.Usage {
    let folder = URL(fileURLWithPath: try Subprocess.ownPath()).deletingLastPathComponent()
    let out = NSTemporaryDirectory() + "benchmarks-\(getpid())-train"
    defer { try? FileManager.default.removeItem(atPath: out) }
    return try Subprocess.run(
      folder.appendingPathComponent(program).path,
      words + ["--kimg", "\(thousands)", "--snapshots", "1", "--out", out]
    ).usage
  }
}
