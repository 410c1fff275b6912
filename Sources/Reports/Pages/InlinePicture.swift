import Foundation

/// A picture of pixels that lies in the page itself, such as a grid of samples.
public struct InlinePicture: Sendable {
  /// The bytes of a PNG file.
  public var png: Data
  public var caption: String
  /// Width on the page in pixels; pixels of the picture stay sharp squares.
  public var width: Int

  public init(png: Data, caption: String, width: Int) {
    self.png = png
    self.caption = caption
    self.width = width
  }

  var markup: Markup {
    let attributes = [
      (name: "src", value: "data:image/png;base64," + png.base64EncodedString()),
      (name: "alt", value: caption), (name: "width", value: String(width)),
      (name: "style", value: "image-rendering: pixelated; max-width: 100%"),
    ]
    return .element(
      "figure", [:],
      [
        .element("img", attributes: attributes, []),
        .element("figcaption", [:], inline(caption)),
      ])
  }
}
