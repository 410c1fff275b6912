import DiffusionGAN
import Foundation
import TensorCore
import Terminal

/// `onestep sample`: draws images from a network.
enum SampleCommand: Command {
  static let specification = CommandSpecification(
    name: "sample", summary: "Draw images from a network.",
    discussion: """
      Draws one image for each seed. A seed's image is the same whatever other seeds are drawn with \
      it; its latent is the same for any network and number of steps. A one-step generator is called \
      once, D(σ z; σ), at the noise level σ that its file says; one step of another network is the \
      call D(80 z; 80).
      """,
    options: [
      OptionSpecification(
        long: "network", valueName: "FILE",
        help: "A snapshot (.safetensors), or a published network of EDM (.pkl).",
        isRequired: true),
      OptionSpecification(
        long: "seeds", valueName: "LIST", help: "Seeds, such as 0-63 or 1,5,9-12.",
        defaultText: "0-63"),
      OptionSpecification(
        long: "steps", valueName: "N", help: "Noise levels of the solver.",
        defaultText: "1 for a one-step generator, else 18"),
      OptionSpecification(
        long: "solver", valueName: "NAME", help: "The solver of each step.",
        defaultText: "heun", choices: Sampler.Method.allCases.map(\.rawValue)),
      OptionSpecification(
        long: "churn", valueName: "S", help: "Noise that is added again, over all steps.",
        defaultText: "0"),
      OptionSpecification(
        long: "class", valueName: "N", help: "Class of all images.",
        defaultText: "drawn by the seed"),
      OptionSpecification(
        long: "batch", valueName: "N",
        help: "Images drawn at a time: for speed and memory; images do not depend on it.",
        defaultText: "64"),
      OptionSpecification(
        long: "beside", valueName: "FILE",
        help: """
          A network to draw from the same latents: a grid of its own beside the first, in the steps \
          that are its default, with the other settings.
          """),
      OptionSpecification(
        long: "out", valueName: "PATH",
        help: "A .png for a grid, a .safetensors for f32 values, or a folder for single files.",
        isRequired: true),
      CommonOptions.threads,
    ],
    examples: [
      CommandExample(
        line: "onestep sample --network snapshot-000400.safetensors --seeds 0-63 --out grid.png",
        comment: "a grid of 64"),
      CommandExample(
        line: "onestep sample --network net.safetensors --seeds 0-9999 --out fakes.safetensors",
        comment: "for onestep evaluate"),
      CommandExample(
        line: """
          onestep sample --network one-step.safetensors --beside snapshot-000400.safetensors --out \
          both.png
          """,
        comment: "a one-step generator and its teacher, from the same latents"),
    ])

  static func run(_ parsed: ParsedCommand) throws {
    let seeds = try Self.seeds(parsed.string("seeds") ?? "0-63")
    let path = try parsed.requiredString("out")
    let kind = Files.pathExtension(of: path)
    guard ["", "png", "safetensors"].contains(kind) else {
      throw UserError(
        "images cannot be written as .\(kind)", at: path,
        remedy: "give a .png, a .safetensors or a folder", status: .usage)
    }
    let other = parsed.string("beside").map(DataFolder.network)
    guard other == nil || kind == "png" else {
      throw UserError(
        "two networks are drawn as one picture only", at: path,
        remedy: "give a .png, or leave --beside out", status: .usage)
    }
    let pool = try CommonOptions.pool(parsed)
    let network = DataFolder.network(try parsed.requiredString("network"))
    let sampling = try sampling(network, steps: parsed.integer("steps", in: 1...100_000), parsed)
    let beside = try other.map { try Self.sampling($0, steps: nil, parsed) }
    if let other, let beside, beside.shape != sampling.shape {
      throw UserError(
        "draws images of \(beside.shape), the first network of \(sampling.shape)", at: other,
        remedy: "give the network that the first was made of")
    }
    guard kind == "safetensors" || [1, 3].contains(sampling.shape.channels) else {
      throw UserError(
        "images of \(sampling.shape.channels) channels are no PNG pictures", at: path,
        remedy: "give a .safetensors", status: .usage)
    }
    try requireSolver(of: [sampling] + (beside.map { [$0] } ?? []), at: network, parsed)
    try kind.isEmpty ? Files.requireWritableFolder(path) : Files.requireWritable(path)
    let images = try draw(sampling, of: network, seeds, pool)
    if let other, let beside {
      let others = try draw(beside, of: other, seeds, pool)
      try PictureGrid.row(
        [images, others].map { try PictureGrid.picture(of: $0, place: path) },
        gap: images.shape[3] / 2
      ).write(to: path)
    } else {
      try Self.write(images, seeds: seeds, to: path)
    }
    print(path)
  }

