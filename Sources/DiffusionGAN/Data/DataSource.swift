import Foundation
import TensorCore

/// Which part of the data: what a model learns from, what settings are chosen by, or what neither sees.
public enum DataSplit: String, CaseIterable, Sendable {
  case train
  case validation
  case test
}

/// Where data lie, and how they are read.
public struct DataSource: Sendable {
  /// What the data are called: `fashion-mnist`, or the last part of the path; with `-N` where only N images train.
  public let name: String
  /// The splits that the source tells apart; data that come in one piece are all `train`.
  public let splits: [DataSplit]
  private let read: @Sendable (DataSplit, ThreadPool) throws -> ImageDataset

  private init(
    _ name: String, splits: [DataSplit] = [.train],
    _ read: @escaping @Sendable (DataSplit, ThreadPool) throws -> ImageDataset
  ) {
    (self.name, self.splits, self.read) = (name, splits, read)
  }

  /// Debian's package `dataset-fashion-mnist`.
  private static let fashion = DataSource("fashion-mnist", splits: [.train, .test]) { split, _ in
    try MNISTFolder.fashion(split, name: "fashion-mnist")
  }

  /// Three of its images as the channels of one, 1,000 combined classes.
  private static let stacked = fashion.stacked

  private var stacked: DataSource {
    let grey = self
    return DataSource("stacked-\(name)", splits: splits) { split, pool in
      try grey.load(split, pool: pool).stacked(name: "stacked-fashion-mnist", seed: 0)
    }
  }

  /// Reads `fashion-mnist`, `stacked-fashion-mnist` or a path; what a path holds is told by its ending or its files.
  /// `DATA:N` trains on N of the training images and keeps the others as the split `validation`.
  public init(_ specification: String) throws {
    let named = [Self.fashion, Self.stacked]
    if let known = named.first(where: { $0.name == specification }) {
      self = known
      return
    }
    if let colon = specification.lastIndex(of: ":"),
      let count = Int(specification[specification.index(after: colon)...]),
      !FileManager.default.fileExists(atPath: specification)
    {
      let whole = String(specification[..<colon])
      // Stacks share their images, so these are kept back before they are stacked.
      self =
        whole == Self.stacked.name
        ? try Self.fashion.training(on: count).stacked
        : try DataSource(whole).training(on: count)
      return
    }
    let path =
      specification.count > 1 && specification.hasSuffix("/")
      ? String(specification.dropLast()) : specification
    let names = named.map(\.name).joined(separator: ", ")
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
      throw UserError(
        "there is no such data", at: specification,
        remedy: "give \(names), or a folder, .zip, .safetensors or .bin file that exists")
    }
    guard let found = try isFolder.boolValue ? Self.folder(path) : Self.file(path) else {
      throw UserError(
        "is no kind of data that can be read", at: specification,
        remedy: "give \(names), a folder, or a .zip, .safetensors or .bin file")
    }
    self = found
  }

  /// A folder of IDX files named as MNIST's, of CIFAR-10's binary files, or of PNG files.
  private static func folder(_ path: String) throws -> DataSource {
    let name = Files.name(of: path)
    if MNISTFolder.isOne(path) {
      return DataSource(name, splits: [.train, .test]) { split, _ in
        try MNISTFolder.read(path, split: split, name: name, classNames: [])
      }
    }
    let splits = DataSplit.allCases.filter { !CIFAR10.files(of: $0, in: path).isEmpty }
    if !splits.isEmpty {
      return DataSource(name, splits: splits) { split, _ in
        try CIFAR10.read(path, split: split, name: name)
      }
    }
    try CIFAR10.refuseOthers(in: path)
    return DataSource(name) { try PNGImages.read(ImageFiles(folder: path), name: name, pool: $1) }
  }

  /// A zip archive of PNG files, a file of tensors or one of CIFAR-10 records; nil for others.
  private static func file(_ path: String) -> DataSource? {
    let name = Files.name(of: path)
    return switch Files.pathExtension(of: path) {
    case "zip":
      DataSource(name) { try PNGImages.read(ImageFiles(zip: path), name: name, pool: $1) }
    case "safetensors": DataSource(name) { _, _ in try SafetensorsImages.read(path, name: name) }
    case "bin": DataSource(name) { _, _ in try CIFAR10.read([path], name: name) }
    default: nil
    }
  }

  /// Data of which `count` training images train, chosen at random, always the same ones, and the others are
  /// `validation`.
  private func training(on count: Int) throws -> DataSource {
    guard !splits.contains(.validation) else {
      throw UserError(
        "the training images are cut twice", at: "\(name):\(count)", remedy: "give one number")
    }
    let whole = self
    return DataSource(
      "\(name)-\(count)", splits: [.train, .validation] + splits.filter { $0 != .train }
    ) { split, pool in
      guard split != .test else { return try whole.load(.test, pool: pool) }
      let all = try whole.load(.train, pool: pool)
      guard 1..<all.count ~= count else {
        throw UserError(
          "cannot keep \(count) of \(all.count) training images and leave some for validation",
          at: "\(whole.name):\(count)", remedy: "give 1 to \(all.count - 1)")
      }
      var stream = RandomStream(seed: 0, path: [0x7661_6c69])
      let order = stream.sample(all.count, of: Array(0..<all.count))
      return try all.subset((split == .train ? order[..<count] : order[count...]).sorted())
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
    return try read(split, pool)
  }
}
