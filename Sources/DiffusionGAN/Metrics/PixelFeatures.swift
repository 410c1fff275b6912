import TensorCore

/// The pixels themselves as features: what needs no network to measure images by.
public struct PixelFeatures: FeatureNetwork {
  public static let name = "pixels"

  public var name: String { Self.name }

  public init() {}

  public func maps(_ pictures: Tensor) -> [Tensor] { [pictures] }

  public func vectors(_ pictures: Tensor) -> Tensor { pictures.reshaped([pictures.shape[0], -1]) }

  /// Pictures of any shape.
  public func check(_ shape: ImageShape) {}
}
