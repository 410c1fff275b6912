import Foundation
import DiffusionGAN
import Reports
import TensorCore
import Terminal

/// Options that several commands share, and what they mean.
enum CommonOptions {
  static let data = OptionSpecification(
    long: "data", valueName: "SPEC",
    help: """
      fashion-mnist, stacked-fashion-mnist (three images as channels of one), or a path: a folder or .zip of PNG files (with dataset.json for labels), a \
      folder of MNIST or CIFAR-10 files, a CIFAR-10 .bin, or a .safetensors with images. SPEC:N trains on N of \
      the training images, and keeps the others as a validation split.
      """,
    isRequired: true)
  static let preset = preset(help: "Prepare images as for the networks of this preset.")
  /// - Parameter help: what the preset decides.
  static func preset(
    help: String, defaultText: String? = nil, isRequired: Bool = false
  ) -> OptionSpecification {
    OptionSpecification(
      long: "preset", valueName: "NAME", help: "\(help) \(Preset.names), or a .json file.",
      defaultText: defaultText, isRequired: isRequired)
  }
  static let threads = OptionSpecification(
    long: "threads", short: "t", valueName: "N",
    help: "Threads to use; results do not depend on it.", defaultText: "all processors")
  static let seed = OptionSpecification(
    long: "seed", valueName: "N", help: "Seed of everything random.", defaultText: "0")
  static let json = OptionSpecification(long: "json", help: "Print JSON for scripts.")

  static func pool(_ parsed: ParsedCommand) throws -> ThreadPool {
    ThreadPool(count: try parsed.integer("threads", in: 1...1024) ?? ThreadPool.processors)
  }

  static func seed(_ parsed: ParsedCommand) throws -> UInt64 {
    UInt64(try parsed.integer("seed", in: 0...Int.max) ?? 0)
  }

  static func source(_ parsed: ParsedCommand) throws -> DataSource {
    try DataSource(parsed.requiredString("data"))
  }

  /// A split of `source`, prepared as `--preset` says.
  static func load(
    _ split: DataSplit, of source: DataSource, _ parsed: ParsedCommand, pool: ThreadPool
  ) throws -> ImageDataset {
    let data = try source.load(split, pool: pool)
    guard let name = parsed.string("preset") else { return data }
    return try Preset(name).prepare(data)
  }

  static let shard = OptionSpecification(
    long: "shard", valueName: "I/N",
    help: """
      Compute the I-th of N shares of the study; report merges them. In a Slurm array, by default, the \
      task's.
      """, defaultText: "1/1")

  /// The share of the study that this process does.
  static func shard(_ parsed: ParsedCommand) throws -> Shard {
    if let text = parsed.string("shard") { return try Shard(parsing: text) }
    guard let shard = try Shard(arrayTask: ProcessInfo.processInfo.environment) else {
      return .whole
    }
    try? FileHandle.standardError.write(
      contentsOf: Data(
        "onestep: share \(shard), by SLURM_ARRAY_TASK_ID; --shard 1/1 is the whole study\n".utf8))
    return shard
  }
}