  /// How a network's images are drawn.
  ///
  /// - Parameter steps: nil for one step of a one-step generator, else 18.
  private static func sampling(
    _ path: String, steps: Int?, _ parsed: ParsedCommand
  ) throws -> SeededSampling {
    let churn = try parsed.number("churn", in: 0...Double.greatestFiniteMagnitude) ?? 0
    let network = try NetworkFile(contentsOf: path)
    try network.requireSteps(steps, at: path)
    return try SeededSampling(
      network,
      sampler: Sampler(
        steps: steps ?? (network.isOneStep ? 1 : 18),
        method: Sampler.Method(rawValue: parsed.string("solver") ?? "") ?? .heun,
        churn: churn > 0 ? churn : nil),
      label: parsed.integer("class", in: 0...1_000_000),
      batch: parsed.integer("batch", in: 1...65_536) ?? 64)
  }

  /// - Throws: `UserError` for settings of a solver that no network has a use for.
  private static func requireSolver(
    of samplings: [SeededSampling], at path: String, _ parsed: ParsedCommand
  ) throws {
    let isOneCall = samplings.allSatisfy {
      if case .oneStep = $0.method { true } else { false }
    }
    guard isOneCall, let option = ["solver", "churn"].first(where: { parsed.flag($0) }) else {
      return
    }
    throw UserError(
      "--\(option) does nothing where a picture is one call of the network", at: path,
      remedy: "leave it out", status: .usage)
  }

  /// Images, and how fast they came.
  private static func draw(
    _ sampling: SeededSampling, of path: String, _ seeds: [UInt64], _ pool: ThreadPool
  ) throws -> Tensor {
    let progress = Progress(unit: "images")
    defer { progress.finish() }
    let start = ContinuousClock.now
    progress.update(done: 0, total: seeds.count, label: "sampling")
    let images = try Compute.$pool.withValue(pool) {
      try sampling(seeds) {
        progress.update(done: $0, total: seeds.count, label: "sampling")
      }
    }
    let seconds = (ContinuousClock.now - start) / .seconds(1)
    progress.finish()
    let calls = sampling.method.evaluations
    progress.note(
      String(
        format: "%@: %d images, %d network call%@ each, %.1f images per second",
        Files.name(of: path), seeds.count, calls, calls == 1 ? "" : "s",
        Double(seeds.count) / seconds))
    return images
  }

  private static func write(_ images: Tensor, seeds: [UInt64], to path: String) throws {
    switch Files.pathExtension(of: path) {
    case "png": try PictureGrid.picture(of: images, place: path).write(to: path)
    case "safetensors":
      try Safetensors.write([("images", images.shape, images.values)], to: path)
    default:
      try Files.makeFolder(path)
      let size = images.count / max(seeds.count, 1)
      let values = images.values
      for (index, seed) in seeds.enumerated() {
        let image = Tensor(
          Array(values[index * size..<(index + 1) * size]), shape: [1] + images.shape.dropFirst())
        let file = path + "/" + String(format: "%06llu", seed) + ".png"
        try PictureGrid.picture(of: image, place: file).write(to: file)
      }
      let others =
        try FileManager.default.contentsOfDirectory(atPath: path).count - Set(seeds).count
      if others > 0 {
        Progress(unit: "images").note("\(path): other files there, from before: \(others)")
      }
    }
  }

  /// Seeds of a list such as `0-63,70`.
  static func seeds(_ text: String) throws -> [UInt64] {
    func refuse() -> UserError {
      UserError(
        "option '--seeds' must be numbers and ranges such as 0-63,70, not '\(text)'",
        status: .usage)
    }
    var seeds: [UInt64] = []
    for part in text.split(separator: ",", omittingEmptySubsequences: false) {
      let ends = part.split(separator: "-", omittingEmptySubsequences: false).map { UInt64($0) }
      switch ends.count {
      case 1:
        guard let seed = ends[0] else { throw refuse() }
        seeds.append(seed)
      case 2:
        guard let first = ends[0], let last = ends[1], first <= last, last - first < 10_000_000
        else { throw refuse() }
        seeds += Array(first...last)
      default: throw refuse()
      }
    }
    return seeds
  }
}
