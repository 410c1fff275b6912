import Foundation
import TensorCore

/// Energy of images by spatial frequency, in radial bands of their 2-D discrete Fourier transform.
///
/// F is the unnormalised transform (exp(−2πi …)), the energy of a frequency |F|² ÷ (height · width),
/// so that all bands together hold the sum of squares. A frequency of fy and fx cycles a pixel
/// belongs to band ⌊2 · bands · √(fy² + fx²)⌋, the last band takes all above. At 16×16 with 8 bands,
/// band b holds b ≤ √(ky² + kx²) < b + 1. The first band of square images up to 16×16 is the
/// constant term alone.
public struct RadialSpectrum: Sendable {
  public let height: Int
  public let width: Int
  public let bands: Int
  /// Band of each frequency, `[height, width]`, frequencies in the order 0, 1, …, −2, −1.
  public let bandIndex: [Int]
  /// Number of frequencies in each band; small images leave some bands empty.
  public let binCounts: [Int]
  private let rowTable: (real: [Double], imaginary: [Double])
  private let columnTable: (real: [Double], imaginary: [Double])

  /// - Precondition: positive extents and at least one band.
  public init(height: Int, width: Int, bands: Int = 8) {
    precondition(height > 0 && width > 0 && bands > 0)
    self.height = height
    self.width = width
    self.bands = bands
    bandIndex = (0..<height * width).map { bin in
      let y = Self.frequency(bin / width, of: height) * width
      let x = Self.frequency(bin % width, of: width) * height
      // Whole numbers throughout: a frequency on a band's edge belongs to the upper band.
      let radius = 4 * bands * bands * (y * y + x * x)
      let unit = height * width * height * width
      var band = 0
      while band + 1 < bands, (band + 1) * (band + 1) * unit <= radius { band += 1 }
      return band
    }
    binCounts = bandIndex.reduce(into: [Int](repeating: 0, count: bands)) { $0[$1] += 1 }
    rowTable = Self.table(height)
    columnTable = Self.table(width)
  }

  /// The transform of one image plane.
  ///
  /// - Parameter plane: `[height, width]`.
  /// - Returns: real and imaginary part of each frequency, `[height, width]`.
  public func transform(_ plane: [Double]) -> [SIMD2<Double>] {
    precondition(plane.count == height * width, "\(plane.count) values for \(height)×\(width)")
    var (real, imaginary) = (plane, plane)
    // Row by row with real input, then column by column: six real products. The tables of
    // cosines and sines are symmetric.
    gemm(
      m: height, n: width, k: width, a: plane, b: columnTable.real, transposeB: false, c: &real)
    gemm(
      m: height, n: width, k: width, a: plane, b: columnTable.imaginary, transposeB: false,
      c: &imaginary)
    let both = real + imaginary
    var products = [[Double]](
      repeating: [Double](repeating: 0, count: plane.count), count: 4)
    for (place, table) in [rowTable.real, rowTable.imaginary].enumerated() {
      for part in 0..<2 {
        both.withUnsafeBufferPointer { both in
          guard let start = both.baseAddress else { return }
          gemm(
            m: height, n: width, k: height, a: table, b: start + part * plane.count,
            transposeB: false, c: &products[2 * place + part])
        }
      }
    }
    return plane.indices.map { i in
      SIMD2(products[0][i] - products[3][i], products[1][i] + products[2][i])
    }
  }

  /// Energy of each band of one image plane.
  ///
  /// - Parameter plane: `[height, width]`.
  public func energies(of plane: [Double]) -> [Double] {
    var energies = [Double](repeating: 0, count: bands)
    for (value, band) in zip(transform(plane), bandIndex) {
      energies[band] += (value * value).sum() / Double(height * width)
    }
    return energies
  }

  /// Energy of each band in every image, the mean over its channels: `[images][bands]`.
  ///
  /// - Parameter images: `[images, channels, height, width]`, one plane at least.
  public func energies(ofEach images: Tensor, pool: ThreadPool) -> [[Double]] {
    precondition(images.shape.count == 4 && images.shape.suffix(2) == [height, width])
    let (channels, area) = (images.shape[1], height * width)
    return pool.map(images.shape[0]) { image in
      var sums = [Double](repeating: 0, count: bands)
      for channel in 0..<channels {
        let plane = images.withPointer { values in
          (0..<area).map { Double(values[(image * channels + channel) * area + $0]) }
        }
        for (band, energy) in energies(of: plane).enumerated() { sums[band] += energy }
      }
      return sums.map { $0 / Double(channels) }
    }
  }

  /// The projection on the frequencies outside `removed` bands, `[height · width, height · width]`:
  /// planes `[…, height · width]` times it lose those bands and keep all others as they are.
  public func projection(without removed: Set<Int>) -> Tensor {
    // The filter's answer to a single bright pixel; every column of the matrix is that, moved.
    var response = [Double](repeating: 0, count: height * width)
    for (bin, band) in bandIndex.enumerated() where !removed.contains(band) {
      let (ky, kx) = (bin / width, bin % width)
      for y in 0..<height {
        for x in 0..<width {
          let turns = Double(ky * y) / Double(height) + Double(kx * x) / Double(width)
          response[y * width + x] += cos(2 * Double.pi * turns) / Double(height * width)
        }
      }
    }
    let size = height * width
    return Tensor(shape: [size, size]) { output in
      for a in 0..<size {
        for b in 0..<size {
          let y = (a / width - b / width + height) % height
          let x = (a % width - b % width + width) % width
          output[a * size + b] = Float(response[y * width + x])
        }
      }
    }
  }

  /// The signed frequency at place `index`: −size ÷ 2 ≤ frequency < size ÷ 2.
  private static func frequency(_ index: Int, of size: Int) -> Int {
    index < (size + 1) / 2 ? index : index - size
  }

  /// exp(−2πi j k / size), `[size, size]`.
  private static func table(_ size: Int) -> (real: [Double], imaginary: [Double]) {
    let angles = (0..<size * size).map { place in
      -2 * Double.pi * Double(place / size * (place % size) % size) / Double(size)
    }
    return (angles.map { cos($0) }, angles.map { sin($0) })
  }
}
