import TensorCore

/// The images of an evaluation: generated ones, real ones that they are compared with, and other
/// real ones that show how far apart real images are, the floor.
public struct EvaluationSets: Sendable {
  public let generated: ImageDataset
  public let reference: ImageDataset
  public let floor: ImageDataset
  /// What the reference and the floor were taken from.
  public let origins: (reference: String, floor: String)
  /// How many generated images were given; more than are compared where there are fewer real ones for the floor.
  public let given: Int
  /// Images of each class in the training data; empty for data without labels.
  public let classSizes: [Int]

  /// Purposes of random streams, so that no two samples are drawn alike.
  private enum Purpose: UInt64 { case generated = 1, reference, floor, halves }

  /// Real images, and which part of the data they are.
  public typealias Split = (split: DataSplit, images: ImageDataset)

  /// Checks data before anything is drawn to compare with them.
  ///
  /// - Throws: `UserError` for too few images to cut and for splits of different shapes.
  public static func check(train: ImageDataset, heldOut: Split?) throws {
    // Without others, half of the images are the reference.
    for (data, fewest) in [
      (train, (heldOut == nil ? 2 : 1) * SampleQuality.fewest),
      (heldOut?.images ?? train, SampleQuality.fewest),
    ] where data.count < fewest {
      throw UserError(
        "\(data.count) images are too few to compare with", at: data.name,
        remedy: "give \(fewest) at least")
    }
    guard let heldOut else { return }
    guard heldOut.images.shape == train.shape else {
      throw UserError(
        "images of the \(heldOut.split.rawValue) split are \(heldOut.images.shape), the others "
          + "\(train.shape)", at: train.name,
        remedy: "give splits of one size, or a --preset that makes them so")
    }
  }

  /// Takes at most `count` images of each, chosen by the seed, and as many generated ones as the floor has:
  /// the bias of a Fréchet distance depends on the number.
  ///
  /// - Parameters:
  ///   - train, heldOut: the data, and a part that is kept from training; without one, `train` is cut into two random halves.
  /// - Throws: `UserError` for images of different shapes and for too few to measure or to cut.
  public init(
    generated: ImageDataset, train: ImageDataset, heldOut: Split?, count: Int, seed: UInt64
  ) throws {
    guard generated.shape == train.shape else {
      throw UserError(
        "images are \(generated.shape), those of \(train.name) are \(train.shape)",
        at: generated.name, remedy: "choose the --preset that the images were made for")
    }
    guard generated.count >= SampleQuality.fewest else {
      throw UserError(
        "\(generated.count) images cannot be measured", at: generated.name,
        remedy: "give \(SampleQuality.fewest) at least")
    }
    var (reference, floor) = (heldOut?.images ?? train, train)
    origins = heldOut.map { ($0.split.rawValue, "train") } ?? ("one half", "other half")
    try Self.check(train: train, heldOut: heldOut)
    if heldOut == nil {
      var stream = RandomStream(seed: seed, path: [Purpose.halves.rawValue])
      let order = stream.sample(train.count, of: Array(0..<train.count))
      reference = try train.subset(order[..<(train.count / 2)].sorted())
      floor = try train.subset(order[(train.count / 2)...].sorted())
    }
    given = generated.count
    classSizes = train.classSizes
    self.generated = try Self.sample(min(count, floor.count), of: generated, .generated, seed)
    self.reference = try Self.sample(count, of: reference, .reference, seed)
    self.floor = try Self.sample(self.generated.count, of: floor, .floor, seed)
  }

  private static func sample(
    _ count: Int, of data: ImageDataset, _ purpose: Purpose, _ seed: UInt64
  ) throws -> ImageDataset {
    guard count < data.count else { return data }
    var stream = RandomStream(seed: seed, path: [purpose.rawValue])
    return try data.subset(stream.sample(count, of: Array(0..<data.count)).sorted())
  }
}
