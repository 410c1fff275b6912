import TensorCore

/// EDM's `dataset.json`: `{"labels": [["folder/img.png", 3], …]}`, with numbers or one-hot vectors, or null for
/// none.
enum DatasetLabels {
  static let fileName = "dataset.json"

  /// The file of labels: at the top, or in the folder that all images lie in; nil without one.
  static func file(among names: [String], for images: [String]) -> String? {
    names.filter { name in
      name == fileName
        || name.hasSuffix("/\(fileName)")
          && images.allSatisfy { $0.hasPrefix(name.dropLast(fileName.count)) }
    }.min { $0.utf8.count < $1.utf8.count }
  }

  /// The label of each of `images`, by name from the folder of `file`; nil where the file has none.
  static func read(_ files: ImageFiles, _ file: String, images: [String]) throws -> [Int]? {
    let place = files.place(of: file)
    let folder = file.utf8.count - fileName.utf8.count
    let images = images.map { String(decoding: $0.utf8.dropFirst(folder), as: UTF8.self) }
    let root = JSONReader(
      try JSONValue(parsing: files.read(file), place: place), place: place)
    guard let labels = try root.entries().first(where: { $0.0 == "labels" })?.1,
      labels.value != .null
    else { return nil }
    var byName: [String: Int] = [:]
    for pair in try labels.list() {
      let parts = try pair.list()
      guard parts.count == 2 else {
        throw UserError(
          "found \(parts.count) values where [\"file\", label] belongs", at: pair.place,
          remedy: "mend the pair")
      }
      let name = ImageFiles.normalised(try parts[0].string())
      let label =
        if case .array = parts[1].value {
          try OneHotLabel.integer(parts[1].list().map { try $0.number() }, place: parts[1].place)
        } else {
          try parts[1].integer(in: 0...Int(Int32.max))
        }
      guard byName.updateValue(label, forKey: name) == nil else {
        throw UserError("\(name) has two labels", at: place, remedy: "remove one")
      }
    }
    let chosen = images.map { byName[$0] }
    if let missing = chosen.firstIndex(where: { $0 == nil }) {
      throw UserError(
        "\(byName.count) labels for \(images.count) images, none for \(images[missing])",
        at: place, remedy: "give every image one label")
    }
    guard byName.count == images.count else {
      let known = Set(images)
      let surplus = byName.keys.filter { !known.contains($0) }.min() ?? ""
      throw UserError(
        "\(byName.count) labels for \(images.count) images, there is no \(surplus)", at: place,
        remedy: "remove the label or add the file")
    }
    return chosen.compactMap(\.self)
  }
}
