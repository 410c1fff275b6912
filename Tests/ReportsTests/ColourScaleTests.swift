import Testing

@testable import Reports

@Suite struct ColourScaleTests {
  private func lightness(_ colour: SIMD3<Double>) -> Double {
    (colour * SIMD3(0.2126, 0.7152, 0.0722)).sum()
  }

  @Test func sequentialColoursGetDarker() {
    let values = stride(from: 0, through: 1, by: 0.05).map {
      lightness(ColourScale.sequential.colour($0))
    }
    #expect(zip(values, values.dropFirst()).allSatisfy { $0 > $1 })
  }

  @Test func divergingColoursAreLightestInTheMiddle() {
    let scale = ColourScale.diverging
    #expect(scale.range(over: [-1, 3]) == -3...3)
    #expect(scale.range(over: []) == -1...1)
    #expect(ColourScale.hexadecimal(scale.colour(0.5)) == "#f7f7f7")
    #expect(lightness(scale.colour(0.5)) > lightness(scale.colour(0.2)))
    #expect(lightness(scale.colour(0.5)) > lightness(scale.colour(0.8)))
    #expect(ColourScale.wantsDarkText(scale.colour(0.5)))
    #expect(!ColourScale.wantsDarkText(scale.colour(0)))
  }
}
