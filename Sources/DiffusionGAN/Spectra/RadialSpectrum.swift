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
  private let rowTable: [SIMD2<Double>]
  private let columnTable: [SIMD2<Double>]

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
    rowTable = Self.roots(height)
    columnTable = Self.roots(width)
  }

  /// The transform of one image plane.
  ///
  /// - Parameter plane: `[height, width]`.
  /// - Returns: real and imaginary part of each frequency, `[height, width]`.
  public func transform(_ plane: [Double]) -> [SIMD2<Double>] {
    precondition(plane.count == height * width, "\(plane.count) values for \(height)×\(width)")
    var rows = [SIMD2<Double>](repeating: .zero, count: plane.count)
    for y in 0..<height {
      for k in 0..<width {
        var sum = SIMD2<Double>.zero
        for x in 0..<width { sum += plane[y * width + x] * columnTable[k * x % width] }
        rows[y * width + k] = sum
      }
    }
    var output = rows
    for k in 0..<height {
      for x in 0..<width {
        var sum = SIMD2<Double>.zero
        for y in 0..<height {
          let (a, b) = (rows[y * width + x], rowTable[k * y % height])
          sum += SIMD2(a.x * b.x - a.y * b.y, a.x * b.y + a.y * b.x)
        }
        output[k * width + x] = sum
      }
    }
    return output
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

  /// Energy of each band, the mean over all planes of `images`.
  ///
  /// - Parameter images: `[…, height, width]`, one plane at least.
  public func meanEnergies(of images: Tensor, pool: ThreadPool) -> [Double] {
    precondition(images.shape.suffix(2) == [height, width] && images.count > 0)
    let area = height * width
    let planes = images.count / area
    let all = pool.map(planes) { plane in
      energies(
        of: images.withPointer { values in
          (0..<area).map { Double(values[plane * area + $0]) }
        })
    }
    return (0..<bands).map { band in all.reduce(0) { $0 + $1[band] } / Double(planes) }
  }

  /// The signed frequency at place `index`: −size ÷ 2 ≤ frequency < size ÷ 2.
  private static func frequency(_ index: Int, of size: Int) -> Int {
    index < (size + 1) / 2 ? index : index - size
  }

  /// exp(−2πi j / size) for every j.
  private static func roots(_ size: Int) -> [SIMD2<Double>] {
    (0..<size).map { j in
      let angle = -2 * Double.pi * Double(j) / Double(size)
      return SIMD2(cos(angle), sin(angle))
    }
  }
}
