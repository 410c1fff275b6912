import Foundation
import TensorCore

/// The files of a model that llama.cpp's `gguf-split` cut up: `NAME-00001-of-00003.gguf` and so on.
/// The first has the metadata, each has some of the tensors.
///
/// Source: `llama_split_path` of llama.cpp; the keys `split.no` (from 0), `split.count` and
/// `split.tensors.count` (of all parts).
struct GGUFParts {
  let first: GGUFHeader
  let files: [MappedFile]
  let tensors: [String: GGUFFile.TensorEntry]
  let notes: [String]

  /// A model that lies in one file.
  init(whole header: GGUFHeader) {
    first = header
    files = [header.file]
    tensors = header.tensors
    notes = []
  }

  /// Opens the parts that belong to one of them; nil where the file is a whole model.
  ///
  /// - Throws: `UserError` naming the part that is missing or does not fit.
  init?(_ opened: GGUFHeader) throws {
    guard let split = try Split(opened) else { return nil }
    let paths = try Self.paths(opened.file.path, split)
    let headers = try paths.enumerated().map { number, path in
      // The one that is open has its place among the parts, too.
      try GGUFHeader(MappedFile(path), part: number)
    }
    for (number, header) in headers.enumerated() {
      try Self.check(header, number, against: split, of: opened)
    }
    var tensors: [String: GGUFFile.TensorEntry] = [:]
    for header in headers {
      for (name, entry) in header.tensors {
        guard let earlier = tensors.updateValue(entry, forKey: name) else { continue }
        throw Self.unfit(
          header, "has the tensor \"\(name)\", which \(Self.name(paths[earlier.part])) has, too")
      }
    }
    if let wanted = split.tensors, wanted != tensors.count {
      throw Self.unfit(
        opened, "speaks of \(wanted) tensors, but the \(split.count) parts have \(tensors.count)")
    }
    first = headers[0]
    files = headers.map(\.file)
    self.tensors = tensors
    notes = [
      "\(Self.name(opened.file.path)) is part \(split.number + 1) of \(split.count): "
        + "all parts were read"
    ]
  }

  /// What a part says about itself.
  private struct Split {
    /// From 0.
    let number: Int
    let count: Int
    /// Of all parts.
    let tensors: Int?

    init?(_ header: GGUFHeader) throws {
      guard let count = try header.metadata.integer("split.count"), count > 1 else { return nil }
      number = try header.metadata.integer("split.no") ?? 0
      self.count = count
      tensors = try header.metadata.integer("split.tensors.count")
      guard (0..<count).contains(number) else {
        throw GGUFParts.unfit(header, "says that it is part \(number) of \(count), counted from 0")
      }
    }
  }

  /// Where all parts lie, by the name of one of them.
  private static func paths(_ path: String, _ split: Split) throws -> [String] {
    func ending(_ number: Int) -> String {
      String(format: "-%05ld-of-%05ld.gguf", number + 1, split.count)
    }
    let what = "is part \(split.number + 1) of \(split.count) of a model"
    guard path.hasSuffix(ending(split.number)) else {
      throw UserError(
        "\(what), but its name does not end in \(ending(split.number)), by which the other parts "
          + "are found",
        at: path, remedy: "give the parts their own names again")
    }
    let stem = path.dropLast(ending(split.number).count)
    let missing = (0..<split.count).first {
      !FileManager.default.fileExists(atPath: stem + ending($0))
    }
    if let missing {
      throw UserError(
        "\(what), and part \(missing + 1), \(name(stem + ending(missing))), is missing",
        at: path, remedy: "put all parts into one folder")
    }
    return (0..<split.count).map { stem + ending($0) }
  }

  private static func check(
    _ header: GGUFHeader, _ number: Int, against split: Split, of opened: GGUFHeader
  ) throws {
    guard let own = try Split(header), own.count == split.count, own.number == number else {
      let own = try Split(header)
      throw unfit(
        header,
        "is named part \(number + 1) of \(split.count) but says that it is "
          + (own.map { "part \($0.number + 1) of \($0.count)" } ?? "a whole model"))
    }
    guard own.tensors == split.tensors else {
      throw unfit(
        header,
        "is of a model with \(own.tensors.map(String.init) ?? "no stated number of") tensors, "
          + "\(name(opened.file.path)) of one with "
          + "\(split.tensors.map(String.init) ?? "no stated number")")
    }
    let key = "general.architecture"
    if let own = try header.metadata.string(key), let other = try opened.metadata.string(key),
      own != other
    {
      throw unfit(
        header, "is of the architecture \(own), \(name(opened.file.path)) of \(other)")
    }
  }

  private static func unfit(_ header: GGUFHeader, _ problem: String) -> UserError {
    UserError(
      problem, at: header.file.path, remedy: "get all parts of the model from the same place")
  }

  private static func name(_ path: some StringProtocol) -> String {
    String(path.split(separator: "/").last ?? "")
  }
}
