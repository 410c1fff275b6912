import TensorCore

/// The features of many pictures, a few pictures at a time.
public struct ImageFeatures: Sendable {
  /// `[pictures, dimension]`.
  public let vectors: Tensor
  /// The likeliest class of each picture, where the network is a classifier.
  public let labels: [Int]?

  /// Pictures at a time: what a network for 299×299 pictures holds of them stays below a gigabyte.
  private static let batch = 16

  /// Looks at all pictures of `data`, on the threads of `Compute.pool`.
  ///
  /// - Parameter watch: told the number of pictures done after each batch; may throw to stop.
  /// - Throws: `UserError` for pictures of another shape than the network's, and for features that are
  ///   not finite.
  public init(
    of data: ImageDataset, by network: any FeatureNetwork,
    watch: (Int) throws -> Void = { _ in }
  ) throws {
    try network.check(data.shape)
    let classifier = network as? any LabellingNetwork
    var values: [Float] = []
    var labels: [Int] = []
    for start in stride(from: 0, to: data.count, by: Self.batch) {
      let end = min(start + Self.batch, data.count)
      let pictures = data.tensor(at: start..<end)
      let vectors: Tensor
      if let classifier {
        let described = classifier.described(pictures)
        vectors = described.vectors
        labels += described.labels
      } else {
        vectors = network.vectors(pictures)
      }
      guard vectors.isFinite else {
        throw UserError(
          "features of pictures \(start) to \(end - 1) are not finite", at: network.name,
          remedy: "check the weights")
      }
      values += vectors.values
      try watch(end)
    }
    vectors = Tensor(values, shape: [data.count, values.count / data.count])
    self.labels = classifier == nil ? nil : labels
  }
}
