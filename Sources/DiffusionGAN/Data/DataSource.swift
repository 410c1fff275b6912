import Foundation
import TensorCore

/// Which part of the data: what a model learns from, or what it never sees.
public enum DataSplit: String, CaseIterable, Sendable {
  case train
  case test
}

/// Where data lie and how they are kept there.
public enum DataSource: Equatable, Sendable {
  /// Debian's package `dataset-fashion-mnist`.
  case fashionMNIST
  /// Three of its images as the channels of one, 1,000 combined classes.
  case stackedFashionMNIST
  /// A folder of IDX files, named as MNIST's.
  case idxFolder(String)
  /// A folder with CIFAR-10's `data_batch_*.bin` and `test_batch.bin`.
  case cifarFolder(String)
  /// One file of CIFAR-10 records.
  case cifarFile(String)
  /// A folder of PNG files.
  case pngFolder(String)
  /// A zip archive of PNG files.
  case zip(String)
  case safetensors(String)

  static let stackedName = "stacked-fashion-mnist"

  /// Reads `fashion-mnist`, `stacked-fashion-mnist` or a path; what a path holds is told by its ending or its files.
  public init(_ specification: String) throws {
    if specification == "fashion-mnist" {
      self = .fashionMNIST
      return
    }
    if specification == Self.stackedName {
      self = .stackedFashionMNIST
      return
    }
    let path =
      specification.count > 1 && specification.hasSuffix("/")
      ? String(specification.dropLast()) : specification
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
      throw UserError(
        "there is no such data", at: specification,
        remedy:
          "give fashion-mnist, stacked-fashion-mnist, or a folder, .zip, .safetensors or .bin file that exists"
      )
    }
    if isFolder.boolValue {
      if MNISTFolder.isOne(path) {
        self = .idxFolder(path)
      } else if DataSplit.allCases.contains(where: { !CIFAR10.files(of: $0, in: path).isEmpty }) {
        self = .cifarFolder(path)
      } else {
        try CIFAR10.refuseOthers(in: path)
        self = .pngFolder(path)
      }
      return
    }
    switch Files.pathExtension(of: path) {
    case "zip": self = .zip(path)
    case "safetensors": self = .safetensors(path)
    case "bin": self = .cifarFile(path)
    default:
      throw UserError(
        "is no kind of data that can be read", at: specification,
        remedy: "give fashion-mnist, a folder, or a .zip, .safetensors or .bin file")
    }
  }

  /// What the data are called: `fashion-mnist`, or the last part of the path.
  public var name: String {
    switch self {
    case .fashionMNIST: "fashion-mnist"
    case .stackedFashionMNIST: Self.stackedName
    case .idxFolder(let path), .cifarFolder(let path), .cifarFile(let path), .pngFolder(let path),
      .zip(let path), .safetensors(let path):
      Files.name(of: path)
    }
  }

  /// The splits that the source tells apart; data that come in one piece are all `train`.
  public var splits: [DataSplit] {
    switch self {
    case .fashionMNIST, .stackedFashionMNIST, .idxFolder: [.train, .test]
    case .cifarFolder(let path):
      DataSplit.allCases.filter { !CIFAR10.files(of: $0, in: path).isEmpty }
    case .cifarFile, .pngFolder, .zip, .safetensors: [.train]
    }
  }

  /// Reads one split into memory.
  ///
  /// - Parameter pool: threads for decoding.
  /// - Throws: `UserError` naming the file at fault, what is wrong with it and what to do.
  public func load(_ split: DataSplit, pool: ThreadPool) throws -> ImageDataset {
    guard splits.contains(split) else {
      throw UserError(
        "has no \(split.rawValue) split", at: name,
        remedy: "it has \(splits.map(\.rawValue).joined(separator: ", "))")
    }
    switch self {
    case .fashionMNIST:
      return try MNISTFolder.fashion(split, name: name)
    case .stackedFashionMNIST:
      return try MNISTFolder.fashion(split, name: name).stacked(name: name, seed: 0)
    case .idxFolder(let path):
      return try MNISTFolder.read(path, split: split, name: name, classNames: [])
    case .cifarFolder(let path):
      return try CIFAR10.read(path, split: split, name: name)
    case .cifarFile(let path): return try CIFAR10.read([path], name: name)
    case .pngFolder(let path):
      return try PNGImages.read(ImageFiles(folder: path), name: name, pool: pool)
    case .zip(let path):
      return try PNGImages.read(ImageFiles(zip: path), name: name, pool: pool)
    case .safetensors(let path): return try SafetensorsImages.read(path, name: name)
    }
  }
}
