import TensorCore
import Testing

@testable import DiffusionGAN

@Suite struct ClassQualityTests {
  private let pool = ThreadPool(count: 2)

  private func images(_ vectors: Tensor, _ labels: [Int], _ predicted: [Int]) -> ClassQuality.Images
  {
    ClassQuality.Images(vectors: vectors, labels: labels, predicted: predicted)
  }

  /// Class 0 is drawn as it is, class 1 as a single point; over both together, recall is in between.
  @Test func aCollapsedClassIsFound() throws {
    let real = MetricTests.normal(200, 4, seed: 1)
    let other = MetricTests.normal(200, 4, seed: 2)
    let labels = (0..<200).map { $0 % 2 }
    var values = MetricTests.normal(200, 4, seed: 3).values
    for index in 0..<200 where index % 2 == 1 {
      for column in 0..<4 { values[4 * index + column] = 0.001 * Float(index) }
    }
    let generated = Tensor(values, shape: [200, 4])
    // Half of the images drawn for class 0 are taken for class 1.
    let predicted = (0..<200).map { $0 % 4 == 0 ? 1 : $0 % 2 }
    let classes = ClassQuality.of(
      generated: images(generated, labels, predicted), reference: images(real, labels, labels),
      floor: images(other, labels, labels), classes: 3, pool: pool)
    #expect(classes.map(\.label) == [0, 1])
    let (whole, collapsed) = (classes[0], classes[1])
    #expect(whole.counts == (100, 100, 100))
    #expect(try #require(whole.coverage).recall > 0.7)
    #expect(try #require(collapsed.coverage).recall < 0.1)
    #expect(try #require(collapsed.floor).recall > 0.7)
    #expect(whole.recognised?.generated == 50 && whole.recognised?.reference == 100)
    #expect(collapsed.recognised?.generated == 100)
  }

  @Test func tooFewImagesHaveNoManifold() throws {
    let vectors = MetricTests.normal(8, 2, seed: 1)
    let labels = [0, 0, 0, 0, 0, 1, 1, 1]
    let set = images(vectors, labels, [])
    let classes = ClassQuality.of(
      generated: set, reference: set, floor: set, classes: 2, pool: pool)
    #expect(classes[0].coverage?.recall == 1 && classes[1].coverage == nil)
    #expect(classes[0].recognised == nil)
  }
}
