import Foundation
import TensorCore
import Testing

@testable import DiffusionGAN

/// Statistics that numpy 2.4 wrote, by `savez` and `savez_compressed`.
@Suite struct ReferenceMomentsTests {
  private static let folder = TorchFileTests.folder

  @Test func numpysFiles() throws {
    let stored = try ReferenceMoments(contentsOf: Self.folder + "moments.npz")
    #expect(stored.mean == [0.5, -1, 2])
    #expect(stored.covariance == [1.25, 0.25, 0.25, 0.25, 2.25, 0.25, 0.25, 0.25, 3.25])
    // f32, column by column, and not symmetric: [[1, 0.25, 0.5], [0.125, 2, 0.75], [0.5, 0.75, 3]].
    expectUserError("moments-deflated.npz", "[1, 0] is 0.125, [0, 1] is 0.25") {
      _ = try ReferenceMoments(contentsOf: Self.folder + "moments-deflated.npz")
    }
    let scratch = try Scratch()
    var writer = ZipWriter()
    writer.add("mu.npy", NumpyArray(shape: [1], values: [0]).bytes)
    writer.add("sigma.npy", NumpyArray(shape: [1, 1], values: [-2]).bytes)
    let negative = try scratch.write("negative.npz", writer.archive)
    expectUserError("negative.npz", "sigma has the variance -2.0 at [0, 0]") {
      _ = try ReferenceMoments(contentsOf: negative)
    }
    let archive = try ZipArchive(Self.folder + "moments-deflated.npz")
    let arrays = try Dictionary(
      archive.entries.map { ($0.name, try NumpyArray(archive.contents(of: $0), place: $0.name)) },
      uniquingKeysWith: { $1 })
    #expect(arrays["mu.npy"] == NumpyArray(shape: [3], values: [0.5, -1, 2]))
    #expect(
      arrays["sigma.npy"]
        == NumpyArray(shape: [3, 3], values: [1, 0.25, 0.5, 0.125, 2, 0.75, 0.5, 0.75, 3]))
  }

  @Test func writtenAndRead() throws {
    let scratch = try Scratch()
    let features = ClassifierTests.pictures([40, 1, 1, 7]).reshaped([40, 7])
    let moments = ReferenceMoments(
      FeatureMoments(features, origin: FeatureMoments.mean(of: features)), name: "a")
    let path = scratch.file("a.npz")
    try moments.write(to: path)
    let again = try ReferenceMoments(contentsOf: path)
    #expect(again.mean == moments.mean && again.covariance == moments.covariance)
    #expect(abs(try FrechetDistance(again, moments).value) < 1e-9)
  }

  /// Of two normal distributions with diagonal covariances: |μ₁ − μ₂|² + Σ (σ₁ − σ₂)².
  @Test func distanceOfDiagonals() throws {
    let scratch = try Scratch()
    func moments(_ mean: [Double], _ deviations: [Double]) throws -> ReferenceMoments {
      var writer = ZipWriter()
      let n = mean.count
      var sigma = [Double](repeating: 0, count: n * n)
      for i in 0..<n { sigma[i * n + i] = deviations[i] * deviations[i] }
      writer.add("mu.npy", NumpyArray(shape: [n], values: mean).bytes)
      writer.add("sigma.npy", NumpyArray(shape: [n, n], values: sigma).bytes)
      return try ReferenceMoments(contentsOf: scratch.write("m.npz", writer.archive))
    }
    let distance = try FrechetDistance(
      moments([1, 2, 3], [1, 2, 0.5]), moments([1, 0, 4], [3, 2, 0]))
    #expect(abs(distance.value - (0 + 4 + 1 + 4 + 0 + 0.25)) < 1e-9)
  }

  @Test func mistakesAreNamed() throws {
    let scratch = try Scratch()
    func read(_ arrays: [(String, NumpyArray)], _ parts: String...) throws {
      var writer = ZipWriter()
      for (name, array) in arrays { writer.add("\(name).npy", array.bytes) }
      let path = try scratch.write("m.npz", writer.archive)
      do {
        _ = try ReferenceMoments(contentsOf: path)
        Issue.record("no error was thrown")
      } catch let error as UserError {
        for part in ["m.npz"] + parts { #expect("\(error)".contains(part), "\(error)") }
      }
    }
    let mu = NumpyArray(shape: [2], values: [0, 1])
    let sigma = NumpyArray(shape: [2, 2], values: [1, 0, 0, 1])
    try read([("mu", mu)], "no array \"sigma\" (it has mu.npy)")
    try read([], "no array \"mu\" (it has none)")
    try read([("mu", mu), ("sigma", mu)], "mu has the shape [2] and sigma [2]")
    try read(
      [("mu", NumpyArray(shape: [2], values: [0, .nan])), ("sigma", sigma)], "mu: number 1 is nan")
    try read(
      [("mu", mu), ("sigma", NumpyArray(shape: [2, 2], values: [1, .infinity, 0, 1]))],
      "sigma: number 1 is inf")
    let moments = try ReferenceMoments(contentsOf: Self.folder + "moments.npz")
    expectUserError("moments.npz", "3 dimensions, pixels gives 64", "--features") {
      try moments.check(dimension: 64, of: "pixels")
    }
  }

  /// Whatever is cut off or changed, there is an error or an array, never a crash.
  @Test func damageIsSeenOrHarmless() throws {
    let bytes = NumpyArray(shape: [2, 3], values: [1, 2, 3, 4, 5, 6]).bytes
    func read(_ bytes: [UInt8]) throws {
      _ = try NumpyArray(FileBytes(MappedFile(copying: bytes, path: "a")), place: "a")
    }
    try read(bytes)
    for end in bytes.indices {
      #expect(throws: UserError.self, "cut at \(end)") { try read(Array(bytes.prefix(end))) }
    }
    for position in bytes.indices {
      for value: UInt8 in [0, 0x20, 0x39, 0x7F, 0xFF] {
        var changed = bytes
        changed[position] = value
        do { try read(changed) } catch is UserError {}
      }
    }
    // As many numbers as no memory has, of no bytes.
    var huge = Array("\u{93}NUMPY".unicodeScalars.map { UInt8($0.value) }) + [1, 0]
    let header = Array(
      "{'descr': '<f8', 'fortran_order': True, 'shape': (4611686018427387905, 2)}".utf8)
    huge += [UInt8(header.count), 0] + header
    #expect(throws: UserError.self) { try read(huge) }
    // No numbers along one axis.
    var empty = Array("\u{93}NUMPY".unicodeScalars.map { UInt8($0.value) }) + [1, 0]
    let none = Array("{'descr': '<f8', 'fortran_order': True, 'shape': (0, 0)}".utf8)
    empty += [UInt8(none.count), 0] + none
    try read(empty)
  }
}
