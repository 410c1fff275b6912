import Foundation
import TensorCore

/// What a classifier is built from.
public struct ClassifierConfiguration: Sendable, Equatable {
  /// Two families that share no layer, so that one can evaluate what was trained against the other.
  public enum Kind: String, Sendable, CaseIterable {
    /// 3×3 convolutions, group norm and SiLU in a row (after Simonyan & Zisserman 2015).
    case plain
    /// Residual blocks (He et al. 2016) with group norm and leaky ReLU.
    case residual
  }

  public var kind: Kind
  /// Height and width of the pictures.
  public var resolution: Int
  public var imageChannels: Int
  public var classes: Int
  /// Channels at full, half and quarter size.
  public var widths: [Int]
  /// Convolutions (plain) or blocks (residual) at each size.
  public var depth: Int
  /// Width of the layer before the classes.
  public var features: Int = 64

  /// A classifier small enough for a few processors.
  public static func small(_ kind: Kind, _ shape: ImageShape, classes: Int) -> Self {
    let widths: [Int]
    switch (kind, shape.height) {
    case (_, ..<16): widths = [8, 16, 32]
    case (.plain, ..<28): widths = [24, 48, 96]
    case (.residual, ..<28): widths = [28, 56, 112]
    case (.plain, _): widths = [16, 32, 64]
    case (.residual, _): widths = [12, 36, 72]
    }
    return ClassifierConfiguration(
      kind: kind, resolution: shape.height, imageChannels: shape.channels, classes: classes,
      widths: widths, depth: kind == .plain ? 2 : 1)
  }
}

extension ClassifierConfiguration {
  /// What one picture measures.
  var imageShape: ImageShape {
    ImageShape(channels: imageChannels, height: resolution, width: resolution)
  }

  /// Reads what `jsonValue` writes.
  ///
  /// - Throws: `UserError` with the key at fault.
  public init(_ reader: JSONReader) throws {
    var fields = Dictionary(try reader.entries(), uniquingKeysWith: { first, _ in first })
    func taken(_ key: String) throws -> JSONReader {
      guard let field = fields.removeValue(forKey: key) else {
        throw UserError("has no \"\(key)\"", at: reader.place, remedy: "add it")
      }
      return field
    }
    func size(_ field: JSONReader) throws -> Int { try field.integer(in: 1...1 << 16) }
    let kinds = Kind.allCases.map(\.rawValue)
    self.init(
      kind: Kind(rawValue: try taken("kind").choice(of: kinds)) ?? .plain,
      resolution: try size(taken("resolution")), imageChannels: try size(taken("image_channels")),
      classes: try size(taken("classes")), widths: try taken("widths").list().map(size),
      depth: try size(taken("depth")), features: try size(taken("features")))
    if let key = fields.keys.sorted().first {
      throw UserError("unknown key \"\(key)\"", at: reader.place, remedy: "remove it")
    }
    try check(at: reader.place)
  }

  /// - Throws: `UserError` if the parts do not fit.
  public func check(at place: String? = nil) throws {
    guard resolution > 0, resolution % 4 == 0 else {
      throw UserError(
        "a classifier of \(resolution)×\(resolution) pictures cannot halve them twice", at: place,
        remedy: "use a multiple of 4")
    }
    guard imageChannels > 0, classes > 0, depth > 0, features > 0, widths.count == 3 else {
      throw UserError(
        "a classifier of no size", at: place, remedy: "give three widths, and sizes above 0")
    }
    for width in widths {
      guard width > 0, width % min(32, max(width / 4, 1)) == 0 else {
        throw UserError(
          "\(width) channels do not divide into groups", at: place,
          remedy: "use a multiple of 4, or of 32 above 128")
      }
    }
  }

  /// The configuration as files keep it.
  public var jsonValue: JSONValue {
    [
      "kind": .string(kind.rawValue), "resolution": .integer(resolution),
      "image_channels": .integer(imageChannels), "classes": .integer(classes),
      "widths": .array(widths.map { .integer($0) }), "depth": .integer(depth),
      "features": .integer(features),
    ]
  }
}
