import TensorCore
import Testing

@testable import DiffusionGAN

@Suite struct PictureGridTests {
  @Test func imagesLieRowByRow() throws {
    let shape = ImageShape(channels: 1, height: 1, width: 2)
    let grid = PictureGrid.picture(of: [1, 2, 3, 4, 5, 6], shape: shape, columns: 2)
    #expect(grid.shape == ImageShape(channels: 1, height: 2, width: 4))
    #expect(grid.planes == [1, 2, 3, 4, 5, 6, 0, 0])
  }

  @Test func channelsStayApart() throws {
    let shape = ImageShape(channels: 3, height: 1, width: 1)
    let grid = PictureGrid.picture(of: [1, 2, 3, 4, 5, 6], shape: shape)
    #expect(grid.shape == ImageShape(channels: 3, height: 1, width: 2))
    #expect(grid.planes == [1, 4, 2, 5, 3, 6])
    #expect(grid.pixels == [1, 2, 3, 4, 5, 6])
  }

  @Test(arguments: [(1, 1), (2, 2), (4, 2), (5, 3), (64, 8), (65, 9)])
  func gridsAreAboutSquare(_ count: Int, _ columns: Int) throws {
    let images = Tensor(zeros: [count, 1, 2, 3])
    let grid = try PictureGrid.picture(of: images, place: "a")
    #expect(grid.shape.width == 3 * columns)
    #expect(grid.shape.height == 2 * ((count + columns - 1) / columns))
  }

  /// (images * 127.5 + 128).clip(0, 255).astype(uint8), as numpy computes it.
  @Test func bytesAreRoundedAsTheReferenceDoes() throws {
    let values: [Float] = [-1.5, -1, -0.999, -0.5, -0.0001, 0, 0.0039, 0.004, 0.5, 0.9999, 1, 1.5]
    #expect(
      try PixelRounding.bytes(of: values, place: "a")
        == [0, 0, 0, 64, 127, 128, 128, 128, 191, 255, 255, 255])
  }

  @Test func everyByteComesBack() throws {
    let all = (0...255).map { UInt8($0) }
    #expect(try PixelRounding.bytes(of: all.map { Float($0) / 127.5 - 1 }, place: "a") == all)
  }

  @Test(arguments: [Float.nan, .infinity, -.infinity, 255]) func noPictures(_ value: Float) {
    expectUserError("fakes: value 2", "−1…1") {
      _ = try PictureGrid.picture(
        of: Tensor([0, 0, value, 0], shape: [1, 1, 2, 2]), place: "fakes")
    }
  }
}
