import Reports
import Synchronization
import TensorCore
import Testing

@testable import DiffusionGAN

/// What observers see of residual branches, and what becomes of a network when they change it.
@Suite struct ResidualTests {
  private static func network() throws -> NetworkFile {
    let denoiser = Denoiser(try UNet(NetworkTests.small))
    // Fresh networks add next to nothing; these do.
    let weights = denoiser.network.initialParameters(seed: 1).mapTensors { tensor in
      tensor + Tensor((0..<tensor.count).map { Float($0 % 7 - 3) / 50 }, shape: tensor.shape)
    }
    return NetworkFile(denoiser, weights: weights)
  }

  private static let inputs = Tensor(
    (0..<128).map { Float($0 * 37 % 64) / 32 - 1 }, shape: [2, 1, 8, 8])

  private static func run(
    _ network: NetworkFile, _ observer: UNet.Conditions.Observer? = nil
  ) -> Tensor {
    network.denoiser(
      inputs, sigma: [0.7], network.weights, UNet.Conditions(noise: [], observer: observer))
  }

  private static func observed(_ network: NetworkFile) -> [String: Tensor] {
    let seen = Mutex<[String: Tensor]>([:])
    _ = run(network) { name, output in
      seen.withLock { $0[name] = output }
      return output
    }
    return seen.withLock { $0 }
  }

