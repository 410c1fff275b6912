import Foundation

/// A model that Python packages carry, each a piece of its file.
public struct CatalogueEntry: Sendable, Equatable {
  /// A piece of a model's file.
  public struct Part: Sendable, Equatable {
    /// Name of the package.
    public let package: String
    public let version: String
    /// Where the piece lies inside the package's wheel.
    public let path: String
    public let bytes: Int
    /// SHA-256 of the piece, in hexadecimal, if the catalogue tells it.
    public let digest: String?

    /// What `pip download` is asked for.
    public var requirement: String { "\(package)==\(version)" }

    public init(package: String, version: String, path: String, bytes: Int, digest: String?) {
      self.package = package
      self.version = version
      self.path = path
      self.bytes = bytes
      self.digest = digest
    }
  }

  /// What the model is called on the command line.
  public let name: String
  /// What it is, in the words of its own file.
  public let title: String
  /// Name of the model file in the store.
  public let file: String
  /// Bytes of the file.
  public let bytes: Int
  /// SHA-256 of the file, in hexadecimal.
  public let digest: String
  public let licence: String
  /// Whether the user must say that they accept the licence.
  public let needsAcceptance: Bool
  /// The pieces of the file, from its beginning to its end.
  public let parts: [Part]

  public init(
    name: String, title: String, file: String, bytes: Int, digest: String, licence: String,
    needsAcceptance: Bool = false, parts: [Part]
  ) {
    self.name = name
    self.title = title
    self.file = file
    self.bytes = bytes
    self.digest = digest
    self.licence = licence
    self.needsAcceptance = needsAcceptance
    self.parts = parts
  }
}

extension CatalogueEntry {
  /// Reads an entry of a `models.json`.
  ///
  /// - Throws: `UserError` with the file, the key, what was found and what is allowed.
  public init(_ reader: JSONReader) throws {
    let keys = try reader.object(
      required: ["name", "title", "file", "bytes", "sha256", "licence", "parts"],
      optional: ["needs_acceptance"])
    func key(_ name: String) -> JSONReader { keys[name] ?? JSONReader(.null, place: reader.place) }
    name = try Self.name(key("name"))
    title = try key("title").string()
    file = try key("file").text(
      like: /[A-Za-z0-9][A-Za-z0-9._+\-]*\.gguf/,
      "a file's name that ends in .gguf, without folders")
    bytes = try key("bytes").integer(in: 1...Int.max)
    digest = try key("sha256").digest()
    licence = try key("licence").string()
    needsAcceptance = try keys["needs_acceptance"]?.bool() ?? false
    parts = try key("parts").list().map { try Part($0) }
    let sum = parts.reduce(0) { $0 &+ $1.bytes }
    guard sum == bytes else {
      throw UserError(
        "the parts have \(sum) bytes, the file \(bytes)", at: key("parts").place,
        remedy: "mend the sizes, or add the part that is missing")
    }
  }
}

extension CatalogueEntry {
  /// Names become names of files and words of a command line: nothing else may be hidden in them.
  public static func name(_ reader: JSONReader) throws -> String {
    try reader.text(like: /[a-z0-9][a-z0-9._\-]*/, "lower-case letters, digits, '.', '-' and '_'")
  }
}

extension CatalogueEntry.Part {
  fileprivate init(_ reader: JSONReader) throws {
    let keys = try reader.object(
      required: ["package", "version", "path", "bytes"], optional: ["sha256"])
    func key(_ name: String) -> JSONReader { keys[name] ?? JSONReader(.null, place: reader.place) }
    package = try key("package").text(
      like: /[A-Za-z0-9]([A-Za-z0-9._\-]*[A-Za-z0-9])?/, "a Python package's name")
    version = try key("version").text(
      like: /[A-Za-z0-9][A-Za-z0-9.+!_\-]*/, "a Python package's version")
    path = try key("path").string()
    bytes = try key("bytes").integer(in: 1...1 << 50)
    digest = try keys["sha256"]?.digest()
  }
}

extension JSONReader {
  fileprivate func text(
    like pattern: Regex<some Any>, _ allowed: String
  ) throws -> String {
    let text = try string()
    guard text.wholeMatch(of: pattern) != nil else {
      throw UserError(
        "found \"\(text)\", allowed is \(allowed)", at: place, remedy: "mend the value")
    }
    return text
  }

  fileprivate func digest() throws -> String {
    let text = try string().lowercased()
    guard SHA256.isDigest(text) else {
      throw UserError(
        "found \"\(text)\", allowed is a SHA-256 of 64 hexadecimal digits", at: place,
        remedy: "write what sha256sum prints")
    }
    return text
  }
}
