import Foundation
import TensorCore
import Testing

@testable import Reports

/// Standard normal numbers by Box and Muller.
func normals(_ count: Int, seed: UInt64, _ path: UInt64...) -> [Double] {
  var random = RandomStream(seed: seed, path: path)
  return (0..<count).map { _ in
    let radius = (-2 * log(1 - Double(random.uniform()))).squareRoot()
    return radius * cos(2 * .pi * Double(random.uniform()))
  }
}

@Suite struct BootstrapTests {
  @Test func coversTheMeanOfNormalData() {
    let (simulations, n) = (1000, 32)
    let bootstrap = Bootstrap(samples: n, resamples: 1000, seed: 1)
    let covered = (0..<simulations).count { simulation in
      let interval = bootstrap.mean(normals(n, seed: 2, UInt64(simulation)).map { 3 + $0 })
      return interval.low <= 3 && 3 <= interval.high
    }
    let share = Double(covered) / Double(simulations)
    #expect((0.92...0.97).contains(share), "\(share)")
  }

  @Test func coversARatioOfMeans() {
    let (simulations, n) = (600, 40)
    let bootstrap = Bootstrap(samples: n, resamples: 1000, seed: 1)
    let covered = (0..<simulations).count { simulation in
      let sample = normals(n, seed: 3, UInt64(simulation), 0)
      let noise = normals(n, seed: 3, UInt64(simulation), 1)
      // Correlated, with means 4.5 and 6.
      let top = zip(sample, noise).map { 0.2 * $0 + $1 + 4.5 }
      let bottom = sample.map { 0.5 * $0 + 6 }
      let interval = bootstrap.ratio(top, over: bottom)
      return interval.low <= 0.75 && 0.75 <= interval.high
    }
    let share = Double(covered) / Double(simulations)
    #expect((0.91...0.975).contains(share), "\(share)")
  }

  @Test func widthIsThatOfTheStandardError() {
    let values = normals(400, seed: 4)
    let mean = values.reduce(0, +) / 400
    let deviation = (values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 400).squareRoot()
    for (level, z) in [(0.95, 1.959964), (0.8, 1.281552)] {
      let interval = Bootstrap(samples: 400, level: level, seed: 5).mean(values)
      #expect(interval.estimate == mean && interval.level == level)
      let expected = 2 * z * deviation / 20
      #expect(abs(interval.high - interval.low - expected) < 0.04 * expected)
    }
  }

  @Test func fastPathsAgreeWithTheGeneralOne() {
    let (tops, bottoms) = (normals(25, seed: 6), normals(25, seed: 8).map { $0 + 6 })
    let bootstrap = Bootstrap(samples: 25, resamples: 500, seed: 9)
    func mean(_ values: [Double], _ indices: [Int]) -> Double {
      indices.reduce(0) { $0 + values[$1] } / Double(indices.count)
    }
    #expect(bootstrap.mean(tops) == bootstrap.interval { mean(tops, $0) })
    let fast = bootstrap.ratio(tops, over: bottoms)
    let general = bootstrap.interval { mean(tops, $0) / mean(bottoms, $0) }
    #expect(abs(fast.low - general.low) < 1e-12 && abs(fast.high - general.high) < 1e-12)
    #expect(abs(fast.estimate - general.estimate) < 1e-12)
    #expect(
      Bootstrap(samples: 25, resamples: 500, seed: 9).mean(tops) == bootstrap.mean(tops))
    #expect(
      Bootstrap(samples: 25, resamples: 500, seed: 10).mean(tops) != bootstrap.mean(tops))
  }

  @Test func ratiosKnowTheirLimits() {
    let bootstrap = Bootstrap(samples: 4, resamples: 200, seed: 1)
    let exact = bootstrap.ratio([3, 3, 3, 3], over: [2, 2, 2, 2])
    #expect(exact.estimate == 1.5 && exact.low == 1.5 && exact.high == 1.5)
    let doubtful = bootstrap.ratio([1, 1, 1, 1], over: [5, -4, 3, -3])
    #expect(doubtful.low == -.infinity && doubtful.high == .infinity)
    let undefined = bootstrap.ratio([1, 1, 1, 1], over: [0, 0, 0, 0])
    #expect(!undefined.low.isFinite && !undefined.high.isFinite)
    #expect(Bootstrap(samples: 0, seed: 1).mean([]).estimate.isNaN)
    let one = Bootstrap(samples: 1, seed: 1).mean([2])
    #expect(one.low == 2 && one.high == 2)
    #expect(bootstrap.mean([1, .nan, 1, 1]).low.isNaN)
  }

  /// Draws that are made again are the same draws.
  @Test func drawsNeedNotBeKept() {
    let (tops, bottoms) = (normals(25, seed: 6), normals(25, seed: 8).map { $0 + 6 })
    let kept = Bootstrap(samples: 25, resamples: 500, seed: 9)
    let fresh = Bootstrap(samples: 25, resamples: 500, level: 0.95, seed: 9, keeping: 0)
    #expect(kept.mean(tops) == fresh.mean(tops))
    #expect(kept.ratio(tops, over: bottoms) == fresh.ratio(tops, over: bottoms))
    func largest(_ indices: [Int]) -> Double { indices.map { tops[$0] }.max() ?? .nan }
    #expect(kept.interval(of: largest) == fresh.interval(of: largest))
    #expect(fresh.mean(tops).low < fresh.mean(tops).high)
    let empty = Bootstrap(samples: 0, resamples: 10, level: 0.95, seed: 1, keeping: 0)
    #expect(empty.mean([]).estimate.isNaN && empty.interval { _ in 1 }.low == 1)
  }

  /// A hundred thousand episodes at ten thousand resamples would be 4 GB of draws.
  @Test func memoryDoesNotGrowWithTheDraws() {
    func residentPages() -> Int {
      let text = (try? Files.read("/proc/self/statm")).map { String(decoding: $0, as: UTF8.self) }
      return text?.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
    }
    let before = residentPages()
    let bootstrap = Bootstrap(samples: 100_000, seed: 1)
    #expect(residentPages() - before < (1 << 30) / 4096)
    #expect(bootstrap.samples == 100_000)
  }
}
