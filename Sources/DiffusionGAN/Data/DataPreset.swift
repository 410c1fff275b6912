import TensorCore

/// Named settings for data: which size the networks see, and how the images get there.
public enum DataPreset: String, CaseIterable, Sendable {
  /// Fashion-MNIST as it is.
  case fashion28
  /// Padded to 32×32, squares averaged once.
  case fashion16
  /// Padded to 32×32, squares averaged twice: 8×8, for trying things out.
  case test
  case cifar10
  case ffhq64
  case imagenet64

  /// Shape of the prepared images.
  public var shape: ImageShape {
    switch self {
    case .fashion28: ImageShape(channels: 1, height: 28, width: 28)
    case .fashion16: ImageShape(channels: 1, height: 16, width: 16)
    case .test: ImageShape(channels: 1, height: 8, width: 8)
    case .cifar10: ImageShape(channels: 3, height: 32, width: 32)
    case .ffhq64, .imagenet64: ImageShape(channels: 3, height: 64, width: 64)
    }
  }

  public var preparations: [Preparation] {
    switch self {
    case .fashion16: [.pad(height: 32, width: 32), .averageSquares]
    case .test: [.pad(height: 32, width: 32), .averageSquares, .averageSquares]
    case .fashion28, .cifar10, .ffhq64, .imagenet64: []
    }
  }

  /// The preset called `name`.
  public init(named name: String) throws {
    guard let preset = Self(rawValue: name) else {
      let known = Self.allCases.map(\.rawValue).joined(separator: ", ")
      throw UserError(
        "unknown preset '\(name)'", remedy: "choose one of \(known)", status: .usage)
    }
    self = preset
  }

  /// The preset whose images have this shape.
  ///
  /// - Throws: `UserError` if there is none.
  public init(of shape: ImageShape) throws {
    guard let preset = Self.allCases.first(where: { $0.shape == shape }) else {
      throw UserError(
        "no preset has images of \(shape)", remedy: "name one with --preset", status: .usage)
    }
    self = preset
  }

  /// `data`, prepared; data that have the preset's shape already are left as they are.
  public func prepare(_ data: ImageDataset) throws -> ImageDataset {
    guard data.shape != shape else { return data }
    let prepared = try data.prepared(by: preparations)
    guard prepared.shape == shape else {
      throw UserError(
        "images are \(data.shape), the preset \(rawValue) needs \(shape)", at: data.name,
        remedy: "choose other data or another preset")
    }
    return prepared
  }
}
