import TensorCore

/// Metrics under the names that StyleGAN3 and StyleGAN-XL print them by, with the numbers of images
/// that belong to a name.
///
/// `_full` means all training images as the reference, without mirrored ones. Source:
/// `metrics/metric_main.py` of NVlabs/stylegan3 and autonomousvision/stylegan-xl.
public enum NamedMetric: String, CaseIterable, Sendable {
  case fid50kFull = "fid50k_full"
  case fid10kFull = "fid10k_full"
  case kid50kFull = "kid50k_full"
  case pr50k3Full = "pr50k3_full"
  case is50k

  /// Generated images that it is of.
  public var generated: Int { self == .fid10kFull ? 10_000 : 50_000 }

  /// Known names that are not measured here, and why not.
  private static let others = [
    ("fid50k", "of 50,000 training images in a file's order; fid50k_full is of all of them"),
    ("kid50k", "of 50,000 training images in a file's order; kid50k_full is of all of them"),
    ("pr50k3", "of another number of training images in StyleGAN3 and StyleGAN-XL"),
    ("ppl2_wend", "of paths in StyleGAN's latent space, which these networks lack"),
    ("eqt50k_int", "of StyleGAN3's own layers"), ("eqt50k_frac", "of StyleGAN3's own layers"),
    ("eqr50k", "of StyleGAN3's own layers"),
    ("sfid50k_full", "of single activations of NVIDIA's Inception"),
    ("rfid50k_full", "of an Inception of StyleGAN-XL's own random weights"),
    ("clipfid50k_full", "of the features of CLIP's ResNet-50"),
  ]

  /// The metrics of these names, each once.
  ///
  /// - Throws: `UserError` for a name that is not known, and for a known one that is not measured
  ///   here.
  public static func named(_ names: [String]) throws -> [NamedMetric] {
    var metrics: [NamedMetric] = []
    for name in names {
      guard let metric = NamedMetric(rawValue: name) else {
        let other = others.first { $0.0 == name }
        throw UserError(
          other.map { "the metric \($0.0) is not measured here: it is \($0.1)" }
            ?? "there is no metric '\(name)'",
          remedy: "choose of \(allCases.map(\.rawValue).joined(separator: ", "))", status: .usage)
      }
      if !metrics.contains(metric) { metrics.append(metric) }
    }
    return metrics
  }

  /// Which of the training images it compares with; nil for all.
  func reference(of count: Int, seed: UInt64) -> [Int]? {
    let most =
      switch self {
      case .fid50kFull, .fid10kFull, .is50k: count
      case .kid50kFull: 1_000_000
      case .pr50k3Full: 200_000
      }
    guard count > most else { return nil }
    // StyleGAN-XL draws the images of precision and recall at random; those of KID are the first.
    guard self == .pr50k3Full else { return Array(0..<most) }
    var order = ShuffledOrder(count: count, seed: seed)
    return order.samples(0..<most)
  }

  /// What keeps a value from being compared with published ones; empty where nothing does.
  ///
  /// - Parameters:
  ///   - network: where the features come from.
  ///   - dimension: values of the features.
  public func deviations(by network: any FeatureNetwork, dimension: Int) -> [String] {
    if self == .pr50k3Full {
      return ["published features are the last 4096 of NVIDIA's VGG-16, in f16"]
    }
    let isPublished =
      (network as? Inception)?.variant == .tensorFlow2015
      && dimension == Inception.publishedDimension
    return isPublished ? [] : ["published features are the 2048 of the Inception of 2015"]
  }

  /// - Throws: `UserError` for features that the metric has no meaning in.
  public func check(_ network: any FeatureNetwork) throws {
    if self == .is50k { _ = try Self.classifier(network) }
  }

  private static func classifier(_ network: any FeatureNetwork) throws -> Inception {
    guard let inception = network as? Inception, inception.variant == .tensorFlow2015 else {
      throw UserError(
        "\(is50k.rawValue) is of the classes of the Inception of 2015, not of "
          + network.name,
        remedy: "give --features pt_inception-2015-12-05-6726825d.pth", status: .usage)
    }
    return inception
  }
}

extension NamedMetric {
  /// A metric's values under their published names.
  public struct Figures: Sendable {
    public let results: [(name: String, value: Double)]
    /// Nil where it is not known.
    public let standardError: Double?
    /// Training images that were compared with.
    public let reference: Int
  }

  /// Subsets of a kernel distance, and images of each at most.
  private static let subsets = (count: 100, size: 1000)
  /// Parts of an inception score.
  private static let parts = 10

  /// Measures.
  ///
  /// - Parameters:
  ///   - generated, real: features `[n, dimension]` of the images.
  ///   - network: where the features come from.
  ///   - seed: which subsets the kernel distance is averaged over.
  /// - Throws: `UserError` for features that are not finite, or that `check` refuses.
  public func callAsFunction(
    generated: Tensor, real: Tensor, by network: any FeatureNetwork, seed: UInt64,
    pool: ThreadPool
  ) throws -> Figures {
    let rows = reference(of: real.rows, seed: seed)
    let real = rows.map(real.rows) ?? real
    var results: [Double]
    var keys = [rawValue]
    var error: Double?
    switch self {
    case .fid50kFull, .fid10kFull:
      results = [try Self.frechet(real, generated, pool: pool)]
      error = try FrechetInterval.standardError(real, generated, pool: pool)
    case .kid50kFull:
      let distance = SubsetKernelDistance(
        real, generated, subsets: Self.subsets.count, size: Self.subsets.size, seed: seed,
        pool: pool)
      (results, error) = ([distance.mean], distance.standardError)
    case .pr50k3Full:
      let manifold = RealManifold(real, pool: pool)
      let coverage = PrecisionRecall(real: manifold, generated: generated, pool: pool)
      results = [coverage.precision, coverage.recall]
      keys = ["precision", "recall"].map { "\(rawValue)_\($0)" }
    case .is50k:
      let shares = try Self.classifier(network).probabilities(generated)
      let score = InceptionScore(shares, parts: Self.parts)
      results = [score.mean, score.deviation]
      keys = ["mean", "std"].map { "\(rawValue)_\($0)" }
    }
    return Figures(
      results: zip(keys, results).map { ($0, $1) }, standardError: error,
      reference: self == .is50k ? 0 : real.rows)
  }

  /// The distance as StyleGAN has it: covariances are divided by n, where EDM's are by n − 1.
  private static func frechet(
    _ real: Tensor, _ generated: Tensor, pool: ThreadPool
  ) throws -> Double {
    let origin = FeatureMoments.mean(of: real)
    let sets = [real, generated]
    let moments = pool.map(2) { FeatureMoments(sets[$0], origin: origin) }
    return try FrechetDistance(
      ReferenceMoments(moments[0], name: "real", dividesByCount: true),
      ReferenceMoments(moments[1], name: "generated", dividesByCount: true)
    ).value
  }
}
