/// Images that are the same in every byte.
public enum Duplicates {
  /// The share of images that equal one before them.
  public static func share(in data: ImageDataset) -> Double {
    var seen = SeenImages()
    let duplicates = (0..<data.count).count { !seen.insert($0, of: data) }
    return Double(duplicates) / Double(data.count)
  }

  /// The share of `images` that equal any image of `reference`.
  ///
  /// - Precondition: images of one shape.
  public static func share(of images: ImageDataset, in reference: ImageDataset) -> Double {
    precondition(images.shape == reference.shape)
    var seen = SeenImages()
    for index in 0..<reference.count { _ = seen.insert(index, of: reference) }
    let copies = (0..<images.count).count { seen.contains($0, of: images) }
    return Double(copies) / Double(images.count)
  }
}

/// A set of images; each is a part of its dataset's bytes, not a copy.
private struct SeenImages {
  private var images: Set<ImageBytes> = []

  /// Whether the image is new.
  mutating func insert(_ index: Int, of data: ImageDataset) -> Bool {
    images.insert(ImageBytes(bytes: data.pixels[data.range(of: index)])).inserted
  }

  func contains(_ index: Int, of data: ImageDataset) -> Bool {
    images.contains(ImageBytes(bytes: data.pixels[data.range(of: index)]))
  }
}

/// Bytes that are hashed in one piece, which a slice does one by one.
private struct ImageBytes: Hashable {
  let bytes: ArraySlice<UInt8>

  func hash(into hasher: inout Hasher) {
    bytes.withUnsafeBytes { hasher.combine(bytes: $0) }
  }
}
