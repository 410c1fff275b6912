import TensorCore

/// Images of one shape, one byte a value, with or without labels.
public struct ImageDataset: Sendable {
  /// What the data are called in messages and names of runs.
  public let name: String
  /// Number of images.
  public let count: Int
  public let shape: ImageShape
  /// `[count, channels, height, width]`, the last axis varying fastest; 0 is black, 255 is white.
  public let pixels: [UInt8]
  /// Class of each image in `0..<classCount`; nil for data without labels.
  public let labels: [Int]?
  /// Number of classes; 0 for data without labels.
  public let classCount: Int
  /// What the classes are called; empty where nobody knows.
  public let classNames: [String]

  /// Most classes that labels alone can claim: a wrong file must not cost memory.
  private static let mostClasses = 65_536

  /// - Parameter classCount: number of classes where it is known; else one more than the largest
  ///   label.
  /// - Throws: `UserError` for labels that do not fit the images or the classes.
  /// - Precondition: `pixels` holds whole images, and one at least.
  public init(
    name: String, shape: ImageShape, pixels: [UInt8], labels: [Int]? = nil,
    classCount: Int? = nil, classNames: [String] = []
  ) throws {
    precondition(!pixels.isEmpty && pixels.count % shape.count == 0, "\(name): no whole images")
    let count = pixels.count / shape.count
    if let labels {
      guard labels.count == count else {
        throw UserError(
          "\(labels.count) labels for \(count) images", at: name,
          remedy: "give every image one label")
      }
      let known = classCount ?? (classNames.isEmpty ? nil : classNames.count)
      let classes = known ?? min(labels.max() ?? 0, Self.mostClasses - 1) + 1
      if let index = labels.firstIndex(where: { $0 < 0 || $0 >= classes }) {
        throw UserError(
          "label \(labels[index]) of image \(index) is out of range", at: name,
          remedy: "labels are 0 to \((known ?? Self.mostClasses) - 1)")
      }
      self.classCount = classes
    } else {
      self.classCount = 0
    }
    self.name = name
    self.count = count
    self.shape = shape
    self.pixels = pixels
    self.labels = labels
    self.classNames = classNames
  }

  /// Positions in `pixels` of image `index`.
  public func range(of index: Int) -> Range<Int> {
    index * shape.count..<(index + 1) * shape.count
  }

  /// The images at `indices`, in that order, with their labels.
  ///
  /// - Precondition: at least one index, all in `0..<count`.
  public func subset(_ indices: some Collection<Int>) throws -> ImageDataset {
    var chosen: [UInt8] = []
    chosen.reserveCapacity(indices.count * shape.count)
    for index in indices { chosen += pixels[range(of: index)] }
    return try ImageDataset(
      name: name, shape: shape, pixels: chosen,
      labels: labels.map { labels in indices.map { labels[$0] } },
      classCount: labels == nil ? nil : classCount, classNames: classNames)
  }

  /// SHA-256 of shape, pixels and labels: says which data these are, whatever they are called.
  public var sha256: String {
    var hash = SHA256()
    let numbers = [count, shape.channels, shape.height, shape.width, classCount] + (labels ?? [])
    numbers.map { Int64($0).littleEndian }.withUnsafeBytes { hash.update($0) }
    pixels.withUnsafeBytes { hash.update($0) }
    return hash.finalize()
  }

  /// How many images each class has; empty for data without labels.
  public var classSizes: [Int] {
    (labels ?? []).reduce(into: [Int](repeating: 0, count: classCount)) { $0[$1] += 1 }
  }
}
