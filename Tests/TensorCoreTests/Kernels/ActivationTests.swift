import Foundation
import Testing

@testable import TensorCore

@Suite struct ActivationTests {
  /// A count that is not a multiple of eight, so that the tail is covered.
  static let inputs = (-1203...1203).map { Float($0) / 100 } + [-40, -20, 20, 40, 1e-6, -1e-6]

  static func reference(_ activation: Activation, _ x: Double) -> Double {
    switch activation {
    case .silu: x / (1 + exp(-x))
    case .gelu: 0.5 * x * erfc(-x / 2.0.squareRoot())
    case .geluTanh:
      0.5 * x * (1 + tanh((2 / Double.pi).squareRoot() * (x + 0.044715 * x * x * x)))
    }
  }

  @Test(arguments: Activation.allCases)
  func valuesAreAccurate(activation: Activation) {
    var out = [Float](repeating: .nan, count: Self.inputs.count)
    activation.apply(to: Self.inputs, count: out.count, into: &out)
    for (x, y) in zip(Self.inputs, out) {
      let error = abs(Double(y) - Self.reference(activation, Double(x)))
      #expect(error < 1e-6 * max(1, abs(Double(x))), "\(activation)(\(x)) = \(y)")
    }
  }

  @Test(arguments: Activation.allCases)
  func gateMultipliesBySecondInput(activation: Activation) {
    let up = Self.inputs.map { $0 * 0.5 - 1 }
    var plain = [Float](repeating: .nan, count: up.count)
    var gated = plain
    activation.apply(to: Self.inputs, count: up.count, into: &plain)
    activation.gate(Self.inputs, up, count: up.count, into: &gated)
    #expect(gated == zip(plain, up).map { $0 * $1 })
  }
}
