import Foundation
import TensorCore
import Testing

@testable import DiffusionGAN

@Suite struct MetricTests {
  static let pool = ThreadPool(count: 2)

  /// Standard normal numbers (Box–Muller) + `shift`.
  static func normal(_ rows: Int, _ columns: Int, shift: Float = 0, seed: UInt64) -> Tensor {
    var stream = RandomStream(seed: seed)
    return Tensor(
      (0..<rows * columns).map { _ -> Float in
        let radius: Float = (-2 * log(1 - stream.uniform())).squareRoot()
        let angle: Float = 2 * Float.pi * stream.uniform()
        return radius * cos(angle) + shift
      }, shape: [rows, columns])
  }

  private func deviation(_ values: [Double]) -> Double {
    let mean = values.reduce(0, +) / Double(values.count)
    let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    return (squares / Double(values.count - 1)).squareRoot()
  }

  @Test func equalSetsAreNoDistanceApart() throws {
    let set = Self.normal(300, 8, seed: 1)
    // Not a little below 0, which would be printed as −0.0000.
    for rows in [2, 3, 5, 12, 300] {
      let few = Tensor(Array(set.values.prefix(8 * rows)), shape: [rows, 8])
      let value = try FrechetInterval(few, few, pool: Self.pool).distance.value
      #expect(value >= 0 && value.sign == .plus && value < 1e-6, "\(rows) rows: \(value)")
    }
    let coverage = PrecisionRecall(
      real: RealManifold(set, pool: Self.pool), generated: set, pool: Self.pool)
    #expect(coverage.precision == 1 && coverage.recall == 1)
  }

  /// A feature that never changes, and one that is the sum of others: the covariance is singular.
  @Test func singularCovariances() throws {
    let random = Self.normal(200, 2, seed: 2).values
    func features(_ shift: Float) -> Tensor {
      var values: [Float] = []
      for i in 0..<200 {
        let (a, b) = (random[2 * i], random[2 * i + 1])
        values += [a, b, 5, a + b + shift]
      }
      return Tensor(values, shape: [200, 4])
    }
    let interval = try FrechetInterval(features(0), features(3), pool: Self.pool)
    #expect(abs(interval.distance.value - 9) < 1e-5)
  }

  /// |μ₁ − μ₂|² + d (σ₁ − σ₂)² for isotropic normals.
  @Test func knownDistance() throws {
    let first = Self.normal(20_000, 3, seed: 3)
    let second = Tensor(
      Self.normal(20_000, 3, seed: 4).values.map { 2 * $0 + 1 }, shape: [20_000, 3])
    let interval = try FrechetInterval(first, second, pool: Self.pool)
    #expect(abs(interval.distance.value - 6) < 0.2)
  }

