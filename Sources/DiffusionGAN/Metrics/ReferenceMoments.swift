import Foundation
import TensorCore

/// Mean and covariance of a data set's features, as EDM's `fid.py ref` and others publish them: a
/// `.npz` with `mu`, `[dimension]`, and `sigma`, `[dimension, dimension]`.
public struct ReferenceMoments: Sendable {
  /// What reports call them.
  public let name: String
  public let mean: [Double]
  /// Both triangles.
  public let covariance: [Double]

  public var dimension: Int { mean.count }

  /// Largest difference of the covariance's two triangles, as a share of its largest number.
  private static let asymmetry = 1e-5

  /// - Parameter dividesByCount: whether sums of squares are divided by the number of rows, n, in
  ///   place of n − 1.
  /// - Precondition: two rows at least.
  public init(_ moments: FeatureMoments, name: String, dividesByCount: Bool = false) {
    self.name = name
    mean = moments.mean
    let n = Double(moments.count)
    covariance =
      dividesByCount ? moments.covariance.map { $0 * (n - 1) / n } : moments.covariance
  }

  /// Reads a `.npz`, stored or deflated.
  ///
  /// - Throws: `UserError` for a file without such arrays, for shapes that do not fit, and for
  ///   numbers that are not finite or no covariance.
  public init(contentsOf path: String) throws { try self.init(MappedFile(path)) }

  init(_ file: MappedFile) throws {
    let path = file.path
    let archive = try ZipArchive(file)
    func array(_ key: String) throws -> NumpyArray {
      guard let entry = archive.entries.first(where: { $0.name == "\(key).npy" }) else {
        let found = archive.entries.prefix(5).map(\.name).joined(separator: ", ")
        throw UserError(
          "has no array \"\(key)\" (it has \(found.isEmpty ? "none" : found))", at: path,
          remedy: "give statistics with mu and sigma, as fid.py ref writes them")
      }
      let place = "\(path), \(key)"
      let array = try NumpyArray(archive.contents(of: entry), place: place)
      if let index = array.values.firstIndex(where: { !$0.isFinite }) {
        throw UserError(
          "number \(index) is \(array.values[index])", at: place,
          remedy: "make the statistics again, from features that are finite")
      }
      return array
    }
    let (mu, sigma) = (try array("mu"), try array("sigma"))
    guard mu.shape.count == 1, mu.values.count > 0,
      sigma.shape == [mu.values.count, mu.values.count]
    else {
      throw UserError(
        "mu has the shape \(mu.shape) and sigma \(sigma.shape)", at: path,
        remedy: "they must be [dimension] and [dimension, dimension]")
    }
    let n = mu.values.count
    let largest = sigma.values.reduce(0) { max($0, abs($1)) }
    for i in 0..<n {
      guard sigma.values[i * n + i] >= 0 else {
        throw UserError(
          "sigma has the variance \(sigma.values[i * n + i]) at [\(i), \(i)]", at: path,
          remedy: "give a covariance")
      }
      for j in 0..<i
      where abs(sigma.values[i * n + j] - sigma.values[j * n + i]) > Self.asymmetry * largest {
        throw UserError(
          "sigma is not symmetric: [\(i), \(j)] is \(sigma.values[i * n + j]), [\(j), \(i)] is "
            + "\(sigma.values[j * n + i])", at: path, remedy: "give a covariance")
      }
    }
    name = path
    (mean, covariance) = (mu.values, sigma.values)
  }

  /// Writes a `.npz`, whole or not at all.
  public func write(to path: String) throws {
    var writer = ZipWriter()
    writer.add("mu.npy", NumpyArray(shape: [dimension], values: mean).bytes)
    writer.add("sigma.npy", NumpyArray(shape: [dimension, dimension], values: covariance).bytes)
    try Files.write(Data(writer.archive), to: path)
  }

  /// - Throws: `UserError` for features of another dimension.
  public func check(dimension other: Int, of network: String) throws {
    guard other == dimension else {
      throw UserError(
        "describes features of \(dimension) dimensions, \(network) gives \(other)", at: name,
        remedy: "give --features the network that the statistics were made with")
    }
  }
}
