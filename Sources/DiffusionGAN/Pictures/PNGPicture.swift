import CPNG
import Foundation
import TensorCore

/// One picture as a PNG file keeps it: grey or red, green, blue, 8 bits a value.
public struct PNGPicture: Equatable, Sendable {
  public let shape: ImageShape
  /// `[height, width, channels]`: the channels of a pixel lie together.
  public let pixels: [UInt8]

  /// Most pixels on a side that are read.
  private static let mostPixels: UInt32 = 16_384

  /// The chunk that ends every PNG file; libpng does without it once it has all pixels.
  private static let lastChunk = Data([
    0, 0, 0, 0, 0x49, 0x45, 0x4E, 0x44, 0xAE, 0x42, 0x60, 0x82,
  ])

  /// A picture from its channels, one plane after the other.
  ///
  /// - Parameter planes: `[channels, height, width]`.
  /// - Precondition: 1 or 3 channels; `planes` fits `shape`.
  public init(shape: ImageShape, planes: some RandomAccessCollection<UInt8>) {
    precondition([1, 3].contains(shape.channels), "\(shape.channels) channels in a picture")
    precondition(planes.count == shape.count, "\(planes.count) values for \(shape)")
    self.shape = shape
    let area = shape.height * shape.width
    let source = Array(planes)
    pixels = (0..<source.count).map { i in
      source[i % shape.channels * area + i / shape.channels]
    }
  }

  /// `[channels, height, width]`.
  public var planes: [UInt8] {
    guard shape.channels > 1 else { return pixels }
    let area = shape.height * shape.width
    return (0..<pixels.count).map { i in pixels[i % area * shape.channels + i / area] }
  }

  /// Decodes a PNG file.
  ///
  /// - Parameters:
  ///   - place: the file, for messages.
  ///   - expected: the shape it must have; checked before anything is decoded.
  /// - Throws: `UserError` for what is no PNG file, is damaged, has transparency or 16 bits, or
  ///   differs in shape.
  ///   Values are those that the file stores: what it says of colour spaces changes none.
  public init(_ data: Data, place: String, expecting expected: ImageShape? = nil) throws {
    let data = PNGChunks.withoutColourSpaces(data)
    var image = png_image()
    image.version = UInt32(PNG_IMAGE_VERSION)
    defer { png_image_free(&image) }
    let decoded: (shape: ImageShape, pixels: [UInt8]) = try data.withUnsafeBytes { bytes in
      guard bytes.starts(with: [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]) else {
        throw UserError("is not a PNG file", at: place, remedy: "convert it to PNG or remove it")
      }
      guard png_image_begin_read_from_memory(&image, bytes.baseAddress, bytes.count) != 0 else {
        throw Self.damaged(image, place)
      }
      guard data.range(of: Self.lastChunk, options: .backwards) != nil else {
        throw UserError(
          "is damaged: its end is missing", at: place,
          remedy: "download or make the picture again")
      }
      guard image.width <= Self.mostPixels, image.height <= Self.mostPixels else {
        throw UserError(
          "is \(image.height)×\(image.width), too large", at: place,
          remedy: "at most \(Self.mostPixels) pixels a side can be read")
      }
      let isColour = image.format & PNG_FORMAT_FLAG_COLOR != 0
      let shape = ImageShape(
        channels: isColour ? 3 : 1, height: Int(image.height), width: Int(image.width))
      if let expected, expected != shape {
        throw UserError(
          "is \(shape) where the images before it are \(expected)", at: place,
          remedy: "make all images the same size and colour, or remove it")
      }
      guard image.format & (PNG_FORMAT_FLAG_ALPHA | PNG_FORMAT_FLAG_LINEAR) == 0 else {
        let what = image.format & PNG_FORMAT_FLAG_ALPHA != 0 ? "is transparent" : "has 16 bits"
        throw UserError(
          "\(what), readable are grey and RGB pictures of 8 bits", at: place,
          remedy: "convert it")
      }
      image.format = isColour ? PNG_FORMAT_FLAG_COLOR : 0
      var pixels = [UInt8](repeating: 0, count: shape.count)
      guard png_image_finish_read(&image, nil, &pixels, 0, nil) != 0 else {
        throw Self.damaged(image, place)
      }
      return (shape, pixels)
    }
    (shape, pixels) = decoded
  }

  /// The picture as the bytes of a PNG file.
  ///
  /// - Parameter place: where it is to go, for messages.
  public func encoded(place: String) throws -> Data {
    var image = png_image()
    image.version = UInt32(PNG_IMAGE_VERSION)
    image.width = UInt32(shape.width)
    image.height = UInt32(shape.height)
    image.format = shape.channels == 3 ? PNG_FORMAT_FLAG_COLOR : 0
    defer { png_image_free(&image) }
    // Never more than this: the pixels, a filter byte a row, and what the format adds.
    var size = pixels.count + pixels.count / 100 + 8 * shape.height + 4096
    var bytes = [UInt8](repeating: 0, count: size)
    guard png_image_write_to_memory(&image, &bytes, &size, 0, pixels, 0, nil) != 0 else {
      throw UserError(
        "the picture cannot be encoded: \(Self.message(image))", at: place,
        remedy: "make it smaller")
    }
    return Data(bytes.prefix(size))
  }

  /// Writes the picture in one piece, so that the file is never half-written.
  public func write(to path: String) throws {
    try Files.write(encoded(place: path), to: path)
  }

  private static func damaged(_ image: png_image, _ place: String) -> UserError {
    UserError(
      "is damaged: \(message(image))", at: place, remedy: "download or make the picture again")
  }

  private static func message(_ image: png_image) -> String {
    withUnsafeBytes(of: image.message) { bytes in
      String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }
  }
}
