import Foundation
import TensorCore
import Testing

@testable import DiffusionGAN

/// Against numbers of a torch script that follows the published formulas in double precision, with
/// a picture each for a flip, a move, a change of scale, a turn, both kinds of stretching, and
/// everything at once.
@Suite struct PictureWarpTests {
  private func transforms() throws -> [GeometricTransform] {
    let parameters = try Golden.tensor("parameters", of: "augmentation.safetensors")
    return (0..<parameters.rows).map { row in
      func value(_ column: Int) -> Double { Double(parameters[row * parameters.columns + column]) }
      var transform = GeometricTransform()
      transform.flipsColumns = value(0) == 1
      transform.flipsRows = value(1) == 1
      (transform.scale, transform.rotation) = (value(2), value(3))
      (transform.stretch, transform.stretchAngle) = (value(4), value(5))
      (transform.translationX, transform.translationY) = (value(6), value(7))
      return transform
    }
  }

  @Test func picturesAndLabelsAreThePublishedOnes() throws {
    func golden(_ name: String) throws -> Tensor {
      try Golden.tensor(name, of: "augmentation.safetensors")
    }
    let (pictures, labels) = try PictureWarp.apply(transforms(), to: golden("images"))
    expectClose(labels, try golden("labels"), 1e-6, "labels")
    expectClose(pictures, try golden("warped"), 1e-5, "pictures")
  }

  private func pictures(_ count: Int, channels: Int = 1, size: Int = 8) -> Tensor {
    Tensor(
      normal: [channels, size, size],
      from: (0..<count).map { RandomStream(seed: 5, path: [UInt64($0)]) })
  }

  @Test func aFlipIsExact() {
    let images = pictures(2)
    var flip = GeometricTransform()
    flip.flipsColumns = true
    let (flipped, labels) = PictureWarp.apply([flip, GeometricTransform()], to: images)
    let (from, to) = (images.values, flipped.values)
    for place in 0..<64 {
      #expect(to[place] == from[place / 8 * 8 + 7 - place % 8])
      #expect(to[64 + place] == from[64 + place])
    }
    #expect(labels.values == [1] + [Float](repeating: 0, count: 17))
  }

  /// An eighth of eight pixels is a pixel: what is moved in is the reflection of what is beside the
  /// edge.
  @Test func aMoveByAPixelIsExact() {
    let images = pictures(1)
    var move = GeometricTransform()
    move.translationX = 1
    let (moved, labels) = PictureWarp.apply([move], to: images)
    let (from, to) = (images.values, moved.values)
    for place in 0..<64 {
      let column = place % 8 == 0 ? 1 : place % 8 - 1
      #expect(abs(to[place] - from[place / 8 * 8 + column]) < 1e-5)
    }
    #expect(labels.values == [0, 0, 0, 0, 0, 0, 0, 1, 0])
  }

  @Test func transformsHappenAsOftenAsTheyShould() {
    let drawn = (0..<4000).map { index in
      var stream = RandomStream(seed: 1, path: [UInt64(index)])
      return GeometricTransform(probability: 0.12, from: &stream)
    }
    func share(_ condition: (GeometricTransform) -> Bool) -> Double {
      Double(drawn.count(where: condition)) / Double(drawn.count)
    }
    // Three standard errors of 4,000 draws are 0.024 at one half, and 0.015 at 0.12.
    #expect(abs(share { $0.flipsColumns } - 0.5) < 0.024)
    #expect(abs(share { $0.flipsRows } - 0.06) < 0.012)
    for part in [\GeometricTransform.scale, \.rotation, \.stretch, \.translationX] {
      #expect(abs(share { $0[keyPath: part] != 0 } - 0.12) < 0.016)
    }
    #expect(abs(share { $0.stretchAngle != 0 } - 0.06) < 0.012)
    let angles = drawn.map(\.rotation).filter { $0 != 0 }
    #expect(angles.allSatisfy { abs($0) <= Double.pi } && angles.contains { abs($0) > 2.5 })
  }

  @Test func everyPictureStaysFinite() {
    let drawn = (0..<300).map { index in
      var stream = RandomStream(seed: 2, path: [UInt64(index)])
      return GeometricTransform(probability: 1, from: &stream)
    }
    let images = pictures(300, channels: 3)
    let (warped, _) = PictureWarp.apply(drawn, to: images)
    #expect(warped.isFinite && warped.shape == images.shape)
    // Whatever else is in the batch.
    let (alone, _) = PictureWarp.apply(
      [drawn[7]], to: images.slice(0, 7..<8))
    #expect(alone.values == Array(warped.values[7 * 192..<8 * 192]))
  }
}
