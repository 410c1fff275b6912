import Foundation
import TensorCore
import Testing

@testable import DiffusionGAN

@Suite struct ModeCoverageTests {
  /// ½ ln(½ / ¼) + ½ ln(½ / ¾) by hand.
  @Test func knownDivergence() throws {
    let coverage = ModeCoverage([30, 30, 0], data: [50, 150, 0])
    #expect(coverage.found.value == 2 && coverage.found.standardError == 0)
    let divergence = try #require(coverage.divergence)
    #expect(abs(divergence.value - (0.5 * log(2) + 0.5 * log(2.0 / 3))) < 1e-12)
    let same = try #require(ModeCoverage([5, 20, 25], data: [1, 4, 5]).divergence)
    #expect(abs(same.value) < 1e-12)
  }

  @Test func whatIsNotKnown() {
    #expect(ModeCoverage([1, 2], data: nil).divergence == nil)
    // Images of a class that the data have not would be infinitely far away.
    #expect(ModeCoverage([1, 2], data: [3, 0]).divergence == nil)
    #expect(ModeCoverage([0, 2], data: [3, 1]).divergence != nil)
  }

  /// The closed form is the jackknife.
  @Test func errorsAreThoseOfLeavingOutOneImage() throws {
    let (counts, data) = ([7, 1, 0, 12, 1, 3], [10, 20, 5, 40, 2, 8])
    let n = counts.reduce(0, +)
    var (found, divergence): ([Double], [Double]) = ([], [])
    for (index, count) in counts.enumerated() where count > 0 {
      var fewer = counts
      fewer[index] -= 1
      let without = ModeCoverage(fewer, data: data)
      found += [Double](repeating: without.found.value, count: count)
      divergence += [Double](repeating: try #require(without.divergence).value, count: count)
    }
    func error(_ values: [Double]) -> Double {
      let mean = values.reduce(0, +) / Double(n)
      let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
      return (Double(n - 1) / Double(n) * squares).squareRoot()
    }
    let coverage = ModeCoverage(counts, data: data)
    #expect(abs(coverage.found.standardError - error(found)) < 1e-12)
    #expect(abs(try #require(coverage.divergence).standardError - error(divergence)) < 1e-9)
  }

  /// Drawn again and again, the divergence scatters as its error says.
  @Test func errorsAreOfTheRightSize() throws {
    let shares = (1...20).map { Double($0) }
    let data = (1...20).map { $0 * 100 }
    var values: [ModeCoverage.Value] = []
    var stream = RandomStream(seed: 3)
    for _ in 0..<300 {
      var counts = [Int](repeating: 0, count: 20)
      for _ in 0..<2000 {
        // Heavier in the first classes than the data.
        var rest = Double(stream.uniform()) * shares.reduce(0) { $0 + $1.squareRoot() }
        let index = shares.firstIndex { share in
          rest -= share.squareRoot()
          return rest < 0
        }
        counts[index ?? 19] += 1
      }
      values.append(try #require(ModeCoverage(counts, data: data).divergence))
    }
    let mean = values.reduce(0) { $0 + $1.value } / 300
    let spread = (values.reduce(0) { $0 + ($1.value - mean) * ($1.value - mean) } / 299)
      .squareRoot()
    let told = values.reduce(0) { $0 + $1.standardError } / 300
    #expect(abs(told / spread - 1) < 0.2, "\(told) against \(spread)")
  }
}