  @Test func residualAndSkipMakeTheBlock() throws {
    let network = try Self.network()
    let seen = Self.observed(network)
    for name in network.denoiser.network.residualNames { #expect(seen[name] != nil, "\(name)") }
    let scale = Float(0.5.squareRoot())
    // Without attention: (h + x) · √½.
    let sum = try #require(seen["enc.8x8_block0.conv1"]) + #require(seen["enc.8x8_conv"])
    expectClose(
      try #require(seen["enc.8x8_block0"]), sum.scaled(by: scale), 1e-6, "enc.8x8_block0")
    // With: ((h + x) · √½ + attention) · √½.
    let inner = try #require(seen["dec.4x4_in0.conv1"]) + #require(seen["enc.4x4_block0"])
    let outer = try inner.scaled(by: scale) + #require(seen["dec.4x4_in0.proj"])
    expectClose(
      try #require(seen["dec.4x4_in0"]), outer.scaled(by: scale), 1e-6, "dec.4x4_in0")
  }

  @Test func removingNothingChangesNothing() throws {
    let network = try Self.network()
    let whole = Self.run(network)
    #expect(Self.run(network) { $1 }.values == whole.values)
    let all = RadialSpectrum(height: 8, width: 8).projection(without: [])
    expectClose(
      Self.run(network, BandRemoval.filter("enc.8x8_block0.conv1", all)), whole, 1e-5, "no band")
  }

  @Test func removingAllBandsIsRemovingTheBranch() throws {
    let network = try Self.network()
    let none = RadialSpectrum(height: 8, width: 8).projection(without: Set(0..<8))
    #expect(none.values.allSatisfy { $0 == 0 })
    let name = "enc.8x8_block0.conv1"
    let without = Self.run(network) { found, output in
      found == name ? output.scaled(by: 0) : output
    }
    let filtered = Self.run(network, BandRemoval.filter(name, none))
    #expect(filtered.values == without.values)
    #expect(without.values != Self.run(network).values)
  }

  /// Also where the size is no power of two and not square.
  @Test(arguments: [(8, 8), (28, 28), (7, 12)])
  func aProjectionTakesOutOneBand(_ height: Int, _ width: Int) {
    let spectrum = RadialSpectrum(height: height, width: width)
    let plane = (0..<height * width).map { Double($0 * $0 * 31 % 101) / 50 - 1 }
    let before = spectrum.energies(of: plane)
    for band in [0, 3, 7] {
      let projection = spectrum.projection(without: [band])
      let after = Tensor.product(
        Tensor(plane.map { Float($0) }, shape: [1, plane.count]), projection)
      let energies = spectrum.energies(of: after.values.map { Double($0) })
      for b in 0..<8 {
        #expect(abs(energies[b] - (b == band ? 0 : before[b])) < 1e-4 * (before[b] + 1))
      }
    }
  }

  @Test func sharesAreOfTheWhole() throws {
    let network = try Self.network()
    let spectra = try ResidualSpectra(
      network, on: PretrainingTests.Ramps(), indices: [0, 3, 5],
      calls: [.denoising(sigma: 80), .denoising(sigma: 0.5)], seed: 1,
      batch: 2, pool: ThreadPool(count: 2))
    #expect(spectra.layers == network.denoiser.network.residualNames && spectra.images == 3)
    for layer in spectra.shares {
      for image in layer.flatMap(\.self) { #expect(abs(image.reduce(0, +) - 1) < 1e-9) }
    }
    let analysis = SpectrumAnalysis(spectra, oneStep: (spectra, spectra, spectra), seed: 0)
    let shifts = analysis.cells(.meanFrequency, of: spectra, less: spectra).flatMap(\.self)
    #expect(shifts.allSatisfy { $0.estimate == 0 && $0.low == 0 && $0.high == 0 })
    // Nothing differs, so nothing is claimed of a difference.
    let verdicts = Dictionary(
      uniqueKeysWithValues: analysis.claims(seed: 0).map { ($0.name, $0.pValue) })
    #expect(verdicts["spectrum-shift"] == 1)
  }

  @Test func aShiftToFinerDetailIsSeenEitherWay() {
    func spectra(_ sigmas: [Double], _ uppers: [Double]) -> ResidualSpectra {
      ResidualSpectra(
        layers: ["a", "b"], sigmas: sigmas, bands: 2,
        shares: (0..<2).map { _ in
          uppers.map { upper in
            (0..<16).map { image in
              let own = upper + Double(image % 4) / 100
              return [1 - own, own]
            }
          }
        })
    }
    // The levels stay as they are: what counts is the one call.
    func claim(_ before: Double, _ after: Double, _ name: String) -> Claim? {
      let levels = spectra([80, 1], [0.5, 0.3])
      return SpectrumAnalysis(
        levels, oneStep: (levels, spectra([2.5], [before]), spectra([2.5], [after])), seed: 0
      ).claims(seed: 0).first { $0.name == name }
    }
    #expect(claim(0.2, 0.6, "spectrum-shift")?.verdict == .supported)
    #expect(claim(0.6, 0.2, "spectrum-shift")?.verdict == .contradicted)
    #expect(claim(0.4, 0.4, "spectrum-shift")?.pValue == 1)
    #expect(claim(0.2, 0.6, "shift-where-used")?.verdict == .supported)
    #expect(claim(0.4, 0.4, "shift-where-used")?.verdict != .supported)
    #expect(claim(0.2, 0.6, "shift-where-used")?.sentence.contains("σ = 2.5") == true)
  }

  /// A generator is shown noise alone.
  @Test func theOneCallIsFromNoise() throws {
    let network = try Self.network()
    let inputs = try NoisyPictures([0, 3], of: PretrainingTests.Ramps(), seed: 1)
    let drawn = network.denoiser.generated(
      inputs.noise, network.weights, UNet.Conditions(noise: []), sigma: 2.5)
    #expect(inputs.output(of: network, .generation(sigma: 2.5)).values == drawn.values)
    let seen = inputs.output(of: network, .denoising(sigma: 2.5))
    #expect(seen.values != drawn.values)
    let spectra = try ResidualSpectra(
      network, on: PretrainingTests.Ramps(), indices: [0, 3], calls: [.generation(sigma: 2.5)],
      seed: 1, pool: ThreadPool(count: 1))
    #expect(spectra.sigmas == [2.5] && spectra.images == 2)
  }

  /// A rise as noise gets less, and a fall after it, are two sentences; one slope over both would say
  /// the larger.
  @Test(arguments: [3, 4, 5])
  func halvesOfTheNoiseLevelsAreTestedApart(_ count: Int) {
    let sigmas = (0..<count).map { 80 / Double(1 << (2 * $0)) }
    func claims(_ sharesByLevel: [Double]) -> [String: Claim.Verdict] {
      let spectra = ResidualSpectra(
        layers: ["a"], sigmas: sigmas, bands: 2,
        shares: [
          sharesByLevel.map { share in
            (0..<16).map { image in
              let own = share + Double(image % 4) / 100
              return [1 - own, own]
            }
          }
        ])
      return Dictionary(
        uniqueKeysWithValues: SpectrumAnalysis(spectra, seed: 0).claims(seed: 0).map {
          ($0.name, $0.verdict)
        })
    }
    let middle = Double(count - 1) / 2
    let peak = claims((0..<count).map { 0.6 - abs(Double($0) - middle) / 10 })
    #expect(peak["finer-with-less-noise-upper-pretrained"] == .supported)
    #expect(peak["finer-with-less-noise-lower-pretrained"] == .contradicted)
    let rise = claims((0..<count).map { 0.2 + Double($0) / 10 })
    #expect(
      rise == [
        "finer-with-less-noise-upper-pretrained": .supported,
        "finer-with-less-noise-lower-pretrained": .supported,
      ])
    let flat = claims([Double](repeating: 0.4, count: count))
    #expect(flat.values.allSatisfy { $0 == .undecided })
  }

  @Test func removalIsMeasuredOnTheOutput() throws {
    let network = try Self.network()
    let removal = try BandRemoval(
      network, .generation(sigma: 80), on: PretrainingTests.Ramps(), indices: [0, 1, 2], seed: 0,
      bootstrap: Bootstrap(samples: 3, resamples: 50, seed: 0), pool: ThreadPool(count: 1))
    // Eight bands at 8×8 less the empty ones; never a band without frequencies.
    let bands = RadialSpectrum(height: 8, width: 8).binCounts.count { $0 > 0 }
    #expect(removal.effects.count { $0.layer == "enc.8x8_block0.conv1" } == bands)
    #expect(removal.effects.allSatisfy { $0.changes.count == 3 && $0.energies.count == 8 })
    #expect(removal.effects.contains { $0.change.estimate > 0 })
  }

  /// However many pictures there are, a network sees a few at a time; each loses what it loses alone.
  @Test func removalTakesAFewPicturesAtATime() throws {
    final class Counted: PictureSource {
      let most = Mutex(0)
      let count = 12
      func images(at indices: [Int]) throws -> Tensor {
        most.withLock { $0 = max($0, indices.count) }
        return PretrainingTests.Ramps().images(at: indices)
      }
    }
    func effects(of count: Int, _ batch: Int) throws -> (most: Int, changes: [[Double]]) {
      let source = Counted()
      let removal = try BandRemoval(
        Self.network(), .denoising(sigma: 0.5), on: source, indices: Array(0..<count), seed: 0,
        batch: batch, bootstrap: Bootstrap(samples: count, resamples: 50, seed: 0),
        pool: ThreadPool(count: 1))
      return (source.most.withLock { $0 }, removal.effects.map(\.changes))
    }
    let (parts, whole) = (try effects(of: 5, 2), try effects(of: 5, 5))
    #expect(parts.most == 2 && parts.changes == whole.changes)
  }
}
