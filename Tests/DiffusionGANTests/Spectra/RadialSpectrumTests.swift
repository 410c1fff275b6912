import Foundation
import TensorCore
import Testing

@testable import DiffusionGAN

@Suite struct RadialSpectrumTests {
  @Test func golden() throws {
    let golden = try Golden.json("fft_bands.json")
    let image = try golden.at("image").list().flatMap { try $0.numbers() }
    let spectrum = RadialSpectrum(height: 16, width: 16)
    #expect(
      spectrum.bandIndex
        == (try golden.at("band_index").list().flatMap { try $0.list().map { try $0.integer() } }))
    #expect(spectrum.binCounts == (try golden.at("bin_count").list().map { try $0.integer() }))
    let energies = spectrum.energies(of: image)
    for (value, expected) in zip(energies, try golden.at("energy").numbers()) {
      #expect(abs(value - expected) <= 1e-10 * expected)
    }
    let means = zip(energies, spectrum.binCounts).map { $0 / Double($1) }
    for (value, expected) in zip(means, try golden.at("mean_energy_per_bin").numbers()) {
      #expect(abs(value - expected) <= 1e-10 * expected)
    }
    let transform = spectrum.transform(image)
    let real = try golden.at("fft_real").list().flatMap { try $0.numbers() }
    let imaginary = try golden.at("fft_imag").list().flatMap { try $0.numbers() }
    let scale = try #require(real.map(abs).max())
    #expect(zip(transform.map(\.x), real).allSatisfy { abs($0 - $1) < 1e-10 * scale })
    #expect(zip(transform.map(\.y), imaginary).allSatisfy { abs($0 - $1) < 1e-10 * scale })
    let tensor = Tensor(image.map { Float($0) }, shape: [1, 1, 16, 16])
    let mean = spectrum.energies(ofEach: tensor, pool: ThreadPool(count: 2))[0]
    #expect(zip(mean, energies).allSatisfy { abs($0 - $1) <= 1e-6 * $1 })
  }

  /// One wave of known frequency in images that are not square: all energy in its band.
  @Test(arguments: [(8, 12, 2, 3, 5), (12, 8, 3, 0, 4), (5, 5, 0, 0, 0), (32, 32, 16, 0, 7)])
  func aWaveIsInItsBand(_ height: Int, _ width: Int, _ ky: Int, _ kx: Int, _ band: Int) {
    let plane = (0..<height * width).map { i -> Double in
      let y = Double(ky * (i / width)) / Double(height)
      let x = Double(kx * (i % width)) / Double(width)
      return cos(2 * Double.pi * (y + x))
    }
    let energies = RadialSpectrum(height: height, width: width).energies(of: plane)
    let total = plane.reduce(0) { $0 + $1 * $1 }
    for b in 0..<8 { #expect(abs(energies[b] - (b == band ? total : 0)) < 1e-9 * total) }
  }

  @Test func energiesAreMeansOverPlanes() {
    let spectrum = RadialSpectrum(height: 4, width: 4)
    let images = Tensor((0..<48).map { Float($0 % 7) }, shape: [1, 3, 4, 4])
    let mean = spectrum.energies(ofEach: images, pool: ThreadPool(count: 2))[0]
    let squares = images.values.reduce(0.0) { $0 + Double($1) * Double($1) }
    #expect(abs(mean.reduce(0, +) - squares / 3) < 1e-9)
  }
}
