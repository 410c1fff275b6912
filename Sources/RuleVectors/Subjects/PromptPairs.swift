import Foundation
import TensorCore

/// A user's own pairs of prompts: a JSON object a line,
/// `{"clean": "…", "corrupted": "…", "right": " Mary", "wrong": " John"}`.
///
/// Both prompts of a pair are of one length in tokens, so that they can be patched position by
/// position; that is checked with the model's tokenizer.
public struct PromptPairs: Sendable {
  public struct Pair: Sendable, Equatable {
    public let clean: String
    public let corrupted: String
    /// The answer to the clean prompt, as it follows the prompt's text: with its space.
    public let right: String
    /// The answer to the corrupted one.
    public let wrong: String
    /// File and line, for messages.
    public let place: String
  }

  /// The file's name without its ending.
  public let name: String
  public let pairs: [Pair]
  /// SHA-256 of the file.
  public let digest: String
  public let place: String

  /// - Throws: `UserError` naming the line and the key.
  public init(contentsOf path: String) throws {
    let data = try Files.read(path)
    name = URL(fileURLWithPath: path).deletingPathExtension().lastPathComponent
    place = path
    digest = SHA256.hash(of: data)
    var pairs: [Pair] = []
    for (index, line) in data.split(separator: 0x0A, omittingEmptySubsequences: false).enumerated()
    where !line.allSatisfy({ $0 == 0x20 || $0 == 0x0D || $0 == 0x09 }) {
      let place = "\(path):\(index + 1)"
      let keys = try JSONReader(try JSONValue(parsing: Data(line), place: place), place: place)
        .object(required: ["clean", "corrupted", "right", "wrong"])
      func text(_ key: String) throws -> String {
        let text = try keys[key]?.string() ?? ""
        guard !text.isEmpty else {
          throw UserError("the text is empty", at: "\(place), \(key)", remedy: "write a text")
        }
        return text
      }
      let pair = Pair(
        clean: try text("clean"), corrupted: try text("corrupted"), right: try text("right"),
        wrong: try text("wrong"), place: place)
      guard pair.clean != pair.corrupted else {
        throw UserError(
          "clean and corrupted prompt are the same", at: place, remedy: "change one of them")
      }
      guard pair.right != pair.wrong else {
        throw UserError("both answers are the same", at: place, remedy: "change one of them")
      }
      pairs.append(pair)
    }
    guard !pairs.isEmpty else {
      throw UserError(
        "the file holds no pairs", at: path,
        remedy: "write one object a line with clean, corrupted, right and wrong")
    }
    self.pairs = pairs
  }
}
