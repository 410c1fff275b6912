import Testing

@testable import Reports

@Suite struct AxisScaleTests {
  @Test func marksRoundNumbers() {
    let scale = AxisScale(over: [0, 1], count: 5)
    #expect(scale.ticks.map(scale.label) == ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"])
    let layers = AxisScale(over: [0, 29], count: 10, isWhole: true)
    #expect(layers.ticks.map(layers.label) == ["0", "5", "10", "15", "20", "25"])
    let signed = AxisScale(over: [-0.031, 0.042], count: 4)
    #expect(signed.ticks.map(signed.label) == ["−0.02", "0.00", "0.02", "0.04"])
  }

  @Test func wholeNumbersStayWhole() {
    let scale = AxisScale(over: [0, 2], count: 10, isWhole: true)
    #expect(scale.ticks == [0, 1, 2])
  }

  @Test(arguments: [[], [3], [0], [-2, -2], [1e-9, 2e-9], [1e9, 3e9]] as [[Double]])
  func takesAnyRange(values: [Double]) {
    let scale = AxisScale(over: values, padding: 0.05, count: 5)
    #expect(scale.low < scale.high)
    #expect((1...12).contains(scale.ticks.count))
    #expect(Set(scale.ticks.map(scale.label)).count == scale.ticks.count)
    #expect(values.allSatisfy { $0 >= scale.low && $0 <= scale.high })
  }
}
