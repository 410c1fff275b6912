import Foundation
import TensorCore

/// Pictures that a teacher makes of a fixed set of latents, computed once and kept in a folder.
///
/// Pair *k* depends on the seed and on *k* alone: the latent is not stored. Latents are others than
/// those that `SeededSampling` draws for any seed.
public struct TeacherPool: Sendable {
  public let count: Int
  private let seed: UInt64
  /// Number of classes; 0 for none.
  private let labels: Int
  private let shape: [Int]
  private let pictures: [Float]

  /// Pairs of a file.
  static let partSize = 256
  private static let batch = 64

  /// The pool in `folder`, computing what is not there yet.
  ///
  /// - Parameters:
  ///   - sampler: the teacher's, without churn.
  ///   - folder: holds `part-000000.safetensors` and so on, each of 256 pictures, written whole.
  ///   - watch: told the number of pictures there after each batch; may throw to stop.
  /// - Throws: `UserError` for a file that belongs to another pool, and for pictures that are not
  ///   finite; whatever `watch` throws.
  public init(
    of teacher: NetworkFile, sampler: Sampler, count: Int, seed: UInt64, folder: String,
    watch: (Int) throws -> Void = { _ in }
  ) throws {
    precondition(sampler.churn == nil, "a teacher with churn has no pictures of its own to regress")
    let configuration = teacher.denoiser.network.configuration
    self.count = count
    self.seed = seed
    labels = configuration.labels
    shape = configuration.imageShape.extents
    let size = shape.reduce(1, *)
    let metadata = ["seed": "\(seed)", "steps": "\(sampler.steps)"]
    try Files.makeFolder(folder)
    var all: [Float] = []
    all.reserveCapacity(count * size)
    for start in stride(from: 0, to: count, by: Self.partSize) {
      let part = start..<min(start + Self.partSize, count)
      let path = folder + String(format: "/part-%06d.safetensors", start / Self.partSize)
      if FileManager.default.fileExists(atPath: path) {
        let file = try SafetensorsFile(path)
        guard file.metadata == metadata, file.contains("pictures"),
          try file.shape(of: "pictures") == [part.count] + shape
        else {
          throw UserError(
            "holds other pictures than this run's", at: path,
            remedy: "remove it, or choose another folder")
        }
        all += try file.floats("pictures")
        try watch(part.upperBound)
        continue
      }
      var fresh: [Float] = []
      for first in stride(from: part.lowerBound, to: part.upperBound, by: Self.batch) {
        let indices = Array(first..<min(first + Self.batch, part.upperBound))
        let conditions = Self.conditions(at: indices, seed: seed, labels: labels)
        let made = sampler(Self.latents(at: indices, seed: seed, shape: shape)) { x, sigma in
          teacher.denoiser(x, sigma: [sigma], teacher.weights, conditions)
        }
        guard made.isFinite else {
          throw UserError(
            "the teacher's pictures are not finite", remedy: "give another network or other steps")
        }
        fresh += made.values
        try watch(first + indices.count)
      }
      try Safetensors.write(
        [("pictures", [part.count] + shape, fresh)], metadata: metadata, to: path)
      all += fresh
    }
    pictures = all
  }

  /// Standard normal numbers, `[indices, channels, height, width]`.
  func latents(at indices: [Int]) -> Tensor {
    Self.latents(at: indices, seed: seed, shape: shape)
  }

  /// What the teacher made of them, not clamped.
  func targets(at indices: [Int]) -> Tensor {
    let size = shape.reduce(1, *)
    return Tensor(
      indices.flatMap { pictures[$0 * size..<($0 + 1) * size] }, shape: [indices.count] + shape)
  }

  /// The classes that go with them.
  func conditions(at indices: [Int]) -> UNet.Conditions {
    Self.conditions(at: indices, seed: seed, labels: labels)
  }

  private static func latents(at indices: [Int], seed: UInt64, shape: [Int]) -> Tensor {
    Tensor(
      normal: shape,
      from: indices.map { Distillation.Purpose.poolLatent.stream(seed: seed, $0) })
  }

  private static func conditions(
    at indices: [Int], seed: UInt64, labels: Int
  ) -> UNet.Conditions {
    guard labels > 0 else { return UNet.Conditions(noise: []) }
    let classes = indices.map { index in
      var stream = Distillation.Purpose.poolLabel.stream(seed: seed, index)
      return stream.integer(below: labels)
    }
    return UNet.Conditions(noise: [], labels: Tensor(oneHot: classes, classes: labels))
  }
}
