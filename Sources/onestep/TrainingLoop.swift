import DiffusionGAN
import Foundation
import TensorCore
import Terminal

/// Steps of a training run from its beginning or last state to its end, with all that a user sees and
/// finds on disk.
struct TrainingLoop {
  let directory: TrainingDirectory
  /// Samples of the whole run.
  let total: Int
  /// Samples between two saved states.
  let tick: Int
  /// Snapshots over the run, evenly spaced.
  let snapshots: Int
  /// Said at the beginning.
  let note: String?

  init(
    _ directory: TrainingDirectory, total: Int, tick: Int, snapshots: Int, note: String? = nil
  ) {
    self.directory = directory
    self.total = total
    self.tick = tick
    self.snapshots = snapshots
    self.note = note
  }

  /// - Throws: `UserError` when Ctrl-C asked to stop, after the state has been saved.
  ///   `Divergence` where more steps do not help, with the state of the tick before kept.
  func callAsFunction(_ run: inout some ResumableTraining) throws {
    if directory.hasState { try run.resume(from: directory.statePath) }
    // Images of the state on the disk, if there is one.
    var saved = directory.hasState ? run.seen : nil
    do { try steps(&run, saved: &saved) } catch var divergence as Divergence {
      (divergence.place, divergence.saved) = (directory.path, saved)
      throw divergence
    }
  }

  private func steps(_ run: inout some ResumableTraining, saved: inout Int?) throws {
    // Of several processes one writes; all take the same steps.
    let ranks = Compute.ranks
    let isWriter = ranks.rank == 0
    if isWriter { try directory.truncateStatistics(after: run.seen) }
    Interruption.watch()
    let progress = Progress(unit: "images")
    defer { progress.finish() }
    progress.note(
      directory.hasState
        ? "continuing \(directory.path) at \(run.seen) images" : "run \(directory.path)")
    if let note { progress.note(note) }
    // What training begins from, to compare with.
    if isWriter, run.seen == 0, !directory.hasState, total >= Self.thousand {
      try run.writeSnapshot(in: directory)
    }
    progress.update(done: min(run.seen, total), total: total, label: "training")
    var unfinished = try directory.unfinishedTick(at: run.seen)
    while run.seen < total {
      let start = ContinuousClock.now
      let before = run.seen
      let end = min((before / tick + 1) * tick, total)
      var current = unfinished ?? UnfinishedTick(start: before)
      unfinished = nil
      while run.seen < end {
        do { current.means.add(try run.step()) } catch let error as UserError
          where error.place == nil
        {
          throw UserError(
            error.problem, at: directory.path, remedy: error.remedy, status: error.status)
        }
        let figures = current.means.figures
        progress.update(
          done: min(run.seen, total), total: total,
          label: figures.prefix(1).map { String(format: "%@ %.4f", $0.name, $0.value) }.joined())
        if ranks.any(Interruption.isRequested) {
          try run.check(figures)
          if isWriter {
            try directory.keep(current, at: run.seen)
            try run.save(to: directory.statePath)
          }
          // Nobody leaves before the state is there.
          _ = ranks.any(false)
          throw UserError(
            "stopped at \(run.seen) images; the state is saved", at: directory.path,
            remedy: "the same command continues", status: Interruption.status)
        }
      }
      let seconds = (ContinuousClock.now - start) / .seconds(1)
      let rate = Double(run.seen - before) / seconds
      let isSnapshot = run.seen >= total || isSnapshotDue(from: current.start, to: run.seen)
      try run.check(current.means.figures)
      guard isWriter else { continue }
      if isSnapshot { try run.writeSnapshot(in: directory) }
      let figures = current.means.figures + (isSnapshot ? try run.measureSnapshot() : [])
      // The row first: one whose state was never written is dropped when the run continues.
      try directory.append(row(run.seen, figures, imagesPerSecond: rate))
      try run.save(to: directory.statePath)
      directory.forgetTick()
      saved = run.seen
      for line in run.advice(figures) { progress.note(line) }
      if isSnapshot {
        let words = figures.map { String(format: "%@ %.4g", $0.name, $0.value) }
        progress.note(
          String(
            format: "%d kimg, %@, %.0f images/s, %.0f MB", run.seen / 1000,
            words.joined(separator: ", "), rate, Self.peakMegabytes))
      }
    }
  }

  private func row(
    _ seen: Int, _ figures: [TrainingFigure], imagesPerSecond: Double
  ) -> JSONValue {
    .object(
      [("images", .integer(seen))] + figures.map { ($0.name, .number($0.value)) } + [
        ("images_per_second", .number(imagesPerSecond)),
        ("peak_rss_mb", .number(Self.peakMegabytes)),
      ])
  }

  /// Files are named by thousands of images: each has one snapshot at most, and the last belongs to the end.
  private func isSnapshotDue(from before: Int, to seen: Int) -> Bool {
    func number(_ seen: Int) -> Int { seen / Self.thousand * Self.thousand * snapshots / total }
    return seen / Self.thousand < total / Self.thousand && number(seen) > number(before)
  }

  private static let thousand = 1000

  private static var peakMegabytes: Double {
    var usage = rusage()
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    return Double(usage.ru_maxrss) * 1024 / 1e6
  }
}
