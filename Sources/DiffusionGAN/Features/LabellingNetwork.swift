import TensorCore

/// A feature network that also tells which class a picture belongs to.
public protocol LabellingNetwork: FeatureNetwork {
  var classCount: Int { get }

  /// The `vectors` of pictures and the likeliest class of each, in one pass.
  func described(_ pictures: Tensor) -> (vectors: Tensor, labels: [Int])
}

extension LabellingNetwork {
  /// The likeliest class of each picture.
  public func labels(_ pictures: Tensor) -> [Int] { described(pictures).labels }
}
