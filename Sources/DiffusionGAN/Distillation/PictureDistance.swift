import TensorCore

/// How far a student's pictures are from those that they should be.
public struct PictureDistance: Sendable {
  /// What is made of the differences of pixels.
  public enum Pixels: String, Sendable, CaseIterable {
    /// The mean square.
    case squared
    /// `√(‖d‖² + c²) − c` with `c = 0.00054 √pixels` (Song & Dhariwal 2023, section 3.3).
    case huber
  }

  public var pixels: Pixels = .squared
  /// Compared too, in all its maps.
  public var features: (any FeatureNetwork)?
  /// What the features' mean squares count beside the pixels.
  public var featureWeight: Float = 0.1

  /// The distance of each pair, `[batch, 1, 1, 1]`; both are `[batch, channels, height, width]`.
  public func callAsFunction(_ a: Tensor, _ b: Tensor) -> Tensor {
    precondition(a.shape == b.shape, "distance of pictures of shapes \(a.shape) and \(b.shape)")
    var distance: Tensor
    switch pixels {
    case .squared: distance = Self.meanSquare(a, b)
    case .huber:
      let constant = 0.00054 * Float(a.count / max(a.shape[0], 1)).squareRoot()
      let squares = (a - b).squared().sum(over: [1, 2, 3])
      distance = (squares + constant * constant).squareRoot() - constant
    }
    if let features {
      let maps = zip(features.maps(a), features.maps(b)).map { Self.meanSquare($0, $1) }
      for map in maps { distance = distance + map * (featureWeight / Float(maps.count)) }
    }
    return distance
  }

  private static func meanSquare(_ a: Tensor, _ b: Tensor) -> Tensor {
    (a - b).squared().mean(over: [1, 2, 3])
  }
}
