import Foundation
import TensorCore
import Testing

@testable import DiffusionGAN

@Suite struct PNGPictureTests {
  static let grey = ImageShape(channels: 1, height: 3, width: 5)
  static let colour = ImageShape(channels: 3, height: 4, width: 2)

  static func planes(_ shape: ImageShape) -> [UInt8] {
    (0..<shape.count).map { UInt8($0 * 37 % 256) }
  }

  @Test(arguments: [grey, colour]) func roundTrip(_ shape: ImageShape) throws {
    let picture = PNGPicture(shape: shape, planes: Self.planes(shape))
    #expect(picture.planes == Self.planes(shape))
    let scratch = try Scratch()
    try picture.write(to: scratch.file("a.png"))
    let read = try PNGPicture(
      Data(contentsOf: URL(fileURLWithPath: scratch.file("a.png"))), place: "a.png")
    #expect(read == picture)
    #expect(try FileManager.default.contentsOfDirectory(atPath: scratch.path) == ["a.png"])
  }

  /// Noise does not compress: the room set aside for the file must do.
  @Test(arguments: [1, 200]) func noiseFitsItsBuffer(_ width: Int) throws {
    let shape = ImageShape(channels: 3, height: 300, width: width)
    var stream = RandomStream(seed: 1)
    let noise = (0..<shape.count).map { _ in UInt8(stream.integer(below: 256)) }
    let picture = PNGPicture(shape: shape, planes: noise)
    #expect(try PNGPicture(picture.encoded(place: "a"), place: "a") == picture)
  }

  /// 2×2 pixels red, green / blue, white, written by another program.
  @Test func pixelsLieWhereOthersPutThem() throws {
    let bytes = try #require(
      Data(
        base64Encoded: "iVBORw0KGgoAAAANSUhEUgAAAAIAAAACCAIAAAD91JpzAAAAFklEQVR4nGP4z8DA"
          + "8J+BkYHh////DAAe9gT9Ce00PgAAAABJRU5ErkJggg=="))
    let picture = try PNGPicture(bytes, place: "a.png")
    #expect(picture.shape == ImageShape(channels: 3, height: 2, width: 2))
    #expect(picture.planes == [255, 0, 0, 255, 0, 255, 0, 255, 0, 0, 255, 255])
  }

  @Test func badFilesAreAnswered() throws {
    let good = try PNGPicture(shape: Self.grey, planes: Self.planes(Self.grey)).encoded(place: "a")
    expectUserError("a.png: is not a PNG file") {
      _ = try PNGPicture(Data("<html>".utf8), place: "a.png")
    }
    expectUserError("a.png: is not a PNG file") { _ = try PNGPicture(Data(), place: "a.png") }
    for end in [9, 30, good.count - 20, good.count - 1] {
      expectUserError("a.png: is damaged") {
        _ = try PNGPicture(good.prefix(end), place: "a.png")
      }
    }
    // A byte of the compressed pixels: the chunk's checksum sees it.
    var flipped = good
    let pixels = try #require(good.range(of: Data("IDAT".utf8))).upperBound
    flipped[pixels + 6] ^= 0x10
    expectUserError("a.png: is damaged") { _ = try PNGPicture(flipped, place: "a.png") }
    expectUserError("is 1×3×5 where the images before it are 3×4×2") {
      _ = try PNGPicture(good, place: "a.png", expecting: Self.colour)
    }
  }

  @Test func transparentAndDeepPicturesAreRefused() throws {
    for (text, problem) in [
      (
        "iVBORw0KGgoAAAANSUhEUgAAAAIAAAACCAYAAABytg0kAAAAGklEQVR4nGP8z8DA"
          + "yfifgYGFkeE/w38GBgYAJ7QEDY3ZBOIAAAAASUVORK5CYII=", "is transparent"
      ),
      (
        "iVBORw0KGgoAAAANSUhEUgAAAAIAAAABEAAAAACB2fwVAAAADUlEQVR4nGNkYHwV"
          + "DwACQAFMBSEHywAAAABJRU5ErkJggg==", "has 16 bits"
      ),
    ] {
      let bytes = try #require(Data(base64Encoded: text))
      expectUserError("a.png: \(problem)") { _ = try PNGPicture(bytes, place: "a.png") }
    }
  }

  /// Width and height of 100,000 in a file of a few bytes.
  @Test func hugeClaimsAreRefused() throws {
    let bytes = try #require(
      Data(
        base64Encoded: "iVBORw0KGgoAAAANSUhEUgABhqAAAYagCAAAAACNOVQUAAAAC0lEQVR4nDMwgAEA"
          + "CloB4eLk2wMAAAAASUVORK5CYII="))
    expectUserError("a.png: is 100000×100000, too large") {
      _ = try PNGPicture(bytes, place: "a.png")
    }
  }
}
