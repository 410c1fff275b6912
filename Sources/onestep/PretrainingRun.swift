import DiffusionGAN
import Foundation
import TensorCore
import Terminal

/// One pretraining run from its beginning or last state to its end.
struct PretrainingRun {
  let training: TrainingPreset
  let data: ImageDataset
  let isConditional: Bool
  /// Images between two saved states.
  let tick: Int
  let snapshots: Int

  private var options: JSONValue {
    [
      "method": "edm", "preset": .string(training.data.rawValue), "data": .string(data.name),
      "images": .integer(data.count), "conditional": .bool(isConditional),
      "seed": .integer(Int(training.settings.seed)), "batch": .integer(training.settings.batch),
      "total": .integer(training.total), "tick": .integer(tick),
      "snapshots": .integer(snapshots),
      "rate": .number(Double(training.settings.rate.rate)),
      "half_life": .number(training.settings.halfLife), "network": training.network.jsonValue,
    ]
  }

  func callAsFunction(root: String, name: String, path: String?) throws {
    let directory = try TrainingDirectory(root: root, name: name, options: options, path: path)
    let denoiser = Denoiser(try UNet(training.network))
    var pretraining =
      directory.hasState
      ? try Pretraining(denoiser, settings: training.settings, resuming: directory.statePath)
      : Pretraining(denoiser, settings: training.settings)
    try directory.truncateStatistics(after: pretraining.seen)
    Interruption.watch()
    let progress = Progress(unit: "images")
    defer { progress.finish() }
    progress.note(
      directory.hasState
        ? "continuing \(directory.path) at \(pretraining.seen) images" : "run \(directory.path)")
    progress.update(done: pretraining.seen, total: training.total, label: "training")

    let step = training.settings.batch
    while pretraining.seen < training.total {
      let start = ContinuousClock.now
      let before = pretraining.seen
      let end = min((before / tick + 1) * tick, training.total)
      var loss = 0.0
      var rate: Float = 0
      while pretraining.seen < end {
        let done =
          isConditional
          ? try pretraining.step(LabelledPictures(data)) : try pretraining.step(data)
        guard done.loss.isFinite else {
          throw UserError(
            "the loss is not finite after \(pretraining.seen) images", at: directory.path,
            remedy: "the state of the last tick is kept; lower the rate or look at the data")
        }
        loss += Double(done.loss) * Double(step)
        rate = done.rate
        progress.update(
          done: min(pretraining.seen, training.total), total: training.total,
          label: String(format: "loss %.4f", loss / Double(pretraining.seen - before)))
        if Interruption.isRequested {
          try pretraining.save(to: directory.statePath)
          throw UserError(
            "stopped at \(pretraining.seen) images; the state is saved", at: directory.path,
            remedy: "the same command continues")
        }
      }
      let seconds = Self.seconds(ContinuousClock.now - start)
      let images = pretraining.seen - before
      let isSnapshot =
        pretraining.seen >= training.total
        || snapshotNumber(pretraining.seen) > snapshotNumber(before)
      if isSnapshot { try snapshot(pretraining, in: directory) }
      try directory.append([
        "images": .integer(pretraining.seen), "loss": .number(loss / Double(images)),
        "rate": .number(Double(rate)), "images_per_second": .number(Double(images) / seconds),
        "peak_rss_mb": .number(Self.peakMegabytes),
      ])
      try pretraining.save(to: directory.statePath)
      if isSnapshot {
        progress.note(
          String(
            format: "%d kimg, loss %.4f, %.0f images/s, %.0f MB", pretraining.seen / 1000,
            loss / Double(images), Double(images) / seconds, Self.peakMegabytes))
      }
    }
    print(directory.file("snapshot", seen: pretraining.seen, "safetensors"))
  }

  private func snapshotNumber(_ seen: Int) -> Int { seen * snapshots / training.total }

  /// The averaged weights, and a grid of what they draw.
  private func snapshot(_ pretraining: Pretraining, in directory: TrainingDirectory) throws {
    let network = NetworkFile(pretraining.denoiser, weights: pretraining.average.weights)
    try network.write(to: directory.file("snapshot", seen: pretraining.seen, "safetensors"))
    let path = directory.file("fakes", seen: pretraining.seen, "png")
    let pictures = try SeededSampling(network)((0..<64).map { UInt64($0) })
    try PictureGrid.picture(of: pictures, place: path).write(to: path)
  }

  private static func seconds(_ duration: Duration) -> Double {
    Double(duration.components.seconds) + Double(duration.components.attoseconds) * 1e-18
  }

  private static var peakMegabytes: Double {
    var usage = rusage()
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    return Double(usage.ru_maxrss) * 1024 / 1e6
  }
}
