import Synchronization
import TensorCore

/// In which spatial frequencies a network's residual branches work, by noise level (the frequency
/// analysis of D2O, Zheng & Yang 2025).
///
/// The network sees x = picture + σ · noise, or σ · noise alone where it draws in one call; what every residual branch adds to what skips it is
/// transformed channel by channel, and the energy in each radial band divided by that of all bands.
/// Bands are relative to the branch's own resolution: the last ones reach the highest frequency that
/// its pixels can hold.
public struct ResidualSpectra: Sendable {
  /// Names of the branches, in the order of computation.
  public let layers: [String]
  public let sigmas: [Double]
  public let bands: Int
  /// Share of the energy in each band, `[layers][sigmas][images][bands]`; NaN where a branch adds
  /// nothing at all.
  public let shares: [[[[Double]]]]

  /// Number of pictures.
  public var images: Int { shares.first?.first?.count ?? 0 }

  init(layers: [String], sigmas: [Double], bands: Int, shares: [[[[Double]]]]) {
    self.layers = layers
    self.sigmas = sigmas
    self.bands = bands
    self.shares = shares
  }

  /// Measures a network on pictures, by calls which are its levels. A picture has one noise, scaled by each level, which depends on
  /// the seed and its number alone: networks are compared on the same inputs.
  ///
  /// - Parameters:
  ///   - indices: which pictures of `source`.
  ///   - watch: told the number of calls done and of all; may throw to stop.
  public init(
    _ network: NetworkFile, on source: some PictureSource, indices: [Int], calls: [SpectrumCall],
    bands: Int = 8, seed: UInt64, batch: Int = 64, pool: ThreadPool,
    watch: (_ done: Int, _ total: Int) throws -> Void = { _, _ in }
  ) throws {
    layers = network.denoiser.network.residualNames
    sigmas = calls.map(\.sigma)
    self.bands = bands
    var shares = [[[[Double]]]](
      repeating: [[[Double]]](repeating: [], count: calls.count), count: layers.count)
    var spectra: [[Int]: RadialSpectrum] = [:]
    let total = indices.count * calls.count
    var done = 0
    for start in stride(from: 0, to: indices.count, by: batch) {
      let part = Array(indices[start..<min(start + batch, indices.count)])
      let inputs = try NoisyPictures(part, of: source, seed: seed)
      for (level, call) in calls.enumerated() {
        let found = Self.residuals(of: network, inputs, call)
        for (place, layer) in layers.enumerated() {
          guard let residual = found[layer] else { continue }
          let size = Array(residual.shape.suffix(2))
          let spectrum =
            spectra[size] ?? RadialSpectrum(height: size[0], width: size[1], bands: bands)
          spectra[size] = spectrum
          shares[place][level] += spectrum.energies(ofEach: residual, pool: pool).map { energies in
            let sum = energies.reduce(0, +)
            return energies.map { $0 / sum }
          }
        }
        done += part.count
        try watch(done, total)
      }
    }
    self.shares = shares
  }

  /// What each residual branch adds, by name.
  static func residuals(
    of network: NetworkFile, _ inputs: NoisyPictures, _ call: SpectrumCall
  ) -> [String: Tensor] {
    let names = Set(network.denoiser.network.residualNames)
    let seen = Mutex<[String: Tensor]>([:])
    _ = inputs.output(of: network, call) { name, output in
      if names.contains(name) { seen.withLock { $0[name] = output } }
      return output
    }
    return seen.withLock { $0 }
  }

  /// What is told of a branch's energy.
  enum Quantity {
    /// As a share of the highest frequency along an axis: each band counts with its middle.
    case meanFrequency
    case share(band: Int)
  }

  /// A quantity of every picture.
  func values(of quantity: Quantity, layer: Int, level: Int) -> [Double] {
    shares[layer][level].map { shares in
      switch quantity {
      case .meanFrequency:
        shares.enumerated().reduce(0) {
          $0 + $1.element * (Double($1.offset) + 0.5) / Double(bands)
        }
      case .share(let band): shares[band]
      }
    }
  }
}

/// What a network is shown.
public enum SpectrumCall: Sendable, Equatable {
  /// `D(σ z; σ)`, as a one-step generator draws.
  case generation(sigma: Double)
  /// `D(picture + σ · noise; σ)`.
  case denoising(sigma: Double)

  var sigma: Double {
    switch self {
    case .generation(let sigma), .denoising(let sigma): sigma
    }
  }

  var isGeneration: Bool { if case .generation = self { true } else { false } }
}

/// Pictures and the noise that is added to them.
struct NoisyPictures: Sendable {
  /// `[n, channels, height, width]`.
  let pictures: Tensor
  /// Standard normal numbers of the same shape.
  let noise: Tensor
  let labels: Tensor?

  private static let purpose: UInt64 = 0x7370_6563

  /// The pictures at `indices`, each with the noise of its number.
  init(_ indices: [Int], of source: some PictureSource, seed: UInt64) throws {
    pictures = try source.images(at: indices)
    labels = try source.labels(at: indices)
    noise = Tensor(
      normal: Array(pictures.shape.dropFirst()),
      from: indices.map { RandomStream(seed: seed, path: [Self.purpose, UInt64($0)]) })
  }

  func output(
    of network: NetworkFile, _ call: SpectrumCall, observer: UNet.Conditions.Observer? = nil
  ) -> Tensor {
    let conditions = UNet.Conditions(
      noise: [], labels: labels(for: network), observer: observer)
    let sigma = Float(call.sigma)
    switch call {
    case .generation:
      return network.denoiser.generated(noise, network.weights, conditions, sigma: sigma)
    case .denoising:
      return network.denoiser(
        pictures + noise.scaled(by: sigma), sigma: [sigma], network.weights, conditions)
    }
  }

  private func labels(for network: NetworkFile) -> Tensor? {
    network.denoiser.network.configuration.labels > 0 ? labels : nil
  }
}
