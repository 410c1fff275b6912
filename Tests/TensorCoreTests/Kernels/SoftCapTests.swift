import Foundation
import Testing

@testable import TensorCore

@Suite struct SoftCapTests {
  @Test func tangentIsAccurateNearZeroAndFarAway() {
    for x in stride(from: Float(-12), through: 12, by: 0.0137) {
      let value = Double(hyperbolicTangent(Lanes(repeating: x))[0])
      let expected = tanh(Double(x))
      #expect(abs(value - expected) <= 3e-7 * abs(expected), "tanh(\(x)) = \(value)")
    }
    #expect(hyperbolicTangent(Lanes(repeating: 0))[0] == 0)
    #expect(hyperbolicTangent(Lanes(repeating: 1000))[0] == 1)
    #expect(hyperbolicTangent(Lanes(repeating: -1000))[0] == -1)
  }

  @Test func capScalesAndBounds() {
    let inputs = (0..<43).map { Float($0 * $0) - 600 }
    var values = inputs
    softCap(&values, count: values.count, scale: 0.25, cap: 30)
    for (x, y) in zip(inputs, values) {
      #expect(abs(Double(y) - 30 * tanh(Double(x) * 0.25 / 30)) < 1e-5)
      #expect(abs(y) <= 30)
    }
  }
}
