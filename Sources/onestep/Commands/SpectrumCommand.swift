import DiffusionGAN
import Foundation
import Reports
import TensorCore
import Terminal

/// `onestep spectrum`: in which frequencies the layers of a network work.
enum SpectrumCommand: Command {
  static let specification = CommandSpecification(
    name: "spectrum", summary: "Measure in which frequencies a network's layers work.",
    discussion: """
      At each noise level of the 18-step sampler, the residual branches of all blocks are \
      Fourier-transformed and their energy sorted into 8 radial bands: maps of layers by noise \
      levels, of two networks side by side with --against, with intervals over images. Then one \
      band of one branch is taken out at a time, and the change of the output measured.
      """,
    options: [
      OptionSpecification(
        long: "network", valueName: "FILE", help: "A pretrained network's snapshot.",
        isRequired: true),
      OptionSpecification(
        long: "against", valueName: "FILE",
        help: "A one-step network of the same kind, to compare with."),
      CommonOptions.data, CommonOptions.preset,
      OptionSpecification(
        long: "images", valueName: "N", help: "Images to measure on.", defaultText: "256"),
      OptionSpecification(
        long: "removal-images", valueName: "N",
        help: "Images to take bands out on; 0 leaves it out.", defaultText: "64"),
      CommonOptions.seed, CommonOptions.threads, ReportOutput.option, CommonOptions.json,
    ],
    examples: [
      CommandExample(
        line: """
          onestep spectrum --network pretrained.safetensors --against one-step.safetensors \
          --data fashion-mnist --preset fashion16
          """, comment: "two networks side by side")
    ])

  static func run(_ parsed: ParsedCommand) throws {
    let path = DataFolder.network(try parsed.requiredString("network"))
    let settings = SpectrumRun.Settings(
      network: path, against: parsed.string("against").map(DataFolder.network),
      images: try parsed.integer("images", in: 2...1_000_000) ?? 256,
      removalImages: try parsed.integer("removal-images", in: 0...1_000_000) ?? 64,
      seed: try CommonOptions.seed(parsed))
    let pool = try CommonOptions.pool(parsed)
    let source = try CommonOptions.source(parsed)
    let networks = try settings.networks()
    let data = try CommonOptions.load(.train, of: source, parsed, pool: pool)
    try settings.check(data, for: networks)
    let stem = URL(fileURLWithPath: settings.against ?? path)
    let run = stem.deletingLastPathComponent().lastPathComponent
    let name = stem.deletingPathExtension().lastPathComponent
    let folder = try ReportOutput.folder(
      parsed, else: "reports/spectrum-" + (run.isEmpty || run == "/" ? name : "\(run)-\(name)"))
    let progress = Progress(unit: "calls")
    let report = try Compute.$pool.withValue(pool) {
      try SpectrumRun(settings, networks: networks, on: data, pool: pool) { done, total, label in
        progress.update(done: done, total: total, label: label)
      }.report
    }
    progress.finish()
    try ReportOutput.write(
      report.page, claims: report.claims, summary: report.summary, parsed, to: folder)
  }
}
