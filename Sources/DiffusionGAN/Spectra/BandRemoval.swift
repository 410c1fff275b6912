import Reports
import TensorCore

/// What a network's output loses when one radial band of one residual branch is taken out.
public struct BandRemoval: Sendable {
  public struct Effect: Sendable {
    public let layer: String
    /// The band that was removed.
    public let band: Int
    /// Squared change of each output over its squared size, mean over images: ‖ΔX‖² ÷ ‖X‖².
    public let change: Interval
    /// The energy in each band of the output over what it was, with intervals over images.
    public let energies: [Interval]
    /// ‖ΔX‖² ÷ ‖X‖² of every image.
    public let changes: [Double]
  }

  public let call: SpectrumCall
  public let images: Int
  /// Branch by branch in the order of computation, band by band; bands without any frequency at the
  /// branch's resolution are left out.
  public let effects: [Effect]

  /// Removes every band of every branch in turn.
  ///
  /// - Parameters:
  ///   - indices: pictures of `source`, and numbers of the noise.
  ///   - watch: told the number of removals done and of all; may throw to stop.
  public init(
    _ network: NetworkFile, _ call: SpectrumCall, on source: some PictureSource, indices: [Int],
    bands: Int = 8, seed: UInt64, batch: Int = 64, bootstrap: Bootstrap, pool: ThreadPool,
    watch: (_ done: Int, _ total: Int) throws -> Void = { _, _ in }
  ) throws {
    self.call = call
    images = indices.count
    // A few pictures at a time: what a network holds of them is much larger than they are.
    let parts = try stride(from: 0, to: indices.count, by: batch).map { start in
      let inputs = try NoisyPictures(
        Array(indices[start..<min(start + batch, indices.count)]), of: source, seed: seed)
      return (inputs: inputs, whole: inputs.output(of: network, call))
    }
    let shape = network.denoiser.network.configuration.imageShape
    let spectrum = RadialSpectrum(height: shape.height, width: shape.width, bands: bands)
    let before = parts.flatMap { spectrum.energies(ofEach: $0.whole, pool: pool) }
    let sizes = before.map { $0.reduce(0, +) }
    let layers = network.denoiser.network.residualNames
    let residuals = ResidualSpectra.residuals(
      of: network, try NoisyPictures(Array(indices.prefix(1)), of: source, seed: seed), call)
    let sites = layers.flatMap { layer -> [(layer: String, band: Int, own: RadialSpectrum)] in
      guard let size = residuals[layer].map({ Array($0.shape.suffix(2)) }) else { return [] }
      let own = RadialSpectrum(height: size[0], width: size[1], bands: bands)
      return (0..<bands).filter { own.binCounts[$0] > 0 }.map { (layer, $0, own) }
    }
    var effects: [Effect] = []
    for (number, site) in sites.enumerated() {
      let filter = Self.filter(site.layer, site.own.projection(without: [site.band]))
      var (after, lost): ([[Double]], [Double]) = ([], [])
      for part in parts {
        let changed = part.inputs.output(of: network, call, observer: filter)
        after += spectrum.energies(ofEach: changed, pool: pool)
        lost += spectrum.energies(ofEach: changed - part.whole, pool: pool).map {
          $0.reduce(0, +)
        }
      }
      let changes = zip(lost, sizes).map { $0 / $1 }
      effects.append(
        Effect(
          layer: site.layer, band: site.band, change: bootstrap.mean(changes),
          energies: (0..<bands).map { band in
            bootstrap.ratio(after.map { $0[band] }, over: before.map { $0[band] })
          }, changes: changes))
      try watch(number + 1, sites.count)
    }
    self.effects = effects
  }

  /// An observer that sends one branch through a projection.
  ///
  /// - Parameter projection: `[height · width, height · width]` of the branch's resolution.
  static func filter(_ layer: String, _ projection: Tensor) -> UNet.Conditions.Observer {
    { name, output in
      guard name == layer else { return output }
      return Tensor.product(output.reshaped([-1, projection.shape[0]]), projection)
        .reshaped(output.shape)
    }
  }
}