  /// The errors that one data set predicts, against the scatter over sixty.
  @Test func standardErrorsMatchTheScatter() throws {
    var frechet: [(value: Double, error: Double)] = []
    var kernel: [(value: Double, error: Double)] = []
    for replicate in 0..<60 {
      let first = Self.normal(300, 4, seed: UInt64(1000 + replicate))
      let second = Self.normal(200, 4, shift: 0.5, seed: UInt64(2000 + replicate))
      let interval = try FrechetInterval(first, second, pool: Self.pool)
      frechet.append((interval.distance.value, try #require(interval.standardError)))
      let distance = KernelDistance(first, second, pool: Self.pool)
      kernel.append((distance.value, distance.standardError))
    }
    for (name, results) in [("Fréchet", frechet), ("KID", kernel)] {
      let predicted = results.reduce(0) { $0 + $1.error } / Double(results.count)
      let ratio = predicted / deviation(results.map(\.value))
      #expect(ratio > 0.7 && ratio < 1.4, "\(name): \(ratio)")
    }
  }

  /// The unbiased estimate of a distance of nought scatters about nought.
  @Test func kernelDistanceHasNoBias() {
    let values = (0..<40).map { replicate in
      KernelDistance(
        Self.normal(60, 4, seed: UInt64(3000 + replicate)),
        Self.normal(80, 4, seed: UInt64(4000 + replicate)), pool: Self.pool
      ).value
    }
    let mean = values.reduce(0, +) / 40
    #expect(abs(mean) < 3 * deviation(values) / 40.0.squareRoot())
    #expect(values.contains { $0 < 0 })
  }

  /// Row sums over several tiles, against the definition.
  @Test func kernelOverSeveralTiles() {
    let first = Self.normal(300, 3, seed: 5)
    let second = Self.normal(520, 3, shift: 1, seed: 6)
    func kernel(_ x: [Float], _ y: [Float]) -> Double {
      let product = zip(x, y).reduce(0.0) { (sum: Double, pair: (Float, Float)) -> Double in
        sum + Double(pair.0) * Double(pair.1)
      }
      let base = product / 3 + 1
      return base * base * base
    }
    func mean(_ a: Tensor, _ b: Tensor, isSame: Bool) -> Double {
      var sum = 0.0
      for i in 0..<a.rows {
        for j in 0..<b.rows where !(isSame && i == j) { sum += kernel(a.row(i), b.row(j)) }
      }
      return sum / Double(a.rows * (isSame ? b.rows - 1 : b.rows))
    }
    let value = KernelDistance(first, second, pool: Self.pool).value
    let expected =
      mean(first, first, isSame: true) + mean(second, second, isSame: true)
      - 2 * mean(first, second, isSame: false)
    #expect(abs(value - expected) < 1e-11 * abs(expected))
  }

  /// More points than a tile has rows and columns, against the definition in double precision.
  @Test func precisionOverSeveralTiles() {
    let real = Self.normal(1100, 2, seed: 7)
    let generated = Self.normal(530, 2, shift: 1, seed: 8)
    func squares(_ a: Tensor, _ i: Int, _ b: Tensor) -> [Double] {
      (0..<b.rows).map { j in
        zip(a.row(i), b.row(j)).reduce(0.0) { (sum: Double, pair: (Float, Float)) -> Double in
          let difference = Double(pair.0) - Double(pair.1)
          return sum + difference * difference
        }
      }
    }
    func count(_ points: Tensor, within others: Tensor) -> Int {
      let radii = (0..<others.rows).map { squares(others, $0, others).sorted()[3] }
      return (0..<points.rows).count { i in
        zip(squares(points, i, others), radii).contains { $0 <= $1 }
      }
    }
    let result = PrecisionRecall(
      real: RealManifold(real, pool: Self.pool), generated: generated, pool: Self.pool)
    // A decision may be closer than f32 can tell.
    let counts = [result.precision * 530, result.recall * 1100].map { Int($0.rounded()) }
    #expect(abs(counts[0] - count(generated, within: real)) <= 1)
    #expect(abs(counts[1] - count(real, within: generated)) <= 1)
    #expect(result.precision > result.recall)
  }

  @Test func aModeThatIsMissing() {
    let real = Tensor(
      Self.normal(400, 2, seed: 9).values + Self.normal(400, 2, shift: 50, seed: 10).values,
      shape: [800, 2])
    let result = PrecisionRecall(
      real: RealManifold(real, pool: Self.pool), generated: Self.normal(400, 2, seed: 11),
      pool: Self.pool)
    #expect(result.precision > 0.9)
    #expect(result.recall > 0.4 && result.recall <= 0.5)
    let balls = DensityCoverage(
      real: RealManifold(real, pool: Self.pool), generated: Self.normal(400, 2, seed: 11),
      pool: Self.pool)
    #expect(balls.coverage > 0.4 && balls.coverage <= 0.5)
  }

  /// Noise of its own makes a generator's recall larger, and not its coverage. Of as many points of the data coverage
  /// is near 1 − 2⁻⁵, over several tiles too.
  @Test func noiseDoesNotCover() {
    let (real, other) = (Self.normal(1500, 32, seed: 1), Self.normal(1500, 32, seed: 2))
    let noisy = other + Self.normal(1500, 32, seed: 3) * 0.7
    let (calm, loud) = (
      PrecisionRecall(real: RealManifold(real, pool: Self.pool), generated: other, pool: Self.pool),
      PrecisionRecall(real: RealManifold(real, pool: Self.pool), generated: noisy, pool: Self.pool)
    )
    #expect(loud.recall > calm.recall + 0.2)
    let balls = [other, noisy].map {
      DensityCoverage(real: RealManifold(real, pool: Self.pool), generated: $0, pool: Self.pool)
    }
    #expect(abs(balls[0].coverage - (1 - 1 / 32)) < 0.03 && abs(balls[0].density - 1) < 0.1)
    #expect(balls[1].coverage < balls[0].coverage - 0.3 && balls[1].density < 0.3)
  }

  @Test func labelShares() {
    #expect(LabelHistogram.totalVariation([5, 5], [50, 50]) == 0)
    #expect(LabelHistogram.totalVariation([4, 0], [0, 9]) == 1)
    #expect(LabelHistogram.totalVariation([3, 1], [1, 1]) == 0.25)
  }

  @Test func duplicates() throws {
    let shape = ImageShape(channels: 1, height: 1, width: 2)
    let data = try ImageDataset(name: "a", shape: shape, pixels: [1, 2, 1, 2, 2, 1, 1, 2])
    #expect(Duplicates.share(in: data) == 0.5)
    let reference = try ImageDataset(name: "b", shape: shape, pixels: [0, 0, 2, 1])
    #expect(Duplicates.share(of: data, in: reference) == 0.25)
  }

  @Test func pixelsAsFeatures() throws {
    let shape = ImageShape(channels: 1, height: 1, width: 2)
    let data = try ImageDataset(name: "a", shape: shape, pixels: [0, 255, 51, 204])
    let features = try ImageFeatures(of: data, by: PixelFeatures(), pool: Self.pool).vectors
    #expect(features.shape == [2, 2])
    #expect(zip(features.values, [-1, 1, -0.6, 0.6]).allSatisfy { abs($0 - $1) < 1e-6 })
  }
}
