import TensorCore

/// The features of many pictures, a few pictures at a time.
public struct ImageFeatures: Sendable {
  /// `[pictures, dimension]`.
  public let vectors: Tensor
  /// The likeliest class of each picture, where the network is a classifier.
  public let labels: [Int]?

  /// Pictures at a time: what a network for 299×299 pictures holds of them stays below a gigabyte.
  private static let batch = 16

  /// Looks at all pictures of `data`.
  ///
  /// - Parameters:
  ///   - pool: threads; the result does not depend on their number.
  ///   - watch: told the number of pictures done after each batch; may throw to stop.
  /// - Throws: `UserError` for pictures of another shape than the network's, and for features that are
  ///   not finite.
  public init(
    of data: ImageDataset, by network: any FeatureNetwork, pool: ThreadPool = Compute.pool,
    watch: (Int) throws -> Void = { _ in }
  ) throws {
    try network.check(data.shape)
    var values: [Float] = []
    var labels: [Int]? = network.classCount > 0 ? [] : nil
    for start in stride(from: 0, to: data.count, by: Self.batch) {
      let end = min(start + Self.batch, data.count)
      let found = Compute.$pool.withValue(pool) {
        network.described(data.tensor(at: start..<end))
      }
      guard found.vectors.isFinite else {
        throw UserError(
          "features of pictures \(start) to \(end - 1) are not finite", at: network.name,
          remedy: "check the weights")
      }
      values += found.vectors.values
      labels? += found.labels ?? []
      try watch(end)
    }
    vectors = Tensor(values, shape: [data.count, values.count / data.count])
    self.labels = labels
  }
}
