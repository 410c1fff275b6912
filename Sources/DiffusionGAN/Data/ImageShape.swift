/// What one image measures.
public struct ImageShape: Equatable, Hashable, Sendable, CustomStringConvertible {
  /// 1 for grey, 3 for red, green, blue.
  public let channels: Int
  public let height: Int
  public let width: Int

  public init(channels: Int, height: Int, width: Int) {
    self.channels = channels
    self.height = height
    self.width = width
  }

  /// Values of one image.
  public var count: Int { channels * height * width }

  /// `[channels, height, width]`.
  public var extents: [Int] { [channels, height, width] }

  /// `channels × height × width`.
  public var description: String { "\(channels)×\(height)×\(width)" }
}
