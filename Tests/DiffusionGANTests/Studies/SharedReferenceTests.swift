import Foundation
import Reports
import TensorCore
import Testing

@testable import DiffusionGAN

/// What the jackknife of a distance says of cells that are all measured against the same images.
@Suite struct SharedReferenceTests {
  private struct Pictures {
    var stream: RandomStream

    /// `count` points of a normal distribution in four dimensions about `mean` along the first.
    mutating func normal(_ count: Int, mean: Double) -> Tensor {
      let values = (0..<4 * count).map { place in
        let radius = (-2 * log(1 - Double(stream.uniform()))).squareRoot()
        let value = radius * cos(2 * .pi * Double(stream.uniform()))
        return Float(value + (place % 4 == 0 ? mean : 0))
      }
      return Tensor(values, shape: [count, 4])
    }
  }

  private static let images = 120

  private static func withoutParts(_ cell: [MeasuredDistance]) -> UncertainValue {
    UncertainValue(cell.map { MeasuredDistance($0.value, standardError: $0.standardError) })
  }

  /// Three seeds of a cell `mean` away from the reference.
  private static func cell(
    _ mean: Double, _ reference: Tensor, _ pictures: inout Pictures, _ pool: ThreadPool
  ) throws -> [MeasuredDistance] {
    try (0..<3).map { _ in
      let drawn = pictures.normal(images, mean: mean)
      return MeasuredDistance(try FrechetInterval(reference, drawn, pool: pool))
    }
  }

  /// Two cells on opposite sides of the data: what the reference errs by makes one distance larger and
  /// the other smaller, the worst case. A test at 5 % must not find a difference more often, nor miss
  /// the distance itself; with errors divided by the number of seeds it does.
  @Test func opposedErrorsAreCovered() throws {
    let pool = ThreadPool(count: 1)
    let trials = 300
    var (differences, distances): ([[UncertainValue]], [[UncertainValue]]) = ([], [])
    for trial in 0..<trials {
      var pictures = Pictures(stream: RandomStream(seed: 5, path: [UInt64(trial)]))
      let reference = pictures.normal(Self.images, mean: 0)
      let cells = try [1.0, -1].map { try Self.cell($0, reference, &pictures, pool) }
      // As it is, and with the errors that a division by the number of seeds would leave.
      let values = [1, 3.0.squareRoot()].map { divisor in
        cells.map { found in
          UncertainValue(
            values: found.map(\.value),
            standardErrors: found.map { $0.standardError.map { $0 / divisor } })
        }
      }
      differences.append(values.map { $0[0] - $0[1] })
      distances.append(values.map { $0[0] })
    }
    let mean = distances.reduce(0) { $0 + $1[0].estimate } / Double(trials)
    func share(_ isWrong: (Int) -> Bool) -> Double {
      Double((0..<trials).count(where: isWrong)) / Double(trials)
    }
    func wrong(_ treatment: Int) -> (difference: Double, distance: Double) {
      (
        share { differences[$0][treatment].pValue < 0.05 },
        share {
          let interval = distances[$0][treatment].interval()
          return interval.low > mean || interval.high < mean
        }
      )
    }
    let (whole, divided) = (wrong(0), wrong(1))
    #expect(whole.difference < 0.06 && whole.distance < 0.06, "\(whole)")
    #expect(divided.difference > 0.06, "\(divided)")
  }

  /// Two cells alike: what the reference errs by goes the same way and cancels, if parts are compared. A test at 5 %
  /// finds a difference no more often than that, intervals of both treatments hold the truth, and those by parts are the
  /// narrower ones; where errors are opposed they are as wide as these have to be.
  @Test(arguments: [1.0, -1]) func errorsThatGoTogetherCancel(_ other: Double) throws {
    let pool = ThreadPool(count: 1)
    let trials = 300
    var (found, widths) = ([0, 0], [0.0, 0])
    for trial in 0..<trials {
      var pictures = Pictures(stream: RandomStream(seed: 6, path: [UInt64(trial)]))
      let reference = pictures.normal(Self.images, mean: 0)
      let cells = try [1.0, other].map { try Self.cell($0, reference, &pictures, pool) }
      let differences = [
        UncertainValue(cells[0]) - UncertainValue(cells[1]),
        Self.withoutParts(cells[0]) - Self.withoutParts(cells[1]),
      ]
      for (treatment, difference) in differences.enumerated() {
        if difference.pValue < 0.05 { found[treatment] += 1 }
        let interval = difference.interval()
        widths[treatment] += interval.high - interval.low
      }
    }
    #expect(found.allSatisfy { Double($0) / Double(trials) < 0.06 }, "\(found)")
    let ratio = widths[0] / widths[1]
    #expect(other > 0 ? ratio < 0.9 : (0.9...1.2).contains(ratio), "\(ratio)")
  }
}
