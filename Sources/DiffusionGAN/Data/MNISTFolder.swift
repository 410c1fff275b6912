import Foundation
import TensorCore

/// A folder of four IDX files as MNIST, Fashion-MNIST and their like are published.
enum MNISTFolder {
  /// Where Debian's `dataset-fashion-mnist` puts them.
  private static let debianFolder = "/usr/share/datasets/fashion-mnist"

  /// Source: the table of labels in Fashion-MNIST's README.
  private static let fashionClasses = [
    "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag",
    "Ankle boot",
  ]

  /// Whether `folder` holds files of that kind.
  static func isOne(_ folder: String) -> Bool {
    DataSplit.allCases.contains { file("images-idx3", of: $0, in: folder) != nil }
  }

  /// One split of Debian's Fashion-MNIST.
  static func fashion(_ split: DataSplit, name: String) throws -> ImageDataset {
    try read(debianFolder, split: split, name: name, classNames: fashionClasses)
  }

  /// Reads one split.
  ///
  /// - Returns: grey images with labels.
  static func read(
    _ folder: String, split: DataSplit, name: String, classNames: [String]
  ) throws -> ImageDataset {
    let imagePath = try existing("images-idx3", of: split, in: folder)
    let labelPath = try existing("labels-idx1", of: split, in: folder)
    let images = try IDXFile(imagePath, dimensions: 3)
    let labels = try IDXFile(labelPath, dimensions: 1)
    guard labels.extents[0] == images.extents[0] else {
      throw UserError(
        "holds \(labels.extents[0]) labels for the \(images.extents[0]) images of \(imagePath)",
        at: labelPath, remedy: "use the two files that belong together")
    }
    return try ImageDataset(
      name: name,
      shape: ImageShape(channels: 1, height: images.extents[1], width: images.extents[2]),
      pixels: images.values, labels: labels.values.map(Int.init),
      classCount: classNames.isEmpty ? nil : classNames.count, classNames: classNames)
  }

  private static func existing(
    _ kind: String, of split: DataSplit, in folder: String
  ) throws -> String {
    guard let path = file(kind, of: split, in: folder) else {
      let remedy =
        folder == debianFolder ? "run: apt-get install dataset-fashion-mnist" : "add the file"
      throw UserError("has no \(stem(kind, split))[.gz]", at: folder, remedy: remedy)
    }
    return path
  }

  private static func file(_ kind: String, of split: DataSplit, in folder: String) -> String? {
    // Some programs unpack `train-images-idx3-ubyte.gz` to `train-images.idx3-ubyte`.
    let stem = stem(kind, split)
    return [stem, stem.replacing("-idx", with: ".idx")].flatMap { ["\($0)", "\($0).gz"] }
      .map { "\(folder)/\($0)" }.first { FileManager.default.fileExists(atPath: $0) }
  }

  private static func stem(_ kind: String, _ split: DataSplit) -> String {
    "\(split == .train ? "train" : "t10k")-\(kind)-ubyte"
  }
}
