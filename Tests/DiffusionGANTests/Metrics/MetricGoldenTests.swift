import TensorCore
import Testing

@testable import DiffusionGAN

/// Fréchet distance, KID, precision, recall, density and coverage against the reference's numbers.
@Suite struct MetricGoldenTests {
  static let pool = ThreadPool(count: 2)
  let real: Tensor
  let fake: Tensor
  let numbers: JSONReader

  init() throws {
    real = try Golden.tensor("real", of: "metrics.safetensors")
    fake = try Golden.tensor("fake", of: "metrics.safetensors")
    numbers = try Golden.json("metrics.json")
  }

  private func number(_ keys: String...) throws -> Double {
    try keys.reduce(numbers) { try $0.at($1) }.number()
  }

  private func close(_ value: Double, _ expected: Double, _ tolerance: Double) -> Bool {
    abs(value - expected) <= tolerance * abs(expected)
  }

  @Test func frechet() throws {
    let distance = try FrechetInterval(real, fake, pool: Self.pool).distance
    #expect(close(distance.value, try number("frechet", "value"), 1e-8))
    #expect(close(distance.meanTerm, try number("frechet", "mean_term"), 1e-8))
    #expect(close(distance.traces.first, try number("frechet", "trace_s1"), 1e-8))
    #expect(close(distance.traces.second, try number("frechet", "trace_s2"), 1e-8))
    #expect(close(distance.rootTrace, try number("frechet", "trace_sqrt"), 1e-8))
    let other = try FrechetInterval(fake, real, pool: Self.pool).distance
    #expect(close(other.value, distance.value, 1e-10))
  }

  @Test func means() throws {
    for (features, key) in [(real, "mu_real"), (fake, "mu_fake")] {
      let expected = try numbers.at("frechet").at(key).numbers()
      // Any origin gives the same mean.
      let far = FeatureMoments(features, origin: [Double](repeating: 3, count: 16)).mean
      for (value, other) in zip(FeatureMoments.mean(of: features), far) {
        #expect(abs(value - other) < 1e-12)
      }
      #expect(zip(far, expected).allSatisfy { abs($0 - $1) < 1e-10 })
    }
  }

  @Test func kernel() throws {
    let distance = KernelDistance(real, fake, pool: Self.pool)
    #expect(close(distance.value, try number("kid", "value"), 1e-10))
    // A subset of everything is everything.
    let subsets = SubsetKernelDistance(
      real, fake, subsets: 2, size: 500, seed: 0, pool: Self.pool)
    #expect(close(subsets.mean, distance.value, 1e-10))
    #expect(subsets.standardError < 1e-10)
  }

  @Test func precisionAndRecall() throws {
    let result = PrecisionRecall(
      real: RealManifold(real, pool: Self.pool), generated: fake, pool: Self.pool)
    #expect(result.precision == (try number("precision_recall", "precision")))
    #expect(result.recall == (try number("precision_recall", "recall")))
  }

  /// Against the package of the publication's authors.
  @Test func densityAndCoverage() throws {
    let result = DensityCoverage(
      real: RealManifold(real, pool: Self.pool), generated: fake, pool: Self.pool)
    #expect(close(result.density, try number("density_coverage", "density"), 1e-12))
    #expect(close(result.coverage, try number("density_coverage", "coverage"), 1e-12))
  }

  @Test func resultsDoNotDependOnThreads() throws {
    let alone = ThreadPool(count: 1)
    let many = ThreadPool(count: 5)
    #expect(
      KernelDistance(real, fake, pool: alone) == KernelDistance(real, fake, pool: many))
    #expect(
      SubsetKernelDistance(real, fake, subsets: 7, size: 90, seed: 1, pool: alone)
        == SubsetKernelDistance(real, fake, subsets: 7, size: 90, seed: 1, pool: many))
    let intervals = try [alone, many].map { try FrechetInterval(real, fake, pool: $0) }
    #expect(intervals[0].distance == intervals[1].distance)
    #expect(intervals[0].standardError == intervals[1].standardError)
  }
}
