import Foundation
import Reports
import TensorCore

/// A whole frequency analysis: both networks measured, bands taken out, the report.
public struct SpectrumRun: Sendable {
  public struct Settings: Sendable {
    /// Paths of the pretrained network and of the one-step network made from it.
    public var network: String
    public var against: String?
    public var images: Int
    /// Images that bands are taken out on; 0 for none.
    public var removalImages: Int
    public var seed: UInt64

    public init(
      network: String, against: String? = nil, images: Int = 256, removalImages: Int = 64,
      seed: UInt64 = 0
    ) {
      self.network = network
      self.against = against
      self.images = images
      self.removalImages = removalImages
      self.seed = seed
    }

    /// The networks, read.
    ///
    /// - Throws: `UserError` for two networks that are not of one kind.
    public func networks() throws -> [NetworkFile] {
      let files = try [network, against].compactMap(\.self).map { try NetworkFile(contentsOf: $0) }
      let configurations = files.map(\.denoiser.network.configuration)
      guard configurations.allSatisfy({ $0 == configurations[0] }) else {
        throw UserError(
          "is another kind of network than \(network)", at: against,
          remedy: "give a one-step network that was made from it")
      }
      return files
    }

    /// - Throws: `UserError` for data that `networks` do not draw.
    public func check(_ data: ImageDataset, for networks: [NetworkFile]) throws {
      let configuration = networks[0].denoiser.network.configuration
      guard data.shape == configuration.imageShape else {
        throw UserError(
          "images are \(data.shape), the network's are \(configuration.imageShape)", at: data.name,
          remedy: "choose the --preset that the network was trained with")
      }
      guard configuration.labels == 0 || data.classCount == configuration.labels else {
        throw UserError(
          "\(data.classCount) classes, the network has \(configuration.labels)", at: data.name,
          remedy: "give the data that the network was trained on")
      }
    }
  }

  public let report: SpectrumReport

  /// The sampling grid without its end: 18 levels from 80 to 0.002.
  private static let sigmas = Array(Sampler().sigmas.dropLast())
  /// Levels of this grid nearest to which bands are taken out, besides generation.
  private static let removalSigmas = [5.0, 0.5]

  /// - Parameters:
  ///   - networks: of `settings`, in its order.
  ///   - data: pictures of the networks' size; as many as asked for are drawn by the seed.
  ///   - watch: told what is done of how much, and what it is; may throw to stop.
  public init(
    _ settings: Settings, networks: [NetworkFile], on data: ImageDataset, pool: ThreadPool,
    watch: (_ done: Int, _ total: Int, _ label: String) throws -> Void = { _, _, _ in }
  ) throws {
    try settings.check(data, for: networks)
    let configuration = networks[0].denoiser.network.configuration
    var order = ShuffledOrder(count: data.count, seed: settings.seed)
    let indices = order.samples(0..<min(settings.images, data.count))
    let source: any PictureSource = configuration.labels > 0 ? LabelledPictures(data) : data
    let names = ["pretrained network", "one-step network"]
    let start = Double(networks.last?.startSigma ?? Denoiser.highestSigma)
    func spectra(_ calls: [SpectrumCall], _ words: String) throws -> [ResidualSpectra] {
      try zip(networks, names).map { network, name in
        try ResidualSpectra(
          network, on: source, indices: indices, calls: calls, seed: settings.seed, pool: pool
        ) { try watch($0, $1, name + words) }
      }
    }
    let levels = try spectra(Self.sigmas.map { .denoising(sigma: $0) }, "")
    let oneCall =
      networks.count > 1 ? try spectra([.generation(sigma: start)], ", one call") : []
    let removalIndices = Array(indices.prefix(settings.removalImages))
    let bootstrap = Bootstrap(
      samples: removalIndices.count, resamples: 2_000, seed: settings.seed)
    let calls =
      [SpectrumCall.generation(sigma: start)]
      + Self.removalSigmas.compactMap { sigma in
        Self.sigmas.min { abs(log($0 / sigma)) < abs(log($1 / sigma)) }
      }.map { .denoising(sigma: $0) }
    let removals = try zip(networks, names).map { network, name in
      removalIndices.isEmpty
        ? []
        : try calls.map { call in
          try BandRemoval(
            network, call, on: source, indices: removalIndices, seed: settings.seed,
            bootstrap: bootstrap, pool: pool
          ) { try watch($0, $1, "bands out of the \(name)") }
        }
    }
    let paths = [settings.network] + (settings.against.map { [$0] } ?? [])
    let parts = paths.indices.map {
      SpectrumReport.Network(name: names[$0], source: paths[$0], removals: removals[$0])
    }
    report = SpectrumReport(
      SpectrumAnalysis(
        levels[0], oneStep: levels.count > 1 ? (levels[1], oneCall[0], oneCall[1]) : nil,
        seed: settings.seed),
      pretrained: parts[0], oneStep: parts.count > 1 ? parts[1] : nil,
      facts: zip(names, paths).map { ($0, $1) } + [
        ("data", data.name), ("images", "\(indices.count)"),
        ("images with bands out", "\(removalIndices.count)"), ("seed", "\(settings.seed)"),
        ("noise levels", "\(Self.sigmas.count), of the deterministic sampler"),
        ("one call", "from noise alone, σ = \(SpectrumReport.short(start))"),
      ], seed: settings.seed)
  }
}
