import TensorCore

/// Many images of one shape in one picture, row by row without gaps, as EDM's sample grids.
public enum PictureGrid {
  /// A grid of images in −1…1.
  ///
  /// - Parameters:
  ///   - images: `[n, channels, height, width]`, 1 or 3 channels.
  ///   - columns: images in a row; nil for a grid that is about square.
  /// - Throws: `UserError` for values that are not finite or cannot be in −1…1.
  public static func picture(
    of images: Tensor, columns: Int? = nil, place: String
  ) throws -> PNGPicture {
    precondition(images.shape.count == 4 && images.count > 0, "a grid of \(images.shape)")
    let shape = ImageShape(
      channels: images.shape[1], height: images.shape[2], width: images.shape[3])
    return picture(
      of: try PixelRounding.bytes(of: images, place: place), shape: shape, columns: columns)
  }

  /// A grid of images as bytes.
  ///
  /// - Parameters:
  ///   - pixels: `[n, channels, height, width]`; `shape` is that of one image.
  ///   - columns: images in a row; nil for a grid that is about square.
  public static func picture(
    of pixels: [UInt8], shape: ImageShape, columns: Int? = nil
  ) -> PNGPicture {
    let count = pixels.count / shape.count
    precondition(count > 0 && pixels.count % shape.count == 0, "a grid of no whole images")
    let columns = min(max(columns ?? squareColumns(count), 1), count)
    let rows = (count + columns - 1) / columns
    let whole = ImageShape(
      channels: shape.channels, height: rows * shape.height, width: columns * shape.width)
    var planes = [UInt8](repeating: 0, count: whole.count)
    for image in 0..<count {
      let (top, left) = (image / columns * shape.height, image % columns * shape.width)
      for channel in 0..<shape.channels {
        for row in 0..<shape.height {
          let source = ((image * shape.channels + channel) * shape.height + row) * shape.width
          let target = (channel * whole.height + top + row) * whole.width + left
          planes.replaceSubrange(
            target..<target + shape.width, with: pixels[source..<source + shape.width])
        }
      }
    }
    return PNGPicture(shape: whole, planes: planes)
  }

  /// Pictures of one size from left to right, white between them.
  ///
  /// - Parameter gap: width of the white, in pixels.
  public static func row(_ pictures: [PNGPicture], gap: Int) -> PNGPicture {
    let shape = pictures[0].shape
    precondition(pictures.allSatisfy { $0.shape == shape }, "a row of pictures of several sizes")
    let planes = pictures.map(\.planes)
    var whole: [UInt8] = []
    for line in 0..<shape.channels * shape.height {
      for (place, plane) in planes.enumerated() {
        if place > 0 { whole += repeatElement(255, count: gap) }
        whole += plane[line * shape.width..<(line + 1) * shape.width]
      }
    }
    return PNGPicture(
      shape: ImageShape(
        channels: shape.channels, height: shape.height,
        width: pictures.count * (shape.width + gap) - gap), planes: whole)
  }

  /// The smallest number of columns that is not below the number of rows.
  private static func squareColumns(_ count: Int) -> Int {
    var columns = 1
    while columns * columns < count { columns += 1 }
    return columns
  }
}
