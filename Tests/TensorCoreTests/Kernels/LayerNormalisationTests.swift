import Foundation
import Testing

@testable import TensorCore

@Suite struct LayerNormalisationTests {
  @Test(arguments: [1, 7, 8, 48, 51])
  func rowIsNormalisedEvenAroundALargeMean(count: Int) {
    let x = (0..<count).map { 1000 + sin(Float($0)) }
    let weight = (0..<count).map { 1 + 0.1 * cos(Float($0)) }
    let bias = (0..<count).map { 0.01 * Float($0) }
    var out = x
    let scale = layerNormalise(
      x, weight: weight, bias: bias, epsilon: 1e-5, count: count, into: &out)
    let mean = x.reduce(0.0) { $0 + Double($1) } / Double(count)
    let variance = x.reduce(0.0) { $0 + pow(Double($1) - mean, 2) } / Double(count)
    let expected = 1 / (variance + 1e-5).squareRoot()
    #expect(abs(Double(scale) / expected - 1) < 1e-3)
    for index in 0..<count {
      let value = (Double(x[index]) - mean) * expected * Double(weight[index])
      #expect(abs(Double(out[index]) - value - Double(bias[index])) < 1e-3)
    }
  }

  @Test(arguments: [Float.nan, .infinity, 1e30])
  func overflowShowsInTheScale(value: Float) {
    let x: [Float] = [1, 2, value, 3]
    var out = x
    let ones: [Float] = [1, 1, 1, 1]
    let scale = layerNormalise(x, weight: ones, bias: ones, epsilon: 0, count: 4, into: &out)
    #expect(!(scale > 0 && scale.isFinite))
  }
}
