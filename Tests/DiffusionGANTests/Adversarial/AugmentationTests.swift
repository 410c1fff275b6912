import TensorCore
import Testing

@testable import DiffusionGAN

@Suite struct AugmentationTests {
  private let pictures = Tensor(
    normal: [3, 16, 16], from: (0..<6).map { RandomStream(seed: 1, path: [UInt64($0)]) })

  private func streams(_ seed: UInt64) -> [RandomStream] {
    (0..<6).map { RandomStream(seed: seed, path: [UInt64($0)]) }
  }

  @Test(arguments: Augmentation.Operation.allCases)
  func changesPicturesAsOftenAsAsked(operation: Augmentation.Operation) {
    let augmentation = Augmentation([operation])
    let never = augmentation(pictures, probability: 0, streams(1)).values
    #expect(zip(never, pictures.values).allSatisfy { abs($0 - $1) < 1e-5 })
    var changed = 0
    for seed in 0..<40 {
      let result = augmentation(pictures, probability: 0.5, streams(UInt64(seed))).values
      for index in 0..<6 {
        let range = index * 768..<(index + 1) * 768
        if zip(result[range], pictures.values[range]).contains(where: { abs($0 - $1) > 1e-4 }) {
          changed += 1
        }
      }
    }
    // Of 240, with a probability of a half, less the moves by 0 and the squares beside the picture.
    #expect((75...150).contains(changed), "\(changed)")
  }

  @Test(arguments: Augmentation.Operation.allCases)
  func gradientsFlowThrough(operation: Augmentation.Operation) {
    let augmentation = Augmentation([operation])
    let factor = Tensor(
      normal: [3, 16, 16], from: (0..<6).map { RandomStream(seed: 7, path: [UInt64($0)]) })
    func value(_ x: Tensor) -> Tensor {
      (augmentation(x, probability: 1, streams(3)) * factor).sum()
    }
    // Linear or affine in the pictures: a difference of any size is exact.
    let slope = gradient(at: pictures) { value($0) }
    let direction = factor.scaled(by: 0.5)
    let difference = value(pictures + direction)[0] - value(pictures)[0]
    let expected = (slope * direction).sum()[0]
    #expect(abs(difference - expected) < 2e-3 * max(abs(expected), 1), "\(difference) \(expected)")
  }

  /// Each change, with given numbers, against f64 values of a torch script that follows Zhao et al.'s formulas.
  @Test(arguments: ["colour", "grey"])
  func changesArePublishedOnes(kind: String) throws {
    func tensor(_ name: String) throws -> Tensor {
      try Golden.tensor("\(kind).\(name)", of: "diffaugment.safetensors")
    }
    func places(_ name: String) throws -> [(Int, Int)] {
      let numbers = try tensor(name).values.map { Int($0) }
      return (0..<4).map { (numbers[$0], numbers[4 + $0]) }
    }
    let uniform = try tensor("uniform").values
    let found = try [
      (
        "colour",
        Change.colour(
          brightness: Array(uniform[..<4]), saturation: Array(uniform[4..<8]),
          contrast: Array(uniform[8...]))
      ),
      // The script counts how far a place looks, which is how far the picture moves the other way.
      ("translated", .translation(places("moves").map { (-$0.0, -$0.1) })),
      ("cut", .cutout(places("offsets"))),
    ]
    for (name, change) in found {
      expectClose(change(try tensor("pictures")), try tensor(name), 2e-6, name)
    }
  }

  @Test func probabilityFollowsTheSigns() {
    let augmentation = Augmentation([.colour], adaptive: 100)
    #expect(augmentation.adapted(0.5, sign: 0.9, batch: 10) == 0.6)
    #expect(augmentation.adapted(0.5, sign: 0.2, batch: 10) == 0.4)
    #expect(augmentation.adapted(0.05, sign: 0, batch: 10) == 0)
    #expect(Augmentation([.colour]).adapted(1, sign: 0, batch: 10) == 1)
  }
}
