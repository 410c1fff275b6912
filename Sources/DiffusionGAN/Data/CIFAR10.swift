import Foundation
import TensorCore

/// CIFAR-10's binary files: records of one label byte and 3 × 32 × 32 values.
///
/// Source: "Binary version" on the CIFAR-10 page: red, green, blue, each row by row.
enum CIFAR10 {
  static let shape = ImageShape(channels: 3, height: 32, width: 32)
  static let classNames = [
    "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck",
  ]

  /// The files of a split that lie in `folder`, in order.
  static func files(of split: DataSplit, in folder: String) -> [String] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    return names.filter { name in
      name.hasSuffix(".bin")
        && (split == .train ? name.hasPrefix("data_batch_") : name == "test_batch.bin")
    }.sorted().map { "\(folder)/\($0)" }
  }

  /// - Throws: `UserError` for a folder with the data in another form, or CIFAR-100.
  static func refuseOthers(in folder: String) throws {
    let names = Set((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [])
    let found =
      names.contains("data_batch_1")
      ? "CIFAR-10 as Python's pickles" : names.contains("fine_label_names.txt") ? "CIFAR-100" : nil
    guard let found else { return }
    throw UserError(
      "holds \(found)", at: folder,
      remedy: "give CIFAR-10's binary version (data_batch_1.bin and so on), or PNG files")
  }

  /// Reads a split of `folder`, all of it.
  static func read(_ folder: String, split: DataSplit, name: String) throws -> ImageDataset {
    let paths = files(of: split, in: folder)
    if split == .train,
      let missing = (1...5).map({ "\(folder)/data_batch_\($0).bin" })
        .first(where: { !paths.contains($0) })
    {
      throw UserError(
        "is missing, and is a part of CIFAR-10's training images", at: missing,
        remedy: "copy it there; to take one part alone, give its file")
    }
    return try read(paths, name: name)
  }

  /// Reads records from `paths`, one file after the other.
  static func read(_ paths: [String], name: String) throws -> ImageDataset {
    let recordSize = 1 + shape.count
    var pixels: [UInt8] = []
    var labels: [Int] = []
    for path in paths {
      let file = try MappedFile(path)
      guard file.bytes.count % recordSize == 0 else {
        throw UserError(
          "has \(file.bytes.count) bytes, no multiple of the \(recordSize) of a CIFAR-10 record",
          at: path, remedy: "download or copy the file again")
      }
      pixels.reserveCapacity(pixels.count + file.bytes.count)
      for start in stride(from: 0, to: file.bytes.count, by: recordSize) {
        let label = Int(file.bytes[start])
        guard label < classNames.count else {
          throw UserError(
            "label \(label) of record \(start / recordSize) is out of range", at: path,
            remedy: "labels are 0 to 9; check that these are CIFAR-10's binary files")
        }
        labels.append(label)
        pixels += file.bytes[start + 1..<start + recordSize]
      }
    }
    return try ImageDataset(
      name: name, shape: shape, pixels: pixels, labels: labels, classCount: classNames.count,
      classNames: classNames)
  }
}
